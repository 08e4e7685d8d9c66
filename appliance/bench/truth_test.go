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
