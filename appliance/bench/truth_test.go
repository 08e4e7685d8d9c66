package bench_test

import (
	"testing"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/appliance/bench"
)

// The whole way: simulated strip through detector, model, line and record, against the mill's truth.
func TestSeededDefectsAreFoundPlacedAndNamed(t *testing.T) {
	metres := 60.0
	if testing.Short() {
		metres = 20
	}
	r, err := bench.Truth(t.Context(), bench.Options{Config: appliance.DefaultConfig(), Work: t.TempDir()}, metres)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d found, %d within 5 mm, %d of the right class; %.1f false events per 1,000 m", r.Found, r.Seeded, r.Placed, r.ClassRight, r.FalsePer1000M)
	t.Logf("small ones: along %+.2f mm, half within %.2f, 99 %% within %.2f; across %+.2f, %.2f, %.2f (%d)", r.Along.Mean, r.Along.P50, r.Along.P99, r.Across.Mean, r.Across.P50, r.Across.P99, r.Along.N)
	for class, k := range r.ByClass {
		t.Logf("%-36s %d of %d found, %d right: %v", class, k.Found, k.Seeded, k.ClassRight, k.As)
	}
	if r.Seeded < 10 {
		t.Fatalf("only %d defects were seeded", r.Seeded)
	}
	for name, v := range map[string][2]float64{
		"found": {r.FoundShare, 0.95}, "within 5 mm": {r.PlaceShare, 0.95}, "of the right class": {r.ClassShare, 0.90},
	} {
		if v[0] < v[1] {
			t.Errorf("%.3f are %s; the floor is %.2f", v[0], name, v[1])
		}
	}
	for axis, e := range map[string]bench.PositionError{"along": r.Along, "across": r.Across} {
		if e.N >= 10 && e.P50 > 2 { // the mean follows a single one of which a part is seen
			t.Errorf("half of the small defects lie more than %.2f mm off %s; allowed are 2", e.P50, axis)
		}
	}
	if !r.InspectedEveryMM {
		t.Error("a line that waits for its pictures left a gap")
	}
	if r.EndMM <= 0 || r.EndMM > 20 {
		t.Errorf("%g mm at an end are a gap; the detector leaves out 16 and must say so", float64(r.EndMM))
	}
	if r.FalsePer1000M > 50 {
		t.Errorf("%.1f false events per 1,000 m of good strip; allowed are 50", r.FalsePer1000M)
	}
}

// Two cameras a side that share 50 mm must record what one does: nothing twice, nothing lost between them, nothing elsewhere.
func TestTwoCamerasASideRecordWhatOneDoes(t *testing.T) {
	metres := 40.0
	if testing.Short() {
		metres = 20
	}
	o := bench.Options{Config: appliance.DefaultConfig(), Work: t.TempDir()}
	one, err := bench.SeededStrip(t.Context(), o, metres, 1)
	if err != nil {
		t.Fatal(err)
	}
	two, err := bench.SeededStrip(t.Context(), o, metres, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("one camera: %d of %d found, %d placed, %d events beside; two: %d, %d, %d; across %+.2f and %+.2f mm", one.Found, one.Seeded, one.Placed, one.Twice, two.Found, two.Placed, two.Twice, one.Across.Mean, two.Across.Mean)
	if two.Seeded != one.Seeded || two.Found < one.Found-1 || two.Placed < one.Placed-1 {
		t.Errorf("two cameras found %d and placed %d of %d; one found %d and placed %d", two.Found, two.Placed, two.Seeded, one.Found, one.Placed)
	}
	if most := one.Twice + one.Found/25; two.Twice > most { // over 200 m: 5 of 257, with two cameras and with one
		t.Errorf("%d events beside those that speak for a defect, with one camera %d; allowed are %d", two.Twice, one.Twice, most)
	}
	if d := two.Across.Mean - one.Across.Mean; d > 0.25 || d < -0.25 {
		t.Errorf("with two cameras places lie %.2f mm farther across", d)
	}
}
