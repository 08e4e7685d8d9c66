package video

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coilsight/coilsight/inspection"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// movie is a second of 64 x 48 grey pictures, the n-th of which has the grey 16 + 8n.
func movie(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: make setup")
	}
	path := filepath.Join(t.TempDir(), "strip.mkv")
	cmd := exec.Command("ffmpeg", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "64x48", "-r", "20", "-i", "-", "-c:v", "ffv1", path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		pix := make([]byte, 64*48)
		for i := range pix {
			pix[i] = byte(16 + 8*n)
		}
		if _, err := in.Write(pix); err != nil {
			t.Fatal(err)
		}
	}
	_ = in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPicturesOfAFileComeAtItsRateAndFromItsBeginningAgain(t *testing.T) {
	s, err := Open(t.Context(), Options{Camera: "top", Input: movie(t)})
	if err != nil {
		t.Fatal(err)
	}
	if w, h := s.Size(); w != 64 || h != 48 {
		t.Errorf("pictures of %d x %d, want 64 x 48", w, h)
	}
	begun := time.Now()
	for n := range 30 {
		f, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := byte(16 + 8*(n%20)); f.Image.Row(47)[63] != want {
			t.Errorf("picture %d has grey %d, want %d", n, f.Image.Row(47)[63], want)
		}
		if f.ID != uint64(n) || !f.Seam || f.Span.From != inspection.EncoderCount(48*n) || f.Span.Len() != 48 {
			t.Errorf("picture %d: id %d, seam %v, span %v", n, f.ID, f.Seam, f.Span)
		}
		f.Release()
	}
	if took := time.Since(begun); took < time.Second || took > 4*time.Second {
		t.Errorf("30 pictures of 20 a second took %v", took)
	}
	if s.Failing() != "" {
		t.Errorf("it says %q", s.Failing())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("after Close: %v", err)
	}
}

func TestPicturesForWhichNoBufferIsFreeAreCounted(t *testing.T) {
	s, err := Open(t.Context(), Options{Camera: "top", Input: movie(t), Buffers: 2})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); s.Lost() < 3 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	a.Release()
	b.Release()
	f, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.ID < 5 || s.Lost() < 3 {
		t.Errorf("the next picture has id %d and %d were lost; want a jump", f.ID, s.Lost())
	}
	f.Release()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestInputWithoutPicturesIsNamed(t *testing.T) {
	_ = movie(t)
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte("no video"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, input := range []string{"/nowhere/strip.mp4", text, "rtsp://127.0.0.1:1/strip"} {
		_, err := Open(t.Context(), Options{Camera: "top", Input: input})
		if err == nil || !strings.HasPrefix(err.Error(), "camera top: "+input+" gives no pictures: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", input, err)
		}
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Open(ended, Options{Input: text}); err == nil {
		t.Error("an ended context opens it all the same")
	}
}
