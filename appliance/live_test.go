package appliance

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/appliance/line"
)

func TestSilentCameraIsLostWhileTheOtherDelivers(t *testing.T) {
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	seen := func(ago time.Duration) line.CameraStatus { return line.CameraStatus{LastFrame: now.Add(-ago)} }
	never, broken := line.CameraStatus{}, line.CameraStatus{LastFrame: now, Failed: errors.New("no link")}
	for _, c := range []struct {
		name        string
		now, before []line.CameraStatus
		want        []string
	}{
		{"both deliver", []line.CameraStatus{seen(0), seen(time.Second)}, []line.CameraStatus{seen(2 * time.Second), seen(3 * time.Second)}, []string{"running", "running"}},
		{"one fell silent", []line.CameraStatus{seen(0), seen(3 * time.Second)}, []line.CameraStatus{seen(2 * time.Second), seen(3 * time.Second)}, []string{"running", "lost"}},
		{"one never came", []line.CameraStatus{never, seen(0)}, []line.CameraStatus{never, seen(2 * time.Second)}, []string{"lost", "running"}},
		{"the mill stands", []line.CameraStatus{seen(time.Minute), seen(time.Minute)}, []line.CameraStatus{seen(time.Minute), seen(time.Minute)}, []string{"idle", "idle"}},
		{"just begun", []line.CameraStatus{seen(0), never}, []line.CameraStatus{never, never}, []string{"running", "idle"}},
		{"one failed", []line.CameraStatus{broken, seen(time.Minute)}, []line.CameraStatus{seen(0), seen(time.Minute)}, []string{"lost", "idle"}},
	} {
		if got := cameraStates(c.now, c.before, now); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v; want %v", c.name, got, c.want)
		}
	}
}

func TestScreensAreToldOfNoDefectsAsAListOfNone(t *testing.T) {
	c := DefaultConfig()
	c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
	c.Mill.Coils, c.Mill.CoilLengthM, c.Mill.DefectsPer100M = 1, [2]float64{10, 10}, 0
	a, stop := runAppliance(t, c)
	defer stop()
	eventually(t, 10*time.Second, "a status", func() bool { return !a.live.Live().Time.IsZero() })
	b, err := json.Marshal(a.live.Live())
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"recent", "severe", "alarms", "alarms_aside", "cameras"} {
		if !strings.Contains(string(b), `"`+list+`":[`) {
			t.Errorf("%s is no list in %s", list, b)
		}
	}
}
