package genicam

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A device that is ended by its own heartbeat takes the process with it, which was seen once. testdata/giveup.c makes
// the heartbeat tell of lost control all the time.
func TestNoDeviceIsEndedByItsOwnHeartbeat(t *testing.T) {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc" // as cgo takes it
	}
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "aravis-0.8").Output()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "giveup")
	if out, err := exec.Command(cc, append([]string{"-O1", "-o", program, "testdata/giveup.c", "link.c"}, strings.Fields(string(flags))...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ended := func(args ...string) (n, of int) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if _, err := fmt.Sscanf(string(out), "%d of %d", &n, &of); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		return n, of
	}
	if n, of := ended(); n != 0 {
		t.Errorf("%d of %d devices are ended by their own heartbeat", n, of)
	}
	if n, of := ended("careless"); n == 0 {
		t.Errorf("of %d devices none is ended so without care either: the test sees nothing", of)
	}
}
