package appliance

import (
	"errors"
	"slices"
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
