package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// tape is where the reader is.
type tape struct {
	*Source
	id    uint64
	count inspection.EncoderCount
	// raw tells that the file before was a line file read to its end: what continues its counts
	// continues its picture.
	raw bool
	// behind is how many counts lie before the files, read for the second time and on.
	behind inspection.EncoderCount
}

// read turns files into frames until all are read or ctx ends.
func (s *Source) read(ctx context.Context) {
	defer close(s.items)
	t := &tape{Source: s, count: s.first}
	for again := true; again; again = s.o.Loop {
		t.raw, t.behind = false, t.count-s.first
		for _, path := range s.files {
			var err error
			if isRaw(filepath.Base(path)) {
				err = t.lineFile(ctx, path)
			} else {
				err = t.picture(ctx, path)
			}
			if err != nil { // ctx has ended
				return
			}
		}
	}
}

// picture hands on one picture in frames of at most FrameLines lines.
func (t *tape) picture(ctx context.Context, path string) error {
	t.raw = false
	pix, w, h, err := ReadPicture(path)
	if err == nil && w != t.width {
		err = fmt.Errorf("picture %s is %d pixels wide; the coil's first is %d", filepath.Base(path), w, t.width)
	}
	if err != nil {
		return t.incomplete(ctx, inspection.EncoderCount(t.lines), err)
	}
	for y := 0; y < h; y += t.o.FrameLines {
		n := min(t.o.FrameLines, h-y)
		f, err := t.frame(ctx, n, inspection.EncoderCount(n))
		if err != nil {
			return err
		}
		f.Seam = y == 0
		copy(f.Image.Pix, pix[y*w:(y+n)*w])
		t.send(f, y+n == h)
	}
	return nil
}

// incomplete hands on a frame in place of strip that could not be read.
func (t *tape) incomplete(ctx context.Context, counts inspection.EncoderCount, cause error) error {
	f, err := t.frame(ctx, int(min(counts, inspection.EncoderCount(t.lines), inspection.EncoderCount(t.o.FrameLines))), counts)
	if err != nil {
		return err
	}
	clear(f.Image.Pix)
	f.Seam, f.Status, f.Cause = true, camera.Incomplete, cause.Error()
	t.raw = false
	t.send(f, true)
	return nil
}

// frame waits for a buffer and numbers it.
func (t *tape) frame(ctx context.Context, lines int, counts inspection.EncoderCount) (*camera.Frame, error) {
	f, err := t.pool.Wait(ctx)
	if err != nil {
		return nil, err
	}
	if !f.Fit(t.width, lines) {
		panic("replay: a frame larger than its buffer")
	}
	f.ID, f.Span, f.Arrived = t.id, inspection.EncoderSpan{From: t.count, To: t.count + counts}, time.Now()
	t.id++
	t.count += counts
	return f, nil
}

func (t *tape) send(f *camera.Frame, last bool) { t.items <- item{f, last} }

// lineFile hands on one raw line file. Of one cut short, what is there is whole.
func (t *tape) lineFile(ctx context.Context, path string) error {
	name := filepath.Base(path)
	r, err := openRaw(path, t.width)
	if err != nil {
		return t.incomplete(ctx, inspection.EncoderCount(t.lines), err)
	}
	defer r.file.Close()
	h := r.header
	seam := !t.raw
	if h.FirstCount != nil {
		first := *h.FirstCount + t.behind
		if first < t.count {
			return t.incomplete(ctx, inspection.EncoderCount(t.lines), fmt.Errorf(
				"line file %s begins at encoder count %d; the files before end at %d", name, *h.FirstCount, t.count-t.behind))
		}
		// A jump is strip that was not recorded; whoever follows the spans sees it.
		seam = seam || first > t.count
		t.count = first
	}
	for y := int64(0); y < r.whole; {
		n := min(int64(t.o.FrameLines), r.whole-y)
		f, err := t.frame(ctx, int(n), inspection.EncoderCount(n)*h.CountsPerLine)
		if err != nil {
			return err
		}
		f.Seam = seam && y == 0
		y += n
		if _, err := io.ReadFull(r.file, f.Image.Pix); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			f.Status, f.Cause = camera.Incomplete, fmt.Sprintf("line file %s cannot be read: %v", name, err)
		}
		t.send(f, y == h.Lines)
	}
	t.raw = true
	if r.whole < h.Lines {
		return t.incomplete(ctx, inspection.EncoderCount(h.Lines-r.whole)*h.CountsPerLine,
			fmt.Errorf("line file %s is truncated: %d of %d lines are there", name, r.whole, h.Lines))
	}
	return nil
}
