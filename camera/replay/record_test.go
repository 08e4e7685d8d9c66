package replay

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

func TestRecorderKeepsLinesAndCountsAndLeavesGaps(t *testing.T) {
	pool, err := camera.NewPool("top", 1, 64*8)
	if err != nil {
		t.Fatal(err)
	}
	frame := func(id uint64, counts inspection.EncoderCount, status camera.Status) *camera.Frame {
		f := pool.Get()
		f.Fit(64, 8)
		for i := range f.Image.Pix {
			f.Image.Pix[i] = byte(uint64(i) * (id + 3))
		}
		from := inspection.EncoderCount(id) * counts
		f.ID, f.Span, f.Status = id, inspection.EncoderSpan{From: from, To: from + counts}, status
		return f
	}
	dir := t.TempDir()
	r := NewRecorder(dir)
	// Frame 2 is incomplete, frames 4 and 5 are lost.
	for _, id := range []uint64{0, 1, 2, 3, 6} {
		status := camera.Complete
		if id == 2 {
			status = camera.Incomplete
		}
		f := frame(id, 16, status)
		if err := r.Add(f); err != nil {
			t.Fatal(err)
		}
		f.Release()
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	if r.Files != 3 || r.Frames != 4 || r.Lines != 32 || r.Incomplete != 1 || r.Jumps != 2 {
		t.Errorf("recorded %+v", r)
	}
	back, err := Open(dir, Options{FrameLines: 8})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []uint64{0, 1, 3, 6} {
		f, err := back.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := frame(id, 16, camera.Complete)
		if f.Span != want.Span || !bytes.Equal(f.Image.Pix, want.Image.Pix) {
			t.Errorf("frame %d covers %+v", id, f.Span)
		}
		want.Release()
		f.Release()
	}
	if _, err := back.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("after the last: %v", err)
	}

	f := frame(9, 12, camera.Complete) // 12 counts do not divide among 8 lines
	if err := r.Add(f); err == nil {
		t.Error("half a count a line was recorded")
	}
	f.Release()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	f = frame(10, 16, camera.Complete)
	if err := r.Add(f); err == nil {
		t.Error("a folder that is gone was written to")
	}
	f.Release()
	if err := errors.Join(back.Close(), pool.Close()); err != nil {
		t.Error(err)
	}
}
