package fake

import (
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"sync"
	"time"
)

// LineOptions of a line camera in software. A zero field takes the default named beside it.
type LineOptions struct {
	Address string // of the loopback network, one camera an address
	Serial  string
	// Count is what the encoder's counter of 32 bits holds at the first line of a frame, by the frame's number from 0.
	Count func(frame uint64) uint32
	// Without tells which frames go without the encoder's chunk; nil: none.
	Without func(frame uint64) bool
	// Lost tells which frames are not sent at all; nil: none.
	Lost func(frame uint64) bool
	// Draw fills a frame's pixels; nil: pixel x of line y of frame n is (x+y+n) mod 251.
	Draw func(frame uint64, pix []byte, width int)
	// Chunkless has no feature of chunk data, Refuses has them and does not let chunk mode be switched on.
	Chunkless, Refuses bool
}

// Line is a GigE Vision line camera in software, which puts its encoder's counter into the chunk data of each frame. The time of
// its frames is that of its schedule: they are exactly a period apart, whenever they are sent. The caller must Close it.
type Line struct {
	o      LineOptions
	xml    []byte
	socket *net.UDPConn // GVCP
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu         sync.Mutex
	memory     []byte         // registers up to the description
	controller netip.AddrPort // who has control; zero: nobody
	heard      time.Time      // of the controller
	stop       func()         // ends the stream and waits for it; nil: none runs
	frame      uint64         // number of the next frame
	sent       time.Duration  // time of the newest frame on the camera's clock
}

//go:embed line.xml
var lineXML []byte

var chunkFeatures = regexp.MustCompile(`(?s)<!--chunks-->.*?<!--end-->`)

// Registers: those of the specification's bootstrap, and from 0x1000 on our own, as line.xml has them.
const (
	regVersion     = 0x0000
	regMode        = 0x0004
	regMAC         = 0x0008
	regIP          = 0x0024
	regVendor      = 0x0048
	regModel       = 0x0068
	regSerial      = 0x00d8
	regURL         = 0x0200
	regInterfaces  = 0x0600
	regStreams     = 0x0904
	regHeartbeat   = 0x0938 // ms
	regTicksLow    = 0x0940 // a second
	regPrivilege   = 0x0a00
	regPrimaryPort = 0x0a04
	regPrimaryHost = 0x0a14
	regStreamPort  = 0x0d00
	regPacketSize  = 0x0d04
	regStreamHost  = 0x0d18

	regWidth       = 0x1000
	regHeight      = 0x1004
	regPixelFormat = 0x1008
	regAcquisition = 0x100c
	regPeriod      = 0x1010 // us
	regPayload     = 0x1014
	regChunkMode   = 0x101c
	regChunkEnable = 0x1028 // of the encoder's chunk

	endOfRegisters = 0x1100
	description    = 0x10000 // where the XML lies
)

const (
	mono8 = 0x01080001
	// ticks a second of the camera's clock.
	ticks = 100_000_000
)

// StartLine starts a camera of 512 x 128 pixels and 100 frames a second.
func StartLine(o LineOptions) (*Line, error) {
	at, err := netip.ParseAddr(o.Address)
	if err != nil || !at.Is4() || !at.IsLoopback() {
		return nil, fmt.Errorf("the line camera's address %q is not possible; allowed are those of 127.0.0.0/8", o.Address)
	}
	c := &Line{o: o, xml: lineXML, memory: make([]byte, endOfRegisters)}
	if o.Chunkless {
		c.xml = chunkFeatures.ReplaceAll(lineXML, nil)
	}
	for address, v := range map[int]uint32{
		regVersion: 2 << 16, regMode: 1<<31 | 1, regMAC: 0x0200, regMAC + 4: binary.BigEndian.Uint32(at.AsSlice()), regIP: binary.BigEndian.Uint32(at.AsSlice()),
		regInterfaces: 1, regStreams: 1, regHeartbeat: 3000, regTicksLow: ticks, regPacketSize: 8192,
		regWidth: 512, regHeight: 128, regPixelFormat: mono8, regPeriod: 10_000,
	} {
		c.set(address, v)
	}
	for address, text := range map[int]string{
		regVendor: "Coilsight", regModel: "Line", regSerial: o.Serial,
		regURL: fmt.Sprintf("Local:line.xml;%x;%x", description, len(c.xml)),
	} {
		copy(c.memory[address:], text)
	}
	if c.socket, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 3956))); err != nil {
		return nil, err
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.wg.Go(c.listen)
	return c, nil
}

// Close ends the camera at once, as a cut cable would.
func (c *Line) Close() error {
	c.cancel()
	err := c.socket.Close()
	c.wg.Wait()
	c.halt()
	return err
}

func (c *Line) get(address int) uint32 { return binary.BigEndian.Uint32(c.memory[address:]) }

func (c *Line) set(address int, v uint32) { binary.BigEndian.PutUint32(c.memory[address:], v) }

// payload is how many bytes a frame has, chunks and their tags included.
func (c *Line) payload() int {
	n := int(c.get(regWidth) * c.get(regHeight))
	if c.get(regChunkMode) != 0 {
		n += tagBytes
		if c.get(regChunkEnable) != 0 {
			n += 4 + tagBytes
		}
	}
	return n
}

// read is what the camera says of its memory; nil where there is none.
func (c *Line) read(address, n int) []byte {
	if address >= description && address+n <= description+(len(c.xml)+511)/512*512 {
		out := make([]byte, n)
		if from := address - description; from < len(c.xml) {
			copy(out, c.xml[from:])
		}
		return out
	}
	if address+n > len(c.memory) {
		return nil
	}
	c.set(regPayload, uint32(c.payload()))
	return append([]byte(nil), c.memory[address:address+n]...)
}

// write puts a value into a register, and does what the register is for. It is false where it is not allowed.
func (c *Line) write(address int, v uint32) bool {
	switch {
	case address < regPrivilege && address != regHeartbeat, address == regPayload, address+4 > len(c.memory), address%4 != 0:
		return false
	case address == regChunkMode && (c.o.Refuses || c.o.Chunkless):
		return false
	}
	c.set(address, v)
	if address == regAcquisition {
		c.halt()
		if v != 0 {
			c.begin()
		}
	}
	return true
}
