package replay

import (
	"fmt"
	"path/filepath"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// fileBytes is where a recording begins its next file: what a crash can leave without a header.
const fileBytes = 1 << 30

// Recorder writes a camera's frames as raw line files that Open replays bit for bit, encoder counts
// included. A frame that is Incomplete is left out; it and what was lost before a frame are a jump of the
// counts, as they were. A Recorder is for one goroutine.
type Recorder struct {
	dir   string
	file  *Writer
	bytes int64
	next  inspection.EncoderCount

	Files             int
	Frames, Lines     int64
	Incomplete, Jumps int64 // frames left out; places where counts are missing
}

// NewRecorder records into an existing folder. The caller must Close the recorder.
func NewRecorder(dir string) *Recorder { return &Recorder{dir: dir} }

// Add writes a frame, which stays the caller's. Its span must hold a whole number of encoder counts a
// line.
func (r *Recorder) Add(f *camera.Frame) error {
	if f.Status != camera.Complete {
		r.Incomplete++
		return nil
	}
	lines := inspection.EncoderCount(f.Image.Height)
	counts := f.Span.Len() / lines
	if counts < 1 || counts*lines != f.Span.Len() {
		return fmt.Errorf("frame %d of camera %s has %d lines for %d encoder counts", f.ID, f.Camera, lines, f.Span.Len())
	}
	jump := r.Frames > 0 && f.Span.From != r.next
	if jump {
		r.Jumps++
	}
	if r.file != nil && (jump || f.Image.Width != r.file.header.Width || counts != r.file.header.CountsPerLine || r.bytes >= fileBytes) {
		if err := r.Close(); err != nil {
			return err
		}
	}
	if r.file == nil {
		var err error
		path := filepath.Join(r.dir, fmt.Sprintf("lines-%06d.raw", r.Files+1))
		if r.file, err = NewWriter(path, f.Image.Width, f.Span.From, counts); err != nil {
			return err
		}
		r.Files++
		r.bytes = 0
	}
	if err := r.file.Write(f.Image); err != nil {
		return err
	}
	r.Frames++
	r.Lines += int64(lines)
	r.bytes += int64(f.Image.Width) * int64(lines)
	r.next = f.Span.To
	return nil
}

// Close finishes the file that is open.
func (r *Recorder) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}
