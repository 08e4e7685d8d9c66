package fake

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"time"
)

// GVSP of the GigE Vision specification 2.0: a frame is a leader, its data in packets, and a trailer.
const (
	formatLeader  = 1 << 24
	formatTrailer = 2 << 24
	formatData    = 3 << 24

	payloadImage = 0x0001
	payloadChunk = 0x4000 // a bit: chunks follow one another in the data, each before its tag

	// tagBytes is the tag behind a chunk: its id and its length.
	tagBytes     = 8
	imageChunk   = 0x494d4147
	encoderChunk = 0x4e434f44 // line.xml says so
	headers      = 36         // IP, UDP and GVSP, which a packet's size counts
)

// stream is what a running transfer needs, as the registers were when it began.
type stream struct {
	to                    *net.UDPConn
	width, height, packet int
	period                time.Duration
	chunks, encoder       bool
	out                   []byte // a packet under construction
}

// begin starts the transfer.
func (c *Line) begin() {
	host := netip.AddrFrom4([4]byte(c.memory[regStreamHost : regStreamHost+4]))
	from := &net.UDPAddr{IP: c.socket.LocalAddr().(*net.UDPAddr).IP}
	to, err := net.DialUDP("udp4", from, net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, uint16(c.get(regStreamPort)))))
	if err != nil {
		return // a camera that nobody can hear
	}
	s := &stream{
		to: to, width: int(c.get(regWidth)), height: int(c.get(regHeight)), packet: int(c.get(regPacketSize)&0xffff) - headers,
		period: time.Duration(c.get(regPeriod)) * time.Microsecond,
		chunks: c.get(regChunkMode) != 0, encoder: c.get(regChunkMode) != 0 && c.get(regChunkEnable) != 0,
	}
	ctx, cancel := context.WithCancel(c.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(ctx, s)
	}()
	c.stop = func() {
		cancel()
		<-done
		_ = to.Close()
	}
}

// halt ends the transfer, where one runs.
func (c *Line) halt() {
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
}

// run sends frames until ctx ends. Numbers and clock go on from the transfer before; c.frame and c.sent are its own while it runs.
func (c *Line) run(ctx context.Context, s *stream) {
	tick := time.NewTicker(s.period)
	defer tick.Stop()
	data := make([]byte, 0, s.width*s.height+4+2*tagBytes)
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		n := c.frame
		c.frame++
		c.sent += s.period
		if c.o.Lost != nil && c.o.Lost(n) {
			continue
		}
		data = c.draw(data[:s.width*s.height], n, s.width)
		if s.chunks {
			data = tag(data, imageChunk, s.width*s.height)
		}
		if s.encoder && (c.o.Without == nil || !c.o.Without(n)) {
			var count uint32
			if c.o.Count != nil {
				count = c.o.Count(n)
			}
			data = tag(binary.BigEndian.AppendUint32(data, count), encoderChunk, 4)
		}
		s.send(n, c.sent, data)
	}
}

// tag ends a chunk of so many bytes.
func tag(data []byte, id uint32, bytes int) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(data, id), uint32(bytes))
}

func (c *Line) draw(pix []byte, n uint64, width int) []byte {
	if c.o.Draw != nil {
		c.o.Draw(n, pix, width)
		return pix
	}
	for i := range pix {
		pix[i] = byte((uint64(i%width+i/width) + n) % 251)
	}
	return pix
}

// send puts one frame on the wire.
func (s *stream) send(n uint64, at time.Duration, data []byte) {
	id := uint16(n%0xffff + 1) // 0 is no id
	kind := uint32(payloadImage)
	if s.chunks {
		kind |= payloadChunk
	}
	t := uint64(at) * ticks / uint64(time.Second)
	var leader []byte
	for _, v := range []uint32{kind, uint32(t >> 32), uint32(t), mono8, uint32(s.width), uint32(s.height), 0, 0, 0} {
		leader = binary.BigEndian.AppendUint32(leader, v)
	}
	s.emit(id, formatLeader, leader)
	packet := uint32(1)
	for from := 0; from < len(data); from += s.packet {
		s.emit(id, formatData|packet, data[from:min(from+s.packet, len(data))])
		packet++
	}
	s.emit(id, formatTrailer|packet, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, kind), uint32(s.height)))
}

// emit sends a packet; what does not arrive is missing, as on any network.
func (s *stream) emit(id uint16, format uint32, body []byte) {
	s.out = binary.BigEndian.AppendUint16(s.out[:0], 0) // status: all is well
	s.out = binary.BigEndian.AppendUint16(s.out, id)
	s.out = binary.BigEndian.AppendUint32(s.out, format)
	_, _ = s.to.Write(append(s.out, body...))
}
