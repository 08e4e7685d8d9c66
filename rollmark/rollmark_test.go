package rollmark

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

var table = []inspection.Roll{
	{Name: "F6", Side: inspection.Top, Diameter: 668, Elongation: 1.24},
	{Name: "F7", Side: inspection.Top, Diameter: 700, Elongation: 1},
	{Name: "F7 backup", Side: inspection.Top, Diameter: 1500, Elongation: 1},
	{Name: "F7 bottom", Side: inspection.Bottom, Diameter: 690, Elongation: 1},
}

const f7 = math.Pi * 700

// at is a small defect with its middle there.
func at(side inspection.Side, along, across float64, class inspection.DefectClass) *inspection.Defect {
	return &inspection.Defect{Side: side, Class: class, Rect: inspection.StripRect{
		Along: inspection.MM(along - 5), Across: inspection.MM(across - 5), Length: 10, Width: 10,
	}}
}

// roll gives a detector a mark at the turns that seen lists, from 10 m on, each a little off its place.
func roll(d *Detector, side inspection.Side, period, across float64, seen ...int) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, k := range seen {
		d.Add(at(side, 10_000+float64(k)*period+r.NormFloat64()*1.5, across+r.NormFloat64(), "roll_mark"))
	}
}

func only(t *testing.T, d *Detector) inspection.RollMark {
	t.Helper()
	f := d.Findings()
	if len(f) != 1 {
		t.Fatalf("found %+v; want one mark", f)
	}
	return f[0]
}

func TestMarkOfEveryTurnIsNamedWithItsRoll(t *testing.T) {
	d := New(Options{Rolls: table})
	roll(d, inspection.Top, f7*0.993, 400, 0, 1, 2, 3, 4, 5)
	m := only(t, d)
	if !slices.Equal(m.Rolls, []string{"F7"}) || math.Abs(float64(m.Diameter)/700/0.993-1) > 0.002 {
		t.Errorf("named %v with %.1f mm; want F7, ground to 695.1", m.Rolls, m.Diameter)
	}
	if m.Seen != 6 || m.Possible != 6 || m.Side != inspection.Top || math.Abs(float64(m.Across)-400) > 3 {
		t.Errorf("seen %d of %d at %.0f on %s; want 6 of 6 at 400 on top", m.Seen, m.Possible, m.Across, m.Side)
	}
	if m.Confidence < 0.99 || m.Chance > falsePerSide {
		t.Errorf("confidence %g, chance %g", m.Confidence, m.Chance)
	}
	if math.Abs(float64(m.First)-10_000) > 10 || math.Abs(float64(m.Last)-10_000-5*f7*0.993) > 10 {
		t.Errorf("from %.0f to %.0f", m.First, m.Last)
	}
}

func TestConfidenceGrowsWithTheTurns(t *testing.T) {
	d := New(Options{Rolls: table})
	roll(d, inspection.Top, f7, 400, 0, 1, 2, 3, 4)
	before := only(t, d).Chance
	roll(d, inspection.Top, f7, 400, 5, 6, 7)
	if m := only(t, d); m.Chance >= before || m.Seen != 8 {
		t.Errorf("chance %g after %g, seen %d", m.Chance, before, m.Seen)
	}
}

func TestElongationIsTakenIntoAccount(t *testing.T) {
	d := New(Options{Rolls: table})
	roll(d, inspection.Top, math.Pi*668*1.24, 400, 0, 1, 2, 3, 4)
	if m := only(t, d); !slices.Equal(m.Rolls, []string{"F6"}) || math.Abs(float64(m.Diameter)-668) > 2 {
		t.Errorf("named %v with %.1f mm; want F6 with 668", m.Rolls, m.Diameter)
	}
}

func TestMissedTurnsAreBridged(t *testing.T) {
	d := New(Options{Rolls: table})
	roll(d, inspection.Top, f7, 400, 0, 1, 3, 4, 6, 7, 8, 11, 12)
	m := only(t, d)
	if !slices.Equal(m.Rolls, []string{"F7"}) || m.Seen != 9 || m.Possible != 13 {
		t.Errorf("named %v, seen %d of %d; want F7, 9 of 13", m.Rolls, m.Seen, m.Possible)
	}
}

