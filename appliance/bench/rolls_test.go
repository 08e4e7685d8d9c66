package bench_test

import (
	"testing"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/appliance/bench"
)

// The whole way: the roll marks that the simulated mill presses into the strip stand in the record, each with its roll, and
// nothing else does.
func TestRollOfTheSimulatedMillIsNamed(t *testing.T) {
	metres := 60.0
	if testing.Short() {
		metres = 30
	}
	r, err := bench.RollsOnStrip(t.Context(), bench.Options{Config: appliance.DefaultConfig(), Work: t.TempDir()}, metres)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d runs named, %d in time; %d false on %.0f m", r.Named, r.Runs, r.InTime, r.False, r.SideMetres)
	if r.Runs < 2 {
		t.Fatalf("only %d runs of %d and more marks were made", r.Runs, bench.LeastRun)
	}
	if r.Named < r.Runs-r.Runs/20 || r.InTime < r.Runs-r.Runs/20 {
		t.Errorf("%d of %d runs were named, %d in time", r.Named, r.Runs, r.InTime)
	}
	if r.False > 0 {
		t.Errorf("%d marks in the record are none of the mill's", r.False)
	}
}
