package calibration_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/calibration"
)

func version(by string) calibration.Version {
	return calibration.Version{
		Camera: "top", Kind: calibration.FlatFieldKind, By: by, At: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), Width: 64,
		Residuals: map[string]float64{"uneven_percent": 0.4}, Values: json.RawMessage(`{"gain":[1,2]}`),
	}
}

func TestVersionsAreNumberedAndNeverOverwritten(t *testing.T) {
	s := calibration.Shelf{Dir: t.TempDir()}
	if _, ok, err := s.Latest("top", calibration.FlatFieldKind); ok || err != nil {
		t.Fatalf("an empty shelf gives %v, %v", ok, err)
	}
	for n, by := range []string{"Kim", "Lee"} {
		v, err := s.Save(version(by))
		if err != nil || v.Number != n+1 {
			t.Fatalf("version %d: %v, %v", n+1, v.Number, err)
		}
	}
	if v, ok, err := s.Latest("top", calibration.FlatFieldKind); !ok || err != nil || v.By != "Lee" || v.Number != 2 {
		t.Errorf("the latest is %+v, %v, %v", v, ok, err)
	}
	if v, err := s.Load("top", calibration.FlatFieldKind, 1); err != nil || v.By != "Kim" || v.Residuals["uneven_percent"] != 0.4 {
		t.Errorf("the first is %+v, %v", v, err)
	}
	if all, faults := s.List("top"); len(all) != 2 || all[0].Number != 2 || len(faults) != 0 {
		t.Errorf("listed are %+v, %v", all, faults)
	}
}

func TestUnusableVersionIsNamed(t *testing.T) {
	s := calibration.Shelf{Dir: t.TempDir()}
	v, err := s.Save(version("Kim"))
	if err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"flatfield-1 is of camera top; camera bottom needs its own":                v.Check("bottom", 64),
		"is of frames 64 pixels wide; camera top delivers 128: calibrate it again": v.Check("top", 128),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want an error that says %q", err, want)
		}
	}
	path := filepath.Join(s.Dir, "top", "flatfield-1.json")
	for name, text := range map[string]string{
		"cannot be read":             `{"format": 1, "camera": `,
		"says that it is geometry-1": `{"format": 1, "camera": "top", "kind": "geometry", "version": 1}`,
		"format 7 is not known":      `{"format": 7, "camera": "top", "kind": "flatfield", "version": 1}`,
		"is of camera other":         `{"format": 1, "camera": "other", "kind": "flatfield", "version": 1}`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := s.Latest("top", calibration.FlatFieldKind); ok || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, %v", name, ok, err)
		}
		if _, faults := s.List("top"); len(faults) != 1 {
			t.Errorf("%s: listed with faults %v", name, faults)
		}
	}
	for _, bad := range []calibration.Version{{Camera: "../x", By: "Kim"}, {Camera: "", By: "Kim"}, {Camera: "top", By: " "}} {
		if _, err := s.Save(bad); err == nil {
			t.Errorf("%+v is kept", bad)
		}
	}
}

func FuzzVersionThatIsReadFits(f *testing.F) {
	f.Add([]byte(`{"format":1,"camera":"top","kind":"flatfield","version":1,"values":{}}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := calibration.Shelf{Dir: t.TempDir()}
		if err := os.MkdirAll(filepath.Join(s.Dir, "top"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.Dir, "top", "flatfield-1.json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		v, ok, err := s.Latest("top", calibration.FlatFieldKind)
		if ok == (err != nil) || (ok && (v.Camera != "top" || v.Number != 1 || v.Format != 1)) {
			t.Fatalf("%q is read as %+v, %v, %v", data, v, ok, err)
		}
	})
}
