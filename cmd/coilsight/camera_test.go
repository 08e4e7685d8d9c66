package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/genicam"
	"github.com/coilsight/coilsight/camera/genicam/fake"
	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inspection"
)

// cameraAddress is this package's: a control port is one an address, and packages are tested at once.
const cameraAddress = "127.0.0.3"

func fakeCamera(t *testing.T, serial string, lost int) {
	t.Helper()
	if fake.Absent() {
		t.Skip("arv-fake-gv-camera-0.8 is not installed (Debian: aravis-tools)")
	}
	c, err := fake.Start(cameraAddress, serial, lost)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
}

func TestCameraIsListedShownSetAndGrabbed(t *testing.T) {
	fakeCamera(t, "CLI1", 0)
	code, stdout, stderr := command(t, "camera", "list", "--json")
	var list []genicam.Device
	if err := json.Unmarshal([]byte(stdout), &list); code != exitDone || err != nil {
		t.Fatalf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	if !slices.ContainsFunc(list, func(d genicam.Device) bool {
		return d.Serial == "CLI1" && d.Address == cameraAddress && d.Reachable
	}) {
		t.Errorf("list %+v", list)
	}
	if _, stdout, _ = command(t, "camera", "list"); !strings.Contains(stdout, "Aravis-Fake-CLI1") {
		t.Errorf("list %q", stdout)
	}

	code, stdout, stderr = command(t, "camera", "set", "CLI1", "Width=640", "Height=200", "ExposureTimeAbs=10000", "AcquisitionFrameRate=50")
	if code != exitDone || !strings.Contains(stdout, "Width 640\nHeight 200\n") {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = command(t, "camera", "show", cameraAddress)
	if code != exitDone || !strings.Contains(stdout, "640  ") || !strings.Contains(stdout, "1 to 2048") || !strings.Contains(stdout, "ImageFormatControl") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	code, stdout, _ = command(t, "camera", "show", cameraAddress, "Height", "--json")
	var shown struct{ Features []genicam.FeatureInfo }
	if err := json.Unmarshal([]byte(stdout), &shown); code != exitDone || err != nil || len(shown.Features) != 1 || shown.Features[0].Value != 200.0 {
		t.Errorf("exit code %d, %v: %s", code, err, stdout)
	}

	path := filepath.Join(t.TempDir(), "picture.png")
	if code, stdout, stderr = command(t, "camera", "grab", cameraAddress, "--out", path); code != exitDone {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	g, ok := m.(*image.Gray)
	if !ok || g.Rect.Dx() != 640 || g.Rect.Dy() != 200 || int(g.Pix[g.Stride+1]) != (int(g.Pix[0])+2)%255 {
		t.Errorf("picture %T of %v", m, m.Bounds())
	}
}

func TestCameraMistakesAreToldInOneSentence(t *testing.T) {
	fakeCamera(t, "CLI2", 0)
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitMisused, "camera needs list, show, set, grab or record", nil},
		{exitMisused, `"Width" is not a setting; allowed is FEATURE=VALUE`, []string{"set", cameraAddress, "Width"}},
		{exitMisused, "requires at least 2 arg(s)", []string{"set", cameraAddress}},
		{exitMisused, "requires at least 1 arg(s)", []string{"show"}},
		{exitMisused, `required flag(s) "out", "seconds" not set`, []string{"record", cameraAddress}},
		{exitMisused, "--seconds -1 is not possible", []string{"record", cameraAddress, "--seconds", "-1", "--out", full}},
		{exitMisused, "is not a setting", []string{"grab", cameraAddress, "--set", "=3"}},
		{exitMisused, "it must be empty", []string{"record", cameraAddress, "--seconds", "1", "--out", full}},
		{exitFailed, "camera 127.0.0.3: Width 90000 is not possible; allowed are 1 to 2048", []string{"set", cameraAddress, "Width=90000"}},
		{exitFailed, "camera 127.0.0.3: it has no feature LineRate", []string{"show", cameraAddress, "LineRate"}},
		{exitFailed, "camera 127.0.0.99: at 127.0.0.99 is no camera", []string{"show", "127.0.0.99"}},
		{exitFailed, `camera CLI9: "CLI9" is not there; found are `, []string{"show", "CLI9"}},
		{exitFailed, "no whole frame came within 1µs", []string{"grab", cameraAddress, "--within", "1us", "--set", "AcquisitionFrameRate=1", "--out", filepath.Join(t.TempDir(), "p.png")}},
	} {
		code, _, stderr := command(t, append([]string{"camera"}, c.args...)...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if last := lines[len(lines)-1]; code != c.code || !strings.HasPrefix(last, "coilsight: ") || !strings.Contains(last, c.want) {
			t.Errorf("%v: exit code %d, %q; want %d and %q", c.args, code, stderr, c.code, c.want)
		}
	}
}

// tee keeps what passes.
type tee struct {
	*genicam.Source
	spans []inspection.EncoderSpan
	pix   [][]byte
}

func (s *tee) Next(ctx context.Context) (*camera.Frame, error) {
	f, err := s.Source.Next(ctx)
	if err == nil && f.Status == camera.Complete {
		s.spans = append(s.spans, f.Span)
		s.pix = append(s.pix, bytes.Clone(f.Image.Pix))
	}
	return f, err
}

func TestRecordingReplaysBitForBit(t *testing.T) {
	fakeCamera(t, "CLI3", 2)
	source, err := genicam.Open(t.Context(), genicam.Options{Camera: "top", Address: cameraAddress, NoResend: true, Features: []genicam.Feature{
		{Name: "Width", Value: 512}, {Name: "Height", Value: 256}, {Name: "AcquisitionFrameRate", Value: 100}, {Name: "ExposureTimeAbs", Value: 10000},
	}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := replay.NewRecorder(dir)
	seen := &tee{Source: source}
	if err := errors.Join(record(t.Context(), seen, r, 2*time.Second), r.Close(), source.Close()); err != nil {
		t.Fatal(err)
	}
	if r.Incomplete == 0 || r.Jumps == 0 || len(seen.pix) < 50 || r.Frames != int64(len(seen.pix)) {
		t.Fatalf("recorded %+v of %d frames; some should have lost packets", r, len(seen.pix))
	}
	back, err := replay.Open(dir, replay.Options{FrameLines: 256})
	if err != nil {
		t.Fatal(err)
	}
	for i := range seen.pix {
		f, err := back.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f.Span != seen.spans[i] || !bytes.Equal(f.Image.Pix, seen.pix[i]) || f.Status != camera.Complete {
			t.Fatalf("frame %d covers %+v, %v; recorded was %+v", i, f.Span, f.Status, seen.spans[i])
		}
		f.Release()
	}
	if _, err := back.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("after the last frame: %v", err)
	}
	if err := back.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d frames in %d files, %d incomplete, %d jumps", r.Frames, r.Files, r.Incomplete, r.Jumps)
}

func TestCameraIsRecordedAndReplayedAsACoil(t *testing.T) {
	fakeCamera(t, "CLI4", 0)
	dir := filepath.Join(t.TempDir(), "strip")
	code, stdout, stderr := command(t, "camera", "record", cameraAddress, "--seconds", "1", "--out", dir, "--json",
		"--set", "Width=512", "--set", "Height=256", "--set", "AcquisitionFrameRate=20")
	var info recordInfo
	if err := json.Unmarshal([]byte(stdout), &info); code != exitDone || err != nil {
		t.Fatalf("exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	if info.Frames < 10 || info.Lines != info.Frames*256 || info.Files != 1 || info.Incomplete != 0 || info.Stats.Lost != 0 {
		t.Errorf("recorded %+v", info)
	}
	if !strings.Contains(stderr, "hint: ") {
		t.Errorf("no hint on small packets: %q", stderr)
	}
	code, stdout, stderr = command(t, "replay", "--coil", "A1", "--data", t.TempDir(), dir)
	if code != exitDone || !strings.Contains(stdout, "coil A1: grade") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}
