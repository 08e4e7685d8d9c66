package accuracy_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/appliance/accuracy"
)

// realData is a folder of real pictures, which are not part of the project.
func realData(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("COILSIGHT_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	dir = filepath.Join(dir, "data", name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the real pictures are not here (%v); set COILSIGHT_SHARED", err)
	}
	return dir
}

func measured(t *testing.T, o accuracy.Options) accuracy.Report {
	t.Helper()
	o.Config = appliance.DefaultConfig()
	r, err := accuracy.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The pictures of fold 0/4 are those that the shipped model never learned from.
func TestShippedModelOnRealPicturesItNeverSaw(t *testing.T) {
	v := measured(t, accuracy.Options{Paths: []string{realData(t, "xsdd")}, Fold: accuracy.Fold{K: 0, N: 4}}).ClassFolders[0]
	t.Logf("accuracy %s, macro-F1 %.4f, calibration error %.4f, unknown %s", v.Accuracy, v.MacroF1, v.CalibrationError, v.Unknown)
	for _, u := range v.Under {
		t.Logf("%s: %s", u.Name, u.Accuracy)
	}
	if v.Answered.Value() < 0.97 {
		t.Errorf("%s of the pictures that are answered are right; the floor is 97 %%", v.Answered)
	}
}

func TestRealStripsThroughDetectorAndModel(t *testing.T) {
	v := measured(t, accuracy.Options{Paths: []string{realData(t, "severstal")}}).Strips[0]
	for name, f := range map[string]accuracy.StripFigures{"detector": v.Detector, "after rejection": v.Kept} {
		t.Logf("%s: found %s, clean windows fired %s, area %.3f, %d events", name, f.Found, f.Fired, f.Area.Value(), f.Events)
		if f.Found.Value() < 0.93 || f.Fired.Value() > 0.10 || f.Area.Value() > 0.20 {
			t.Errorf("%s: the floors are 0.93 found, 0.10 of the clean windows fired and 0.20 of the area", name)
		}
	}
	if v.Chance.Value() > v.Detector.Found.Value()/2 {
		t.Errorf("rectangles set down at random find %s, those of the detector %s", v.Chance, v.Detector.Found)
	}
	if v.Kept.Events > v.Detector.Events {
		t.Errorf("the rejection makes %d events of %d", v.Kept.Events, v.Detector.Events)
	}
}

// Which class is hard to find depends on the strip it is set into: faint marks drown in rough grain that goes on
// through them, and a smooth picture stands out from it.
func TestRealDefectsSetIntoRealStripAreFound(t *testing.T) {
	v := measured(t, accuracy.Options{Paths: []string{realData(t, "xsdd"), realData(t, "severstal")}, Fold: accuracy.Fold{K: 0, N: 4}, SetIn: true}).SetIn
	all := map[accuracy.Way]accuracy.Share{}
	for _, k := range v.ByClass {
		for _, f := range k.ByContrast {
			s := all[f.Way]
			s.N, s.Of = s.N+f.Found.N, s.Of+f.Found.Of
			all[f.Way] = s
			if f.Way == accuracy.Replaced && f.Found.Value() < 0.75 {
				t.Errorf("%s at contrast %g is found in %s; the floor is 75 %%", k.Class, f.Contrast, f.Found)
			}
		}
	}
	for way, least := range map[accuracy.Way]float64{accuracy.Replaced: 0.95, accuracy.Added: 0.3} {
		t.Logf("%s: %s found", way, all[way])
		if all[way].Value() < least {
			t.Errorf("%s: %s of all are found; the floor is %.0f %%", way, all[way], 100*least)
		}
	}
}