func TestEverySecondTurnMissedAtFirstEndsWithTheTruePeriod(t *testing.T) {
	d := New(Options{}) // no table could help
	roll(d, inspection.Top, 2000, 400, 0, 2, 4, 6, 8, 9, 10, 11, 12, 13)
	if m := only(t, d); math.Abs(float64(m.Period)-2000) > 3 {
		t.Errorf("period %.0f; want 2000", m.Period)
	}
}

func TestStrayDefectBetweenTheTurnsDoesNotHalveThePeriodForGood(t *testing.T) {
	d := New(Options{Rolls: []inspection.Roll{{Name: "half", Side: inspection.Top, Diameter: 668, Elongation: 1}}})
	period := 2 * math.Pi * 668
	roll(d, inspection.Top, period/2, 400, 0, 2, 3, 4, 6, 8, 10, 12, 14, 16)
	if m := only(t, d); len(m.Rolls) != 0 || math.Abs(float64(m.Period)-period) > 3 || m.Seen != 9 || m.Possible != 9 {
		t.Errorf("named %v with a period of %.0f mm, seen %d of %d; want none with %.0f, 9 of 9", m.Rolls, m.Period, m.Seen, m.Possible, period)
	}
}

func TestOtherSideAndOtherPlaceAcrossAreNoEvidence(t *testing.T) {
	d := New(Options{Rolls: table})
	roll(d, inspection.Top, 2*f7, 400, 0, 1)
	roll(d, inspection.Bottom, 2*f7, 400, 0, 1)
	for i := range 6 {
		d.Add(at(inspection.Top, 60_000+float64(i)*f7, 100+30*float64(i), "roll_mark"))
	}
	if f := d.Findings(); len(f) != 0 {
		t.Errorf("found %+v", f)
	}
}

func TestClassMayChangeFromTurnToTurn(t *testing.T) {
	d := New(Options{Rolls: table})
	for i, class := range []inspection.DefectClass{"a", "b", "c", "d", "e", "f"} {
		d.Add(at(inspection.Top, 10_000+float64(i)*f7, 400, class))
	}
	if m := only(t, d); !slices.Equal(m.Rolls, []string{"F7"}) {
		t.Errorf("named %v", m.Rolls)
	}
}

func TestTwoMarksOfARollAndTwoRollsAreToldApart(t *testing.T) {
	d := New(Options{Rolls: table})
	for i := range 8 {
		x := 10_000 + float64(i)*f7
		d.Add(at(inspection.Top, x, 400, "m"))
		d.Add(at(inspection.Top, x+0.4*f7, 401, "m")) // in the same lane
		d.Add(at(inspection.Top, x+700, 900, "m"))
		d.Add(at(inspection.Bottom, 10_000+float64(i)*math.Pi*690, 300, "m"))
	}
	var got []string
	for _, m := range d.Findings() {
		if len(m.Rolls) != 1 {
			t.Fatalf("%+v", m)
		}
		got = append(got, m.Rolls[0])
	}
	if !slices.Equal(got, []string{"F7", "F7", "F7", "F7 bottom"}) {
		t.Errorf("named %v", got)
	}
}

func TestRollsThatBothFitAreBothNamed(t *testing.T) {
	d := New(Options{Rolls: []inspection.Roll{
		{Name: "far", Side: inspection.Top, Diameter: 708, Elongation: 1}, {Name: "near", Side: inspection.Top, Diameter: 698, Elongation: 1},
	}})
	roll(d, inspection.Top, f7, 400, 0, 1, 2, 3, 4)
	if m := only(t, d); !slices.Equal(m.Rolls, []string{"near", "far"}) {
		t.Errorf("named %v; want the nearer one first", m.Rolls)
	}
}

func TestRollThatIsNotInTheTableIsReportedByItsDiameter(t *testing.T) {
	d := New(Options{Rolls: table})
	roll(d, inspection.Top, math.Pi*812, 400, 0, 1, 2, 3, 4, 5)
	if m := only(t, d); len(m.Rolls) != 0 || m.Rolls == nil || math.Abs(float64(m.Diameter)-812) > 1.5 {
		t.Errorf("named %v with %.1f mm; want none with 812", m.Rolls, m.Diameter)
	}
}

