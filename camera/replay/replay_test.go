package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/image/tiff"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ramp is a picture whose pixels tell where they come from.
func ramp(width, height int) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = byte(i%width + 3*(i/width))
	}
	return m
}

func write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func encoded(t testing.TB, name string, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch filepath.Ext(name) {
	case ".png":
		err = png.Encode(&b, m)
	case ".jpg":
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	case ".tif":
		err = tiff.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// seen is what a test keeps of a frame.
type seen struct {
	id       uint64
	from, to inspection.EncoderCount
	w, h     int
	seam     bool
	status   camera.Status
	cause    string
	pix      []byte
}

// replayAll opens a folder, takes every frame and closes the source.
func replayAll(t testing.TB, dir string, o Options) []seen {
	t.Helper()
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	out := drain(t, s)
	if done, total := s.Progress(); done != total {
		t.Errorf("progress ends at %d of %d files", done, total)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func drain(t testing.TB, s *Source) []seen {
	t.Helper()
	var out []seen
	for {
		f, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, seen{
			f.ID, f.Span.From, f.Span.To, f.Image.Width, f.Image.Height, f.Seam, f.Status, f.Cause, bytes.Clone(f.Image.Pix),
		})
		f.Release()
	}
}

// checkContiguous fails where a frame does not continue the one before.
func checkContiguous(t *testing.T, frames []seen) {
	t.Helper()
	for i, f := range frames {
		if f.id != uint64(i) {
			t.Errorf("frame %d has id %d", i, f.id)
		}
		if i > 0 && f.from != frames[i-1].to {
			t.Errorf("frame %d begins at count %d; the one before ended at %d", i, f.from, frames[i-1].to)
		}
	}
}

func TestPicturesAreOneStripWithSeams(t *testing.T) {
	dir := t.TempDir()
	m := ramp(40, 70)
	for _, name := range []string{"c.tif", "a.png", "b.jpg"} {
		write(t, dir, name, encoded(t, name, m))
	}
	write(t, dir, "notes.txt", []byte("no picture"))
	write(t, dir, ".hidden.png", []byte("no picture"))
	if err := os.Mkdir(filepath.Join(dir, "d.png"), 0o755); err != nil {
		t.Fatal(err)
	}
	frames := replayAll(t, dir, Options{FrameLines: 32, Buffers: 2})
	checkContiguous(t, frames)
	heights := []int{32, 32, 6, 32, 32, 6, 32, 32, 6}
	if len(frames) != len(heights) {
		t.Fatalf("%d frames, want %d", len(frames), len(heights))
	}
	for i, f := range frames {
		if f.h != heights[i] || f.w != 40 || f.seam != (i%3 == 0) || f.status != camera.Complete {
			t.Errorf("frame %d is %d x %d, seam %v, status %v", i, f.w, f.h, f.seam, f.status)
		}
		want := m.Pix[i%3*32*40:][:f.h*40]
		for j, p := range f.pix {
			if d := int(p) - int(want[j]); d < -3 || d > 3 || (d != 0 && i/3 != 1) {
				t.Fatalf("frame %d pixel %d is %d, want %d", i, j, p, want[j])
			}
		}
	}
}

func TestGreyKeepsWhatThePictureSays(t *testing.T) {
	sixteen := image.NewGray16(image.Rect(0, 0, 2, 1))
	sixteen.SetGray16(0, 0, color.Gray16{Y: 65535})
	sixteen.SetGray16(1, 0, color.Gray16{Y: 128 * 257})
	colour := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	colour.SetNRGBA(0, 0, color.NRGBA{R: 90, G: 90, B: 90, A: 255})
	palette := image.NewPaletted(image.Rect(0, 0, 2, 1), color.Palette{color.Gray{Y: 7}, color.Gray{Y: 201}})
	palette.SetColorIndex(1, 0, 1)
	for name, c := range map[string]struct {
		m    image.Image
		want [2]byte
	}{
		"sixteen.png": {sixteen, [2]byte{255, 128}},
		"sixteen.tif": {sixteen, [2]byte{255, 128}},
		"colour.png":  {colour, [2]byte{90, 0}},
		"palette.png": {palette, [2]byte{7, 201}},
	} {
		dir := t.TempDir()
		write(t, dir, name, encoded(t, name, c.m))
		pix, w, h, err := ReadPicture(filepath.Join(dir, name))
		if err != nil || w != 2 || h != 1 || !bytes.Equal(pix, c.want[:]) {
			t.Errorf("%s: %v, %d x %d, %v; want %v", name, pix, w, h, err, c.want)
		}
	}
}

func TestUnreadablePictureIsAnIncompleteFrame(t *testing.T) {
	good := encoded(t, "x.jpg", ramp(64, 48))
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"b.jpg", good[:len(good)/2], "picture b.jpg cannot be read: invalid JPEG format"},
		{"b.jpg", good[:len(good)-2], "picture b.jpg is truncated: unexpected EOF"},
		{"b.png", encoded(t, "x.png", ramp(64, 48))[:90], "picture b.png is truncated"},
		{"b.png", nil, "picture b.png is neither JPEG, PNG nor TIFF"},
		{"b.png", []byte("hello"), "picture b.png is neither JPEG, PNG nor TIFF"},
		{"b.png", encoded(t, "x.png", ramp(65, 48)), "picture b.png is 65 pixels wide; the coil's first is 64"},
		{"b.png", bomb(t, 30_000, 30_000), "picture b.png has 30000 x 30000 pixels; allowed are 1 to 200000000 in all"},
		{"b.raw", make([]byte, 640), "line file b.raw has no header"},
	} {
		t.Run(c.want, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "a.jpg", good)
			write(t, dir, c.name, c.data)
			write(t, dir, "c.jpg", good)
			frames := replayAll(t, dir, Options{})
			checkContiguous(t, frames)
			if len(frames) != 3 {
				t.Fatalf("%d frames, want 3", len(frames))
			}
			f := frames[1]
			if f.status != camera.Incomplete || !strings.HasPrefix(f.cause, c.want) {
				t.Errorf("status %v, cause %q; want it to begin with %q", f.status, f.cause, c.want)
			}
			if f.to-f.from != 48 || !f.seam || !frames[2].seam || frames[2].status != camera.Complete {
				t.Errorf("the frame spans %d counts, seams %v and %v; want 48, true, true", f.to-f.from, f.seam, frames[2].seam)
			}
			if bytes.ContainsFunc(f.pix, func(r rune) bool { return r != 0 }) {
				t.Error("pixels of an earlier frame are left in the incomplete one")
			}
		})
	}
}

