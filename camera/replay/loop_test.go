package replay_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inspection"
)

// Line files have counts of their own, which go on when they begin again; frames come at the line rate.
func TestRecordingThatLoopsGoesOnAtItsRate(t *testing.T) {
	dir := t.TempDir()
	for n, name := range []string{"a.raw", "b.raw"} {
		w, err := replay.NewWriter(filepath.Join(dir, name), 16, inspection.EncoderCount(1000+100*n), 1)
		if err != nil {
			t.Fatal(err)
		}
		m := inspection.LineImage{Pix: make([]byte, 16*100), Width: 16, Height: 100, Stride: 16}
		if err := errors.Join(w.Write(m), w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	s, err := replay.Open(dir, replay.Options{FrameLines: 50, Loop: true, LineRate: 1000})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for n := range 10 {
		f, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := inspection.EncoderSpan{From: inspection.EncoderCount(1000 + 50*n), To: inspection.EncoderCount(1050 + 50*n)}
		if f.Span != want || f.ID != uint64(n) || f.Seam != (n%4 == 0) {
			t.Errorf("frame %d: id %d covers %v, seam %v; want %v, and a seam where the recording begins", n, f.ID, f.Span, f.Seam, want)
		}
		f.Release()
	}
	if took := time.Since(begun); took < 450*time.Millisecond || took > 2*time.Second {
		t.Errorf("500 lines of 1,000 a second took %v", took)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
