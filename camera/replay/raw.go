package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// Header describes a raw line file: NAME.raw holds Lines scan lines of Width bytes each and nothing
// else, NAME.json beside it holds this header. A file called lines.bin goes with lines.json alike.
type Header struct {
	Width int   `json:"width"` // pixels across, one byte each
	Lines int64 `json:"lines"`
	// FirstCount is the encoder count at which the first line begins. Without it the file goes on
	// where the one before ended.
	FirstCount *inspection.EncoderCount `json:"first_count,omitempty"`
	// CountsPerLine is the number of encoder counts one line covers.
	CountsPerLine inspection.EncoderCount `json:"counts_per_line"`
}

const (
	mostWidth  = 1 << 16     // twice the widest camera
	mostLines  = 100_000_000 // 50 km of strip at 0.5 mm
	mostCounts = 1 << 20     // for one line
	// mostCount leaves room for a file of the longest kind behind it.
	mostCount  = 1 << 62
	mostHeader = 1 << 16 // bytes of JSON
)

func (h Header) check() error {
	switch {
	case h.Width < 1 || h.Width > mostWidth:
		return fmt.Errorf("width %d is not possible; allowed are 1 to %d", h.Width, mostWidth)
	case h.Lines < 1 || h.Lines > mostLines:
		return fmt.Errorf("lines %d are not possible; allowed are 1 to %d", h.Lines, mostLines)
	case h.CountsPerLine < 1 || h.CountsPerLine > mostCounts:
		return fmt.Errorf("counts_per_line %d is not possible; allowed are 1 to %d", h.CountsPerLine, mostCounts)
	case h.FirstCount != nil && (*h.FirstCount < 0 || *h.FirstCount > mostCount):
		return fmt.Errorf("first_count %d is not possible; allowed are 0 to %d", *h.FirstCount, int64(mostCount))
	}
	return nil
}

func isRaw(name string) bool {
	return strings.EqualFold(filepath.Ext(name), ".raw") || name == "lines.bin"
}

func headerPath(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".json" }

// readHeader reads the header that goes with a raw line file.
func readHeader(path string) (Header, error) {
	var h Header
	name := filepath.Base(headerPath(path))
	f, err := os.Open(headerPath(path))
	if err != nil {
		return h, fmt.Errorf("line file %s has no header: %w", filepath.Base(path), err)
	}
	defer f.Close()
	d := json.NewDecoder(io.LimitReader(f, mostHeader))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return h, fmt.Errorf("header %s cannot be read: %w", name, err)
	}
	if err := h.check(); err != nil {
		return h, fmt.Errorf("header %s: %w", name, err)
	}
	return h, nil
}

// rawFile is a line file that was opened for reading.
type rawFile struct {
	file   *os.File
	header Header
	whole  int64 // lines that are there
}

// openRaw opens a line file whose header and size agree. The caller closes its file.
func openRaw(path string, width int) (*rawFile, error) {
	name := filepath.Base(path)
	h, err := readHeader(path)
	if err != nil {
		return nil, err
	}
	if width != 0 && h.Width != width {
		return nil, fmt.Errorf("line file %s is %d pixels wide; the coil's first is %d", name, h.Width, width)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("line file %s cannot be opened: %w", name, err)
	}
	info, err := f.Stat()
	want := int64(h.Width) * h.Lines
	switch {
	case err != nil:
		err = fmt.Errorf("line file %s cannot be read: %w", name, err)
	case info.Size() > want:
		err = fmt.Errorf("line file %s has %d bytes; its header says %d", name, info.Size(), want)
	case info.Size() < int64(h.Width):
		err = fmt.Errorf("line file %s has %d bytes; one line is %d", name, info.Size(), h.Width)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &rawFile{file: f, header: h, whole: info.Size() / int64(h.Width)}, nil
}

// Writer records scan lines to a raw line file. The header is written by Close: a file without one was
// not finished.
type Writer struct {
	path   string
	file   *os.File
	header Header
}

// NewWriter creates path, which must end in .raw, for lines of width pixels that cover counts encoder
// counts each, the first beginning at first. The caller must Close it.
func NewWriter(path string, width int, first, counts inspection.EncoderCount) (*Writer, error) {
	if !isRaw(filepath.Base(path)) {
		return nil, fmt.Errorf("line file %s: a name that ends in %q is not allowed; it must end in .raw", filepath.Base(path), filepath.Ext(path))
	}
	h := Header{Width: width, Lines: 1, FirstCount: &first, CountsPerLine: counts}
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("line file %s: %w", filepath.Base(path), err)
	}
	h.Lines = 0
	// A header left from before would describe lines that are no longer there.
	if err := os.Remove(headerPath(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("line file %s: %w", filepath.Base(path), err)
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("line file %s: %w", filepath.Base(path), err)
	}
	return &Writer{path: path, file: f, header: h}, nil
}

// Write appends the lines of m, which must continue those before.
func (w *Writer) Write(m inspection.LineImage) error {
	if m.Width != w.header.Width {
		return fmt.Errorf("line file %s: lines of %d pixels do not fit; its lines have %d", filepath.Base(w.path), m.Width, w.header.Width)
	}
	if m.Stride == m.Width { // a frame as it is: one call in place of one a line
		n, err := w.file.Write(m.Pix[:m.Width*m.Height])
		w.header.Lines += int64(n / m.Width)
		if err != nil {
			return fmt.Errorf("line file %s: %w", filepath.Base(w.path), err)
		}
		return nil
	}
	for y := range m.Height {
		if _, err := w.file.Write(m.Row(y)); err != nil {
			return fmt.Errorf("line file %s: %w", filepath.Base(w.path), err)
		}
		w.header.Lines++
	}
	return nil
}

// Close writes the header and closes the file. Without a line it is an error, and no header is left.
func (w *Writer) Close() error {
	name := filepath.Base(w.path)
	if err := errors.Join(w.file.Sync(), w.file.Close()); err != nil {
		return fmt.Errorf("line file %s: %w", name, err)
	}
	if err := w.header.check(); err != nil {
		return fmt.Errorf("line file %s: %w", name, err)
	}
	text, err := json.Marshal(w.header)
	if err != nil {
		return fmt.Errorf("line file %s: %w", name, err)
	}
	part := headerPath(w.path) + ".part"
	if err := os.WriteFile(part, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("line file %s: %w", name, err)
	}
	if err := os.Rename(part, headerPath(w.path)); err != nil {
		return fmt.Errorf("line file %s: %w", name, err)
	}
	return nil
}
