package fake

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"time"
)

// GVCP of the GigE Vision specification 2.0, as far as a camera needs it: an answer's command is its question's plus one.
const (
	gvcpKey      = 0x42
	cmdDiscovery = 0x0002
	cmdReadReg   = 0x0080
	cmdWriteReg  = 0x0082
	cmdReadMem   = 0x0084
	cmdWriteMem  = 0x0086

	statusUnknown      = 0x8001 // the command
	statusAddress      = 0x8003
	statusWriteProtect = 0x8004
	statusAccessDenied = 0x8006
)

// listen answers commands until the camera is closed, and gives control up where its owner has fallen silent.
func (c *Line) listen() {
	packet := make([]byte, 1024)
	for c.ctx.Err() == nil {
		_ = c.socket.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, from, err := c.socket.ReadFromUDPAddrPort(packet)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		c.mu.Lock()
		if c.controller.IsValid() && time.Since(c.heard) > time.Duration(c.get(regHeartbeat))*time.Millisecond {
			c.leave()
		}
		if err == nil && n >= 8 && packet[0] == gvcpKey && n == 8+int(binary.BigEndian.Uint16(packet[4:])) {
			if from == c.controller {
				c.heard = time.Now()
			}
			status, body := c.answer(from, binary.BigEndian.Uint16(packet[2:]), packet[8:n])
			reply := binary.BigEndian.AppendUint16(nil, status)
			reply = binary.BigEndian.AppendUint16(reply, binary.BigEndian.Uint16(packet[2:])+1)
			reply = binary.BigEndian.AppendUint16(reply, uint16(len(body)))
			reply = append(append(reply, packet[6:8]...), body...)
			_, _ = c.socket.WriteToUDPAddrPort(reply, from) // a lost answer is asked for again
		}
		c.mu.Unlock()
	}
}

// answer does what a command says.
func (c *Line) answer(from netip.AddrPort, command uint16, body []byte) (status uint16, answer []byte) {
	word := func(i int) int { return int(binary.BigEndian.Uint32(body[i:])) }
	switch {
	case command == cmdDiscovery:
		return 0, c.read(0, 0xf8)
	case command == cmdReadReg && len(body) >= 4:
		for i := 0; i+4 <= len(body); i += 4 {
			v := c.read(word(i), 4)
			if v == nil {
				return statusAddress, nil
			}
			answer = append(answer, v...)
		}
		return 0, answer
	case command == cmdReadMem && len(body) == 8:
		v := c.read(word(0), word(4)&0xffff)
		if v == nil {
			return statusAddress, nil
		}
		return 0, append(append(answer, body[:4]...), v...)
	case command == cmdWriteReg && len(body) >= 8:
		for i := 0; i+8 <= len(body); i += 8 {
			if status = c.order(from, word(i), uint32(word(i+4))); status != 0 {
				return status, nil
			}
		}
		return 0, binary.BigEndian.AppendUint32(nil, uint32(len(body)/8))
	case command == cmdWriteMem && len(body) >= 8 && len(body)%4 == 0:
		for i := 4; i+4 <= len(body); i += 4 {
			if status = c.order(from, word(0)+i-4, uint32(word(i))); status != 0 {
				return status, nil
			}
		}
		return 0, binary.BigEndian.AppendUint32(nil, uint32(len(body)-4))
	}
	return statusUnknown, nil
}

// order writes a register for whom has control, or takes control by it.
func (c *Line) order(from netip.AddrPort, address int, v uint32) (status uint16) {
	switch {
	case c.controller.IsValid() && from != c.controller:
		return statusAccessDenied
	case address == regPrivilege && v == 0:
		c.leave()
	case address == regPrivilege:
		c.controller, c.heard = from, time.Now()
		c.set(regPrivilege, v)
		c.set(regPrimaryPort, uint32(from.Port()))
		c.set(regPrimaryHost, binary.BigEndian.Uint32(from.Addr().Unmap().AsSlice()))
	case !c.controller.IsValid():
		return statusAccessDenied
	case !c.write(address, v):
		return statusWriteProtect
	}
	return 0
}

// leave ends the controller's hold, and what streams for it.
func (c *Line) leave() {
	c.controller = netip.AddrPort{}
	c.set(regPrivilege, 0)
	c.set(regPrimaryHost, 0)
	c.set(regAcquisition, 0)
	c.halt()
}