// bomb is a PNG that claims a size in a few bytes.
func bomb(t *testing.T, width, height uint32) []byte {
	t.Helper()
	b := encoded(t, "x.png", ramp(8, 8))
	copy(b[16:], []byte{byte(width >> 24), byte(width >> 16), byte(width >> 8), byte(width)})
	copy(b[20:], []byte{byte(height >> 24), byte(height >> 16), byte(height >> 8), byte(height)})
	fixCRC(b[12:33])
	return b
}

func TestUnreadableFirstPictureDoesNotStopTheReplay(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.jpg", []byte("no picture"))
	write(t, dir, "b.png", encoded(t, "b.png", ramp(30, 20)))
	frames := replayAll(t, dir, Options{})
	checkContiguous(t, frames)
	if len(frames) != 2 || frames[0].status != camera.Incomplete || frames[0].to != 20 || frames[1].status != camera.Complete {
		t.Errorf("frames are %+v", frames)
	}
}

func TestFolderWithNothingToReplayIsRefused(t *testing.T) {
	broken := t.TempDir()
	write(t, broken, "a.jpg", []byte("no picture"))
	write(t, broken, "b.png", nil)
	file := filepath.Join(t.TempDir(), "file")
	write(t, filepath.Dir(file), "file", nil)
	for _, c := range []struct{ dir, want string }{
		{t.TempDir(), "holds no pictures; allowed are .jpg"},
		{broken, "none of the 2 pictures"},
		{filepath.Join(broken, "none"), "cannot be read"},
		{file, "cannot be read"},
	} {
		if _, err := Open(c.dir, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.dir, err, c.want)
		}
	}
}