func TestLateDefectsCount(t *testing.T) {
	d := New(Options{Rolls: table})
	roll(d, inspection.Top, f7, 400, 1, 0, 3, 2, 5, 4)
	if m := only(t, d); m.Seen != 6 || !slices.Equal(m.Rolls, []string{"F7"}) {
		t.Errorf("named %v, seen %d of %d", m.Rolls, m.Seen, m.Possible)
	}
}

func TestMarkThatComesAgainIsOneFinding(t *testing.T) {
	d := New(Options{Rolls: table})
	roll(d, inspection.Top, f7, 400, 0, 1, 2, 3, 4, 60, 61, 62, 63, 64)
	if m := only(t, d); m.Seen != 10 || m.Possible != 65 {
		t.Errorf("seen %d of %d; want 10 of 65", m.Seen, m.Possible)
	}
}

func TestPiecesOfAScratchAreNoMark(t *testing.T) {
	d := New(Options{Rolls: table})
	for i := range 12 { // cut at equal lengths, as a merge that ends cuts them
		x := at(inspection.Top, 10_000+float64(i)*f7, 400, "scratch")
		x.Rect.Along, x.Rect.Length = x.Rect.Along-1000, 2000
		d.Add(x)
	}
	if f := d.Findings(); len(f) != 0 {
		t.Errorf("found %+v", f)
	}
}

func TestStateIsBoundedOnALongCoil(t *testing.T) {
	d := New(Options{Rolls: table})
	r := rand.New(rand.NewPCG(9, 9))
	longest := 0
	for i := range 100_000 { // 10 m apart at first: then a storm at one place
		x := float64(i) * 100
		if i > 50_000 {
			x = 5_000_000 + float64(i)*0.01
		}
		d.Add(at(inspection.Top, x, r.Float64()*1250, "a"))
		longest = max(longest, len(d.sides[inspection.Top].points))
	}
	if longest > maxPoints+1 {
		t.Errorf("%d points were kept; allowed are %d", longest, maxPoints)
	}
	if n := len(d.sides[inspection.Top].lane); n > maxLane {
		t.Errorf("a lane of %d", n)
	}
}

func TestPlacesThatAreNoNumbersAreLeftOut(t *testing.T) {
	d := New(Options{Rolls: table})
	for range 10 {
		d.Add(at(inspection.Top, math.NaN(), 400, "a"))
		d.Add(at(inspection.Top, math.Inf(1), 400, "a"))
	}
	if n := len(d.sides[inspection.Top].points); n != 0 {
		t.Errorf("%d points", n)
	}
}

// BenchmarkAdd takes in the defects of a coil with 500 of them on 100 m.
func BenchmarkAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 9))
	defects := make([]*inspection.Defect, 50_000)
	for i := range defects {
		defects[i] = at(inspection.Top, float64(i)*200, r.Float64()*1250, "a")
	}
	b.ReportAllocs()
	d := New(Options{Rolls: table})
	for i := 0; b.Loop(); i++ {
		if i%len(defects) == 0 {
			d = New(Options{Rolls: table})
		}
		d.Add(defects[i%len(defects)])
	}
}

func TestMarkOfEachTurnIsNotThatOfHalfOrTwiceTheRoll(t *testing.T) {
	for name, roll2 := range map[string]inspection.MM{"half": 350, "double": 1400} {
		d := New(Options{Rolls: []inspection.Roll{{Name: name, Side: inspection.Top, Diameter: roll2, Elongation: 1}}})
		roll(d, inspection.Top, f7, 400, 0, 1, 2, 3, 4, 5, 6)
		if m := only(t, d); len(m.Rolls) != 0 || math.Abs(float64(m.Period)-f7) > 3 {
			t.Errorf("with a roll of %s in the table a period of %.0f mm is named %v", name, m.Period, m.Rolls)
		}
	}
}

// BenchmarkAddInAScratch takes in what costs most: each lane is full of pieces at random distances.
func BenchmarkAddInAScratch(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 9))
	b.ReportAllocs()
	d := New(Options{Rolls: table})
	along := 0.0
	for b.Loop() {
		along += 30 + r.Float64()*1000
		d.Add(at(inspection.Top, along, 400+r.NormFloat64()*2, "a"))
	}
}
