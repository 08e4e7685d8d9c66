package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// strip writes a picture of grey strip with a dark spot.
func strip(t *testing.T, path string, width int) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, width, 256))
	for y := range 256 {
		for x := range width {
			m.SetGray(x, y, color.Gray{uint8(120 + (x*7+y*13+x*y%11)%5)})
		}
	}
	for y := 100; y < 124; y++ {
		for x := 300; x < 330; x++ {
			m.SetGray(x, y, color.Gray{30})
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

func TestMisuseIsToldInOneSentenceAndExitsWithTwo(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{},
		{"nonsense"},
		{"run", "extra"},
		{"run", "--nonsense"},
		{"replay", dir},
		{"replay", "--coil", "A"},
		{"replay", "--coil", "A", "--side", "left", dir},
		{"replay", "--coil", "A", "--width-mm", "-1", dir},
		{"inspect"},
		{"classify"},
		{"config"},
		{"config", "check"},
		{"bench", "extra"},
		{"evaluate"},
		{"dataset", "simulate"},
		{"simulate"},
	} {
		code, _, stderr := command(t, args...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if code != exitMisused || !strings.HasPrefix(lines[len(lines)-1], "coilsight: ") {
			t.Errorf("%v: exit code %d, %q; want 2 and a sentence", args, code, stderr)
		}
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	root := rootCommand()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			continue
		}
		code, out, _ := command(t, c.Name(), "--help")
		if code != exitDone || !strings.Contains(out, "Examples:") {
			t.Errorf("%s --help: exit code %d, no example in %q", c.Name(), code, out)
		}
	}
}

func TestFailureNamesWhatIsInTheWay(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.jpg")
	if err := os.WriteFile(text, []byte("not a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	typo := filepath.Join(dir, "c.yaml")
	if err := os.WriteFile(typo, []byte("lisen: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		want string
		args []string
	}{
		{"notes.jpg", []string{"inspect", text}},
		{"notes.jpg", []string{"classify", text}},
		{`"lisen" is not known`, []string{"run", "--config", typo}},
		{`"lisen" is not known`, []string{"config", "check", typo}},
		{"empty holds no pictures", []string{"replay", "--coil", "A", "--data", filepath.Join(dir, "d"), empty}},
		{"notes.jpg is a file", []string{"replay", "--coil", "A", "--data", filepath.Join(dir, "d"), text}},
		{taken.Addr().String(), []string{"run", "--data", filepath.Join(dir, "d"), "--listen", taken.Addr().String()}},
		{"notes.jpg", []string{"run", "--data", text, "--listen", "127.0.0.1:0"}},
	} {
		code, _, stderr := command(t, c.args...)
		if code != exitFailed || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d, %q; want 1 and %q", c.args, code, stderr, c.want)
		}
	}
}

func TestReplayRecordsACoilOnce(t *testing.T) {
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	strip(t, filepath.Join(dir, "1.png"), 640)
	strip(t, filepath.Join(dir, "2.png"), 640)
	if err := os.WriteFile(filepath.Join(dir, "3.png"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	strip(t, filepath.Join(dir, "4.png"), 320) // another size: a gap too
	code, stdout, stderr := command(t, "replay", "--json", "--coil", "A1", "--data", data, dir)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var r struct {
		Coil struct {
			State  string
			Grade  string
			Counts struct{ Defects int }
			Strip  struct {
				Length float64 `json:"length_mm"`
			}
		}
		Gaps []struct {
			From  float64 `json:"from_mm"`
			To    float64 `json:"to_mm"`
			Cause string
		}
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Coil.State != "closed" || r.Coil.Grade == "" || r.Coil.Strip.Length != 512 || r.Coil.Counts.Defects < 2 {
		t.Errorf("got %s", stdout)
	}
	var causes strings.Builder
	covered := 0.0
	for _, g := range r.Gaps {
		causes.WriteString(g.Cause)
		covered += g.To - g.From
	}
	if covered != 256 || !strings.Contains(causes.String(), "3.png") || !strings.Contains(causes.String(), "4.png") {
		t.Errorf("gaps %+v; want the two pictures that could not be used, 256 mm, by name", r.Gaps)
	}
	if code, _, stderr = command(t, "replay", "--coil", "A1", "--data", data, dir); code != exitFailed || !strings.Contains(stderr, `coil "A1"`) {
		t.Errorf("the same coil again: exit code %d, %q", code, stderr)
	}
}

// Real strips stand beside the checkout in some places; they are no part of the project.
func TestRealStripsBecomeOneInspectedCoil(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "severstal", "strips")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no real strips beside the checkout: ", err)
	}
	code, stdout, stderr := command(t, "replay", "--json", "--coil", "REAL", "--data", filepath.Join(t.TempDir(), "data"), dir)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var r struct {
		Coil struct {
			State  string
			Counts struct{ Defects int }
			Strip  struct {
				Length float64 `json:"length_mm"`
			}
		}
		Gaps   []any
		Ledger struct{ Arrived, Inspected uint64 }
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Coil.State != "closed" || r.Coil.Strip.Length != 27*256*0.5 || len(r.Gaps) != 0 || r.Coil.Counts.Defects < 50 || r.Ledger.Inspected != 27 {
		t.Errorf("got %s", stdout)
	}
}

func TestRunServesAndEndsWithItsCoilClosed(t *testing.T) {
	data := t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	ctx, stop := context.WithCancel(t.Context())
	var out, errs bytes.Buffer
	done := make(chan int)
	go func() { done <- execute(ctx, []string{"run", "--data", data, "--listen", address}, &out, &errs) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string, into any) int {
		res, err := client.Get("http://" + address + path)
		if err != nil {
			return 0
		}
		defer res.Body.Close()
		if into != nil {
			if err := json.NewDecoder(res.Body).Decode(into); err != nil {
				t.Fatal(err)
			}
		}
		return res.StatusCode
	}
	await := func(what string, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(60 * time.Second); !ok(); {
			if time.Now().After(end) {
				t.Fatalf("%s did not happen within 60 s", what)
			}
			select {
			case code := <-done:
				t.Fatalf("the appliance ended with exit code %d: %s", code, errs.String())
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	type coils struct {
		Coils []struct {
			ID, State string
			Counts    struct{ Defects int }
		}
	}
	await("readiness", func() bool { return get("/readyz", nil) == http.StatusOK })
	await("a coil with a defect", func() bool {
		var c coils
		get("/api/v1/coils", &c)
		return len(c.Coils) > 0 && c.Coils[0].Counts.Defects > 0
	})
	for _, path := range []string{"/healthz", "/metrics", "/openapi.json", "/docs", "/api/v1/live", "/api/v1/changes?after=0"} {
		if code := get(path, nil); code != http.StatusOK {
			t.Errorf("%s answers %d", path, code)
		}
	}
	stop()
	if code := <-done; code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	// The next start finds nothing left open.
	ctx, stop = context.WithCancel(t.Context())
	errs.Reset()
	go func() { done <- execute(ctx, []string{"run", "--data", data, "--listen", address}, &out, &errs) }()
	var c coils
	await("the second start", func() bool { return get("/readyz", nil) == http.StatusOK && get("/api/v1/coils", &c) == http.StatusOK })
	stop()
	if code := <-done; code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	if last := c.Coils[len(c.Coils)-1]; last.State != "interrupted" && last.State != "closed" {
		t.Errorf("coil %s of the first run is %s", last.ID, last.State)
	}
	if strings.Contains(errs.String(), "was running when the appliance stopped") {
		t.Error("the first run left its coil open")
	}
}