func TestRecordedLinesComeBackWithTheirCounts(t *testing.T) {
	dir := t.TempDir()
	record := func(name string, first inspection.EncoderCount, m *image.Gray) {
		t.Helper()
		w, err := NewWriter(filepath.Join(dir, name), m.Rect.Dx(), first, 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(inspection.LineImage{Pix: m.Pix, Width: m.Rect.Dx(), Height: m.Rect.Dy(), Stride: m.Stride}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	m := ramp(50, 25)
	record("1.raw", 1000, m)
	record("2.raw", 1050, m) // continues
	record("3.raw", 2000, m) // 900 counts were not recorded
	frames := replayAll(t, dir, Options{FrameLines: 10})
	want := []seen{
		{from: 1000, to: 1020, h: 10, seam: true},
		{from: 1020, to: 1040, h: 10},
		{from: 1040, to: 1050, h: 5},
		{from: 1050, to: 1070, h: 10},
		{from: 1070, to: 1090, h: 10},
		{from: 1090, to: 1100, h: 5},
		{from: 2000, to: 2020, h: 10, seam: true},
		{from: 2020, to: 2040, h: 10},
		{from: 2040, to: 2050, h: 5},
	}
	if len(frames) != len(want) {
		t.Fatalf("%d frames, want %d", len(frames), len(want))
	}
	for i, f := range frames {
		w := want[i]
		if f.from != w.from || f.to != w.to || f.h != w.h || f.seam != w.seam || f.status != camera.Complete {
			t.Errorf("frame %d: [%d, %d), %d lines, seam %v; want %+v", i, f.from, f.to, f.h, f.seam, w)
		}
		if !bytes.Equal(f.pix, m.Pix[i%3*10*50:][:f.h*50]) {
			t.Errorf("frame %d has other pixels than were recorded", i)
		}
	}
}

func TestDamagedLineFileIsAccountedFor(t *testing.T) {
	header := func(text string) func(string) string { return func(string) string { return text } }
	for _, c := range []struct {
		name   string
		bytes  int
		header func(string) string
		want   string
		counts []inspection.EncoderCount
	}{
		{"cut short", 95, nil, "line file 2.raw is truncated: 9 of 20 lines are there", []inspection.EncoderCount{20, 9, 11}},
		{"too long", 201, nil, "line file 2.raw has 201 bytes; its header says 200", []inspection.EncoderCount{20, 20}},
		{"less than a line", 9, nil, "line file 2.raw has 9 bytes; one line is 10", []inspection.EncoderCount{20, 20}},
		{"counts run back", 200, header(`{"width":10,"lines":20,"first_count":5,"counts_per_line":1}`), "line file 2.raw begins at encoder count 5; the files before end at 20", []inspection.EncoderCount{20, 20}},
		{"typo", 200, header(`{"widht":10,"lines":20,"counts_per_line":1}`), `header 2.json cannot be read: json: unknown field "widht"`, []inspection.EncoderCount{20, 20}},
		{"no width", 200, header(`{"lines":20,"counts_per_line":1}`), "header 2.json: width 0 is not possible; allowed are 1 to 65536", []inspection.EncoderCount{20, 20}},
		{"no scale", 200, header(`{"width":10,"lines":20}`), "header 2.json: counts_per_line 0 is not possible; allowed are 1 to 1048576", []inspection.EncoderCount{20, 20}},
		{"other width", 200, header(`{"width":20,"lines":10,"counts_per_line":1}`), "line file 2.raw is 20 pixels wide; the coil's first is 10", []inspection.EncoderCount{20, 20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			good := `{"width":10,"lines":20,"counts_per_line":1}`
			write(t, dir, "1.raw", make([]byte, 200))
			write(t, dir, "1.json", []byte(good))
			write(t, dir, "2.raw", make([]byte, c.bytes))
			if c.header != nil {
				good = c.header(good)
			}
			write(t, dir, "2.json", []byte(good))
			frames := replayAll(t, dir, Options{})
			checkContiguous(t, frames)
			var counts []inspection.EncoderCount
			for _, f := range frames {
				counts = append(counts, f.to-f.from)
			}
			last := frames[len(frames)-1]
			if fmt.Sprint(counts) != fmt.Sprint(c.counts) || last.status != camera.Incomplete || last.cause != c.want {
				t.Errorf("spans of %v counts, then status %v, cause %q; want %v, %q", counts, last.status, last.cause, c.counts, c.want)
			}
		})
	}
}

func TestWriterRefusesWhatCannotBeReadBack(t *testing.T) {
	dir := t.TempDir()
	if _, err := NewWriter(filepath.Join(dir, "a.png"), 10, 0, 1); err == nil {
		t.Error("a name that the reader passes over is accepted")
	}
	if _, err := NewWriter(filepath.Join(dir, "a.raw"), 0, 0, 1); err == nil {
		t.Error("lines without pixels are accepted")
	}
	w, err := NewWriter(filepath.Join(dir, "a.raw"), 10, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(inspection.LineImage{Pix: make([]byte, 9), Width: 9, Height: 1, Stride: 9}); err == nil {
		t.Error("a line of another width is accepted")
	}
	if err := w.Close(); err == nil {
		t.Error("a recording without lines is closed as if it were one")
	}
	if _, err := os.Stat(filepath.Join(dir, "a.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty recording left a header: %v", err)
	}
}

func TestSourceClosesInTheMiddle(t *testing.T) {
	dir := t.TempDir()
	for i := range 20 {
		write(t, dir, fmt.Sprintf("%02d.png", i), encoded(t, "x.png", ramp(64, 64)))
	}
	s, err := Open(dir, Options{Buffers: 2})
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err == nil {
		t.Error("the source closed under a lent frame")
	}
	f.Release()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx); !errors.Is(err, io.EOF) && !errors.Is(err, context.Canceled) {
		t.Errorf("a closed source gives %v", err)
	}
}
