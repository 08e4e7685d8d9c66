package genicam

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// What is asked of a camera before it is opened and while it is silent is asked here, not by Aravis,
// which tries for seconds. Numbers are those of the GigE Vision specification 2.0: its control
// protocol, GVCP, and the bootstrap registers.
const (
	gvcpPort       = 3956
	gvcpKey        = 0x42
	gvcpAckNeeded  = 0x01
	cmdDiscovery   = 0x0002
	ackDiscovery   = 0x0003
	cmdReadReg     = 0x0080
	ackReadReg     = 0x0081
	discoveryBytes = 0xf8

	regPrivilege   = 0x0a00 // control channel privilege: 0 means nobody has control
	regPrimaryHost = 0x0a14 // address of who has it
)

// errSilent is a camera that did not answer.
var errSilent = errors.New("it does not answer")

// statusError is a camera's refusal of a command.
type statusError uint16

const accessDenied statusError = 0x8006 // another host has the camera for itself alone

func (e statusError) Error() string {
	return fmt.Sprintf("it answers with GVCP status 0x%04x", uint16(e))
}

// ask sends a GVCP command and gives the payload of its answer; it tries three times.
func ask(ctx context.Context, to netip.Addr, command, answer uint16, payload []byte) ([]byte, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp4", netip.AddrPortFrom(to, gvcpPort).String())
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	request := append([]byte{gvcpKey, gvcpAckNeeded, 0, 0, 0, 0, 0, 1}, payload...)
	binary.BigEndian.PutUint16(request[2:], command)
	binary.BigEndian.PutUint16(request[4:], uint16(len(payload)))
	reply := make([]byte, 1024)
	for range 3 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := conn.Write(request); err != nil {
			return nil, errSilent // what an earlier packet met: nobody listens there
		}
		_ = conn.SetReadDeadline(time.Now().Add(150 * time.Millisecond))
		n, err := conn.Read(reply)
		if err != nil {
			continue
		}
		if n >= 8 && binary.BigEndian.Uint16(reply[2:]) == answer && binary.BigEndian.Uint16(reply[6:]) == 1 {
			if status := binary.BigEndian.Uint16(reply); status != 0 {
				return nil, statusError(status)
			}
			return reply[8:n], nil
		}
	}
	return nil, errSilent
}

// identify asks the GigE Vision camera at an address who it is.
func identify(ctx context.Context, at netip.Addr) (Device, error) {
	b, err := ask(ctx, at, cmdDiscovery, ackDiscovery, nil)
	if err == nil && len(b) < discoveryBytes {
		err = errors.New("its answer is too short")
	}
	if err != nil {
		return Device{}, err
	}
	text := func(from, n int) string {
		s, _, _ := strings.Cut(string(b[from:from+n]), "\x00")
		return strings.TrimSpace(s)
	}
	d := Device{
		Vendor: text(0x48, 32), Model: text(0x68, 32), Serial: text(0xd8, 16), Address: at.String(),
		PhysicalID: net.HardwareAddr(b[0x0a:0x10]).String(), Protocol: gigEVision, Reachable: true,
	}
	tail := d.Serial
	if tail == "" {
		tail = d.PhysicalID
	}
	d.ID = d.Vendor + "-" + d.Model + "-" + tail // as Aravis makes it
	return d, nil
}

// register reads one of a camera's bootstrap registers.
func register(ctx context.Context, at netip.Addr, address uint32) (uint32, error) {
	b, err := ask(ctx, at, cmdReadReg, ackReadReg, binary.BigEndian.AppendUint32(nil, address))
	if err != nil {
		return 0, err
	}
	if len(b) < 4 {
		return 0, errors.New("its answer is too short")
	}
	return binary.BigEndian.Uint32(b), nil
}

// holder tells whether somebody has control of the camera, and who, where it says so.
func holder(ctx context.Context, at netip.Addr) (held bool, host string, err error) {
	v, err := register(ctx, at, regPrivilege)
	if errors.Is(err, accessDenied) {
		return true, "", nil
	}
	if err != nil || v == 0 {
		return false, "", err
	}
	if a, err := register(ctx, at, regPrimaryHost); err == nil && a != 0 {
		host = netip.AddrFrom4([4]byte{byte(a >> 24), byte(a >> 16), byte(a >> 8), byte(a)}).String()
	}
	return true, host, nil
}
