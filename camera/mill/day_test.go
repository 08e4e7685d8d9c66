package mill

import (
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestEverydayCoilsAreMostlyGoodAndSeldomGrave(t *testing.T) {
	sum := 0
	for _, share := range everydayShares() {
		sum += share
	}
	if sum != 1000 || len(everydayShares()) != len(Catalogue()) {
		t.Fatalf("%d shares add up to %d, want %d to 1000", len(everydayShares()), sum, len(Catalogue()))
	}
	o := Options{Everyday: true, CoilLengthMin: 100_000}.withDefaults()
	const coils = 400
	metres, defects, holed, sparse := 0.0, 0, 0, 0
	for n := 1; n <= coils; n++ {
		c := planCoil(o, n)
		count := map[inspection.DefectClass]int{}
		runs := map[int]bool{}
		for _, d := range c.defects {
			if d.run > 0 && runs[d.run] {
				continue // a run counts as one
			}
			runs[d.run] = d.run > 0
			count[d.class]++
			defects++
		}
		if count["hole"] > 0 {
			holed++
		}
		if len(c.defects) < 12 {
			sparse++
		}
		metres += 2 * float64(c.lines) * float64(o.MMPerCount) / 1000
	}
	if per100 := 100 * float64(defects) / metres; per100 < 8.5 || per100 > 11.5 {
		t.Errorf("%.1f defects on 100 m, want 10 as without a mix", per100)
	}
	if holed < coils/50 || holed > coils/5 {
		t.Errorf("%d of %d coils have a hole, want few but some", holed, coils)
	}
	if sparse < coils*3/10 || sparse > coils*6/10 {
		t.Errorf("%d of %d coils are good, want nearly half", sparse, coils)
	}
}
