package trial

import (
	"testing"
)

// testSeed is neither one that the search was tuned with nor the one whose figures are reported.
const testSeed = 31_000

func TestMarksAreNamedInTimeAndSeldomFalsely(t *testing.T) {
	coils := 120
	if testing.Short() {
		coils = 40
	}
	good := Run(Options{Seed: testSeed, Per100M: 50, LengthM: [2]float64{300, 1500}}, 0, coils)
	seen := Run(Options{Seed: testSeed + 1, Per100M: 50, LengthM: [2]float64{300, 1500}, Marked: true, Share: [2]float64{0.95, 1}, Unlisted: 0.1}, 0, coils)
	missed := Run(Options{Seed: testSeed + 2, Per100M: 50, LengthM: [2]float64{300, 1500}, Marked: true, Share: [2]float64{0.7, 0.8}, Unlisted: 0.1}, 0, coils)
	if seen.Marks < coils || missed.Marks < coils || good.Marks != 0 {
		t.Fatalf("%d, %d and %d marks were made", seen.Marks, missed.Marks, good.Marks)
	}
	if seen.InTimeShare < 0.95 {
		t.Errorf("%.3f of the marks are named within %d revolutions; at least 0.95 must be", seen.InTimeShare, Within)
	}
	// Of so many turns, four fall within five revolutions of the first in 87 % of the cases, and four are needed on most strip.
	if missed.InTimeShare < 0.7 || float64(missed.Ever) < 0.99*float64(missed.Marks) {
		t.Errorf("of marks seen at 3 of 4 turns %.3f are named in time, %d of %d at all", missed.InTimeShare, missed.Ever, missed.Marks)
	}
	all := good.Plus(seen).Plus(missed)
	if all.FalsePer100 > 1 {
		t.Errorf("%.2f false findings in 100 coils; at most 1 is allowed: %v", all.FalsePer100, all.FalseOf)
	}
	if all.WrongShare > 0.01 || all.Misnamed*50 > all.Marks {
		t.Errorf("%.3f of the marks are named wrongly in the end, %d of %d at some time", all.WrongShare, all.Misnamed, all.Marks)
	}
}

func TestMadeCoilIsTheSameEachTime(t *testing.T) {
	o := Options{Seed: 4, Per100M: 50, LengthM: [2]float64{300, 600}, Marked: true, Share: [2]float64{1, 1}}
	a, b := Make(o, 3, Table()), Make(o, 3, Table())
	if len(a.Defects) == 0 || len(a.Defects) != len(b.Defects) {
		t.Fatalf("%d and %d defects", len(a.Defects), len(b.Defects))
	}
	for i := range a.Defects {
		if a.Defects[i].Rect != b.Defects[i].Rect {
			t.Fatal("two coils of one number differ")
		}
	}
}
