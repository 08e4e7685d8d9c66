package replay

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
)

// fixCRC renews the checksum of a PNG chunk that begins with its type and ends with its checksum.
func fixCRC(chunk []byte) {
	n := len(chunk) - 4
	binary.BigEndian.PutUint32(chunk[n:], crc32.ChecksumIEEE(chunk[:n]))
}

// FuzzFolder replays a good picture followed by an arbitrary one: whatever it is, the spans stay
// contiguous and its length is accounted for.
func FuzzFolder(f *testing.F) {
	for _, name := range []string{"x.png", "x.jpg", "x.tif"} {
		b := encoded(f, name, ramp(16, 8))
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Add([]byte{})
	good := encoded(f, "x.png", ramp(16, 8))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		write(t, dir, "1.png", good)
		write(t, dir, "2.jpg", data)
		write(t, dir, "3.png", good)
		frames := replayAll(t, dir, Options{FrameLines: 64})
		checkContiguous(t, frames)
		if len(frames) < 3 || frames[0].to != 8 {
			t.Errorf("%d frames; want at least 3", len(frames))
		}
	})
}

// FuzzLineFile replays arbitrary bytes under an arbitrary header.
func FuzzLineFile(f *testing.F) {
	f.Add([]byte(`{"width":16,"lines":8,"first_count":0,"counts_per_line":1}`), make([]byte, 128))
	f.Add([]byte(`{"width":16,"lines":100000000,"counts_per_line":1048576}`), make([]byte, 40))
	f.Add([]byte(`{"width":16,"lines":1,"first_count":4611686018427387904,"counts_per_line":1}`), make([]byte, 16))
	f.Add([]byte(`{`), []byte{})
	good := encoded(f, "x.png", ramp(16, 8))
	f.Fuzz(func(t *testing.T, header, data []byte) {
		dir := t.TempDir()
		write(t, dir, "1.png", good)
		write(t, dir, "2.json", header)
		write(t, dir, "2.raw", data)
		if len(data) == 0 { // a file that is not there at all
			if err := os.Remove(filepath.Join(dir, "2.raw")); err != nil {
				t.Fatal(err)
			}
		}
		write(t, dir, "3.png", good)
		frames := replayAll(t, dir, Options{FrameLines: 64})
		for i, fr := range frames {
			if fr.to <= fr.from || (i > 0 && fr.from < frames[i-1].to) {
				t.Errorf("frame %d spans [%d, %d) behind %d", i, fr.from, fr.to, frames[max(0, i-1)].to)
			}
		}
	})
}
