package appliance

import (
	"bytes"
	"image"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
)

// even writes an even picture of a target and gives it as frames too.
func even(t *testing.T, grey byte) (address string, m inspection.LineImage) {
	t.Helper()
	m = inspection.LineImage{Pix: bytes.Repeat([]byte{grey}, 512*256), Width: 512, Height: 256, Stride: 512}
	return "folder:" + pictureIn(t, &image.Gray{Pix: m.Pix, Stride: m.Stride, Rect: image.Rect(0, 0, m.Width, m.Height)}), m
}

func TestCameraIsCheckedAgainstItsCalibration(t *testing.T) {
	dim, _ := even(t, 150)
	c := fakeConfig(t)
	c.CheckHours = 24
	c.Cameras = []CameraConfig{{ID: "top", Side: "top", Address: dim, Pixels: 512, MMPerPixel: 0.5, LineRateHz: 8000}}
	_, white := even(t, 190)
	fit, err := calibration.MeasureFlatField(white, inspection.LineImage{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Calibrations().KeepFlatField("top", "Kim", time.Now().Add(-30*time.Hour), fit, white); err != nil {
		t.Fatal(err)
	}
	a, stop := runAppliance(t, c)
	defer stop()
	d := &cameraDesk{a}
	if due := a.live.checkConditions(time.Now()); len(due) != 1 || due[0].Code != "check_due" || due[0].Values["camera"] != "top" || due[0].Values["hours"] != "30" {
		t.Errorf("after 30 hours: %+v; want the check due", due)
	}
	k, err := d.TakeCheck(t.Context(), "top", "Lee", "white")
	if err != nil || k.Pass || k.Against != 1 || k.By != "Lee" {
		t.Fatalf("a lamp a fifth darker gives %+v, %v; want a check that does not pass", k, err)
	}
	if now := a.live.checkConditions(time.Now()); len(now) != 1 || now[0].Code != "camera_changed" || now[0].Values["changed"] != "grey" {
		t.Errorf("after the check: %+v; want the camera to have changed", now)
	}
	if _, err := d.TakeCheck(t.Context(), "top", "Lee", "target"); err == nil || !strings.Contains(err.Error(), "camera top has no geometry to compare with") {
		t.Errorf("a check without a calibration gives %v", err)
	}
	if _, err := d.TakeFlatField(t.Context(), "top", "Lee"); err != nil {
		t.Fatal(err)
	}
	if now := a.live.checkConditions(time.Now()); len(now) != 0 {
		t.Errorf("with a new flat field: %+v", now)
	}
	if k, err = d.TakeCheck(t.Context(), "top", "Lee", "white"); err != nil || !k.Pass || k.Number != 2 || k.Against != 2 {
		t.Errorf("after the new flat field: %+v, %v", k, err)
	}
	if l := d.Cameras()[0].Checks; len(l) != 2 || l[0].Number != 2 || l[1].Pass {
		t.Errorf("listed are %+v", l)
	}
}
