package genicam

import (
	"fmt"
	"slices"
	"strings"
)

// A pixelFormat is one that can be brought to eight bits. The number is GenICam's (PFNC 2.1).
type pixelFormat struct {
	name string
	code uint32
	bits int // of a pixel in the buffer
	// narrow brings n pixels to eight bits, the upper ones, in place; nil: they are.
	narrow func(buf []byte, n int)
}

var pixelFormats = [...]pixelFormat{
	{"Mono8", 0x01080001, 8, nil},
	{"Mono10", 0x01100003, 16, func(b []byte, n int) { narrow16(b, n, 2) }},
	{"Mono10p", 0x010a0046, 10, narrow10p},
	{"Mono12", 0x01100005, 16, func(b []byte, n int) { narrow16(b, n, 4) }},
	{"Mono12p", 0x010c0047, 12, narrow12p},
	{"Mono16", 0x01100007, 16, func(b []byte, n int) { narrow16(b, n, 8) }},
}

// formatOf is the pixel format of a name, or a sentence that refuses it.
func formatOf(name string) (pixelFormat, error) {
	i := slices.IndexFunc(pixelFormats[:], func(f pixelFormat) bool { return f.name == name })
	if i < 0 {
		names := make([]string, len(pixelFormats))
		for i, f := range pixelFormats {
			names[i] = f.name
		}
		return pixelFormat{}, fmt.Errorf("PixelFormat %s is not possible; allowed are %s", name, strings.Join(names, ", "))
	}
	return pixelFormats[i], nil
}

// bytes is how much memory n pixels take.
func (f pixelFormat) bytes(n int) int { return (n*f.bits + 7) / 8 }

// narrow16 takes pixels of two bytes, the lower one first, without their lowest bits. Writing stays
// behind reading, as in the others.
func narrow16(b []byte, n int, drop uint) {
	for i := range n {
		b[i] = byte((uint(b[2*i]) | uint(b[2*i+1])<<8) >> drop)
	}
}

// narrow10p takes pixels of ten bits without a gap, lowest bit first: four in five bytes.
func narrow10p(b []byte, n int) {
	for i := range n {
		at := 10*i + 2
		v := uint(b[at/8])
		if at%8 != 0 {
			v |= uint(b[at/8+1]) << 8
		}
		b[i] = byte(v >> (at % 8))
	}
}

// narrow12p takes pixels of twelve bits without a gap, lowest bit first: two in three bytes.
func narrow12p(b []byte, n int) {
	i := 0
	for ; i+1 < n; i += 2 {
		p := b[i/2*3 : i/2*3+3 : i/2*3+3]
		lo, hi := p[0]>>4|p[1]<<4, p[2]
		b[i], b[i+1] = lo, hi
	}
	if i < n {
		b[i] = b[i/2*3]>>4 | b[i/2*3+1]<<4
	}
}
