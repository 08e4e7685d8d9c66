package genicam

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// route is how this computer reaches a camera.
type route struct {
	local    netip.Addr
	name     string // of the interface
	mtu      int    // bytes; 0: not known
	loopback bool
}

// routeTo asks the kernel by which interface it would send to an address.
func routeTo(to netip.Addr) (route, error) {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, gvcpPort)))
	if err != nil {
		return route{}, fmt.Errorf("no network leads to %s: %w", to, err)
	}
	defer func() { _ = conn.Close() }()
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	r := route{local: local, loopback: local.IsLoopback()}
	interfaces, err := net.Interfaces()
	if err != nil {
		return r, nil //nolint:nilerr // the MTU then stays unknown
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == local {
				r.name, r.mtu = i.Name, i.MTU
			}
		}
	}
	return r, nil
}

const (
	leastPacket = 576
	jumbo       = 9000
	// burst is how much a socket should hold: 50 ms of the fastest line in a 2.5 Gbit/s network.
	burst = 16 << 20
)

// checkPacketSize refuses packets that the interface cannot carry whole; 0 is automatic.
func (r route) checkPacketSize(bytes int) error {
	most := r.mtu
	if most == 0 || most > 1<<16-1 {
		most = 1<<16 - 1
	}
	if bytes != 0 && (bytes < leastPacket || bytes > most) {
		return fmt.Errorf("packet size %d is not possible; interface %s carries %d to %d bytes, or 0 for automatic", bytes, r.name, leastPacket, most)
	}
	return nil
}

// hints are sentences on what would make the transfer cheaper or safer.
func (r route) hints(packetSize int) (list []string) {
	if r.mtu > 0 && r.mtu < jumbo {
		list = append(list, fmt.Sprintf("interface %s carries packets of %d bytes; a jumbo MTU of %d would take a sixth of the packets", r.name, r.mtu, jumbo))
	} else if r.mtu >= jumbo && packetSize < jumbo/2 {
		list = append(list, fmt.Sprintf("packets have %d bytes and interface %s carries %d; a packet size of %d would take a sixth of the packets", packetSize, r.name, r.mtu, min(r.mtu, jumbo)))
	}
	b, err := os.ReadFile("/proc/sys/net/core/rmem_max")
	if n, perr := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && perr == nil && n < burst {
		list = append(list, fmt.Sprintf("the kernel holds at most %d bytes for a socket; net.core.rmem_max of %d rides out longer pauses", n, burst))
	}
	return list
}
