package genicam

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestFrameIDsWrapWithoutZero(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name string
		ids  []uint64
		want []uint64
	}{
		{"in a row", []uint64{7, 8, 9}, []uint64{0, 1, 2}},
		{"two lost", []uint64{7, 10}, []uint64{0, 3}},
		{"16 bits wrap to 1", []uint64{65534, 65535, 1, 2}, []uint64{0, 1, 2, 3}},
		{"lost over the wrap", []uint64{65535, 3}, []uint64{0, 3}},
		{"64 bits go on", []uint64{65535, 65536, 70000}, []uint64{0, 1, 4465}},
		{"from 0, as USB counts", []uint64{0, 1, 3}, []uint64{0, 1, 3}},
		{"an id that was lost", []uint64{7, noFrameID, 9, 10}, []uint64{0, 1, 2, 3}},
		{"an id and frames that were lost", []uint64{7, noFrameID, 12}, []uint64{0, 1, 5}},
		{"the first id was lost", []uint64{noFrameID, 9, 10}, []uint64{0, 1, 2}},
	} {
		var k counter
		for i, id := range c.ids {
			if got := k.number(id, time.Duration(i), now); got != c.want[i] {
				t.Errorf("%s: id %d is frame %d; want %d", c.name, id, got, c.want[i])
			}
		}
	}
}

func TestTimeAwayIsCountedAtTheRateOfBefore(t *testing.T) {
	now := time.Now()
	var k counter
	k.lose()
	if k.away {
		t.Error("nothing is missing before the first frame")
	}
	for i := range 50 {
		at := time.Duration(i) * 10 * time.Millisecond
		if i < 40 {
			at -= 5 * time.Second // the strip stood between
		}
		k.number(uint64(100+i), at, now.Add(at))
	}
	k.lose()
	// Frame 49 came at 490 ms; a frame at 1,490 ms is a second later: 99 were missed.
	if got := k.number(1, 0, now.Add(1490*time.Millisecond)); got != 149 {
		t.Errorf("frame %d; want 149", got)
	}
	k.lose()
	if got := k.number(1, 0, now.Add(1491*time.Millisecond)); got != 151 {
		t.Errorf("frame %d; want 151, one missed at least", got)
	}
}

// pack writes pixels of some bits without gaps, lowest bit first.
func pack(pixels []uint16, bits int) []byte {
	b := make([]byte, (len(pixels)*bits+7)/8)
	for i, p := range pixels {
		for k := range bits {
			if p>>k&1 != 0 {
				at := i*bits + k
				b[at/8] |= 1 << (at % 8)
			}
		}
	}
	return b
}

func TestPixelsAreNarrowedToTheirUpperEightBits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, f := range pixelFormats {
		depth := f.bits
		switch f.name {
		case "Mono10":
			depth = 10
		case "Mono12":
			depth = 12
		}
		for _, n := range []int{1, 2, 3, 4, 5, 1000, 1001} {
			pixels := make([]uint16, n)
			for i := range pixels {
				pixels[i] = uint16(r.UintN(1 << depth))
			}
			b := pack(pixels, f.bits)
			if len(b) != f.bytes(n) {
				t.Fatalf("%s: %d pixels take %d bytes; bytes says %d", f.name, n, len(b), f.bytes(n))
			}
			if f.narrow != nil {
				f.narrow(b, n)
			}
			for i, p := range pixels {
				if b[i] != byte(p>>(depth-8)) {
					t.Fatalf("%s: pixel %d of %d, %d, became %d", f.name, i, n, p, b[i])
				}
			}
		}
	}
}

func TestHintsNameInterfaceAndSize(t *testing.T) {
	small := route{name: "enp3s0", mtu: 1500}
	if h := small.hints(1500); len(h) == 0 || h[0] != "interface enp3s0 carries packets of 1500 bytes; a jumbo MTU of 9000 would take a sixth of the packets" {
		t.Errorf("hints %q", h)
	}
	if err := small.checkPacketSize(9000); err == nil || err.Error() != "packet size 9000 is not possible; interface enp3s0 carries 576 to 1500 bytes, or 0 for automatic" {
		t.Errorf("it says %v", err)
	}
	for _, h := range (route{name: "enp3s0", mtu: 9000}).hints(8996) {
		if h[:6] != "the ke" {
			t.Errorf("hint %q", h)
		}
	}
}

func TestFeatureValuesAreReadAsTheirKindDemands(t *testing.T) {
	step := FeatureInfo{Kind: Integer, Bounded: true, Min: 16, Max: 2048, Increment: 16}
	if got := step.Allowed(); got != "16 to 2048 in steps of 16" {
		t.Errorf("allowed %q", got)
	}
	mode := FeatureInfo{Kind: Enumeration, Entries: []string{"Off", "On"}}
	for _, c := range []struct {
		f    FeatureInfo
		in   any
		want any
		ok   bool
	}{
		{step, 32, int64(32), true},
		{step, "0x20", int64(32), true},
		{step, 32.0, int64(32), true},
		{step, 33, nil, false},
		{step, 4096, nil, false},
		{mode, "On", "On", true},
		{mode, true, "On", true},
		{mode, "on", nil, false},
		{FeatureInfo{Kind: Float, Bounded: true, Min: 1, Max: 72000}, 90000, nil, false},
		{FeatureInfo{Kind: Float}, "1e3", 1000.0, true},
		{FeatureInfo{Kind: Float}, "NaN", nil, false},
		{FeatureInfo{Kind: Boolean}, "TRUE", true, true},
		{FeatureInfo{Kind: Boolean}, "maybe", nil, false},
		{FeatureInfo{Kind: Command}, true, nil, true},
		{FeatureInfo{Kind: Command}, "7", nil, false},
		{FeatureInfo{Kind: String}, 7, "7", true},
	} {
		got, ok := c.f.convert(c.in)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s %v became %v, %v", c.f.Kind, c.in, got, ok)
		}
	}
}
