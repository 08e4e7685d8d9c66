package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/rollmark/trial"
)

// RollReport is how roll marks are found: on made coils, which are positions alone, and on the simulated mill through the whole line.
type RollReport struct {
	Seen     trial.Report `json:"seen"`     // at each turn
	Missed   trial.Report `json:"missed"`   // at 70 to 80 % of the turns
	Unlisted trial.Report `json:"unlisted"` // of rolls that are not in the table
	Good     trial.Report `json:"good"`     // coils without marks
	All      trial.Report `json:"all"`      // of the four above
	Long     trial.Report `json:"long"`     // 10 km with 500 random defects on 100 m of each side
	Strip    RollStrip    `json:"strip"`
}

// RollStrip compares the roll marks of a recorded coil with those that the simulated mill put there.
type RollStrip struct {
	Runs       int     `json:"runs"`    // of at least LeastRun marks
	Named      int     `json:"named"`   // in the record
	InTime     int     `json:"in_time"` // within trial.Within revolutions of their first mark
	False      int     `json:"false"`   // marks in the record that belong to no run
	SideMetres float64 `json:"side_metres"`
}

const (
	// LeastRun is the least number of marks that is sure to be named: three at equal distances may be chance.
	LeastRun = 4
	// rollSeed is neither one that the search was tuned with nor that of its tests.
	rollSeed = 880_000
	// rollSame is how far a mark's place across may be from that of its run, mm.
	rollSame = 15.0
)

// rolls looks at 1,000 coils, half of them with marks, at four of 10 km, and at simulated strip; a quick run at a tenth.
func rolls(ctx context.Context, o Options, share float64, r *Report) (err error) {
	coils, long, metres := 500, 4, 600.0
	if share < 1 {
		coils, long, metres = 50, 1, 40
	}
	r.Rolls = MadeRolls(coils, long)
	r.Rolls.Strip, err = RollsOnStrip(ctx, o, metres)
	return err
}

// MadeRolls looks at so many coils without marks and as many with them, with 50 random defects on 100 m of each side, and at so many
// long ones.
func MadeRolls(coils, long int) (r RollReport) {
	of := func(set uint64, n int, marked bool, least, most, unlisted float64) trial.Report {
		return trial.Run(trial.Options{
			Seed: rollSeed + set, Per100M: 50, LengthM: [2]float64{300, 1500}, Marked: marked, Share: [2]float64{least, most}, Unlisted: unlisted,
		}, 0, n)
	}
	r.Good = of(0, coils, false, 0, 0, 0)
	r.Seen = of(1, coils*2/5, true, 1, 1, 0)
	r.Missed = of(2, coils*2/5, true, 0.7, 0.8, 0)
	r.Unlisted = of(3, coils-2*(coils*2/5), true, 1, 1, 1)
	r.All = r.Good.Plus(r.Seen).Plus(r.Missed).Plus(r.Unlisted)
	r.Long = trial.Run(trial.Options{Seed: rollSeed + 4, Per100M: 500, LengthM: [2]float64{10_000, 10_000}}, 0, long)
	return r
}

// rollRun is a run of marks that the simulated mill made.
type rollRun struct {
	side          inspection.Side
	across        inspection.MM // of their middles
	first, last   inspection.MM // along, of the first and the last
	marks         int
	named, inTime bool
}

// RollsOnStrip rolls a coil of the simulated mill of so many metres, with 50 defects on 100 m of each side, through the whole line.
func RollsOnStrip(ctx context.Context, o Options, metres float64) (r RollStrip, err error) {
	var differ error
	err = rollCoil(ctx, o, mill.Options{Seed: rollSeed, DefectsPer100m: 50}, metres, 1, func(m *mill.Mill, c inspection.Coil, got inspection.DefectMap, _ []line.CameraStatus) {
		seeded, _ := m.Truth(c.ID)
		runs := runsOf(seeded)
		r.SideMetres = 2 * float64(got.Strip.Length) / 1000
		// The record says what was named; when it was, the same defects in the same order tell again.
		slices.SortFunc(got.Defects, func(a, b inspection.Defect) int { return cmp.Compare(a.ID, b.ID) })
		watch := o.Config.RollWatch()
		type place struct {
			side  inspection.Side
			first inspection.MM
		}
		owned := map[place]bool{}
		for i := range got.Defects {
			if !watch.Add(&got.Defects[i]) {
				continue
			}
			for _, f := range watch.Findings() {
				for _, k := range runs { // a mark that comes again at its place is one finding, though the mill counts two runs
					if len(f.Rolls) > 0 && k.shownBy(f) {
						owned[place{f.Side, f.First}], k.named = true, true
						k.inTime = k.inTime || got.Defects[i].Rect.Along-k.first < (trial.Within+0.5)*mill.RollCircumference
					}
				}
			}
		}
		if again := watch.Findings(); !slices.EqualFunc(again, c.RollMarks, func(a, b inspection.RollMark) bool {
			return a.Side == b.Side && a.First == b.First && a.Last == b.Last && a.Seen == b.Seen
		}) {
			differ = fmt.Errorf("the record of coil %s has roll marks %+v; its defects give %+v", c.ID, c.RollMarks, again)
		}
		for _, f := range c.RollMarks {
			if !owned[place{f.Side, f.First}] {
				r.False++
			}
		}
		for _, k := range runs {
			if k.marks < LeastRun {
				continue
			}
			r.Runs++
			if k.named {
				r.Named++
			}
			if k.inTime {
				r.InTime++
			}
		}
	})
	return r, errors.Join(err, differ)
}

// runsOf gathers the marks of each run.
func runsOf(seeded []mill.SeededDefect) map[int]*rollRun {
	runs := map[int]*rollRun{}
	for _, t := range seeded {
		if t.Run == 0 {
			continue
		}
		at := t.Rect.Along + t.Rect.Length/2
		k := runs[t.Run]
		if k == nil {
			k = &rollRun{side: t.Side, across: t.Rect.Across + t.Rect.Width/2, first: at}
			runs[t.Run] = k
		}
		k.marks++
		k.last = at
	}
	return runs
}

// shownBy reports whether a finding is about the run.
func (k *rollRun) shownBy(f inspection.RollMark) bool {
	return k.side == f.Side && math.Abs(float64(k.across-f.Across)) <= rollSame && f.Last >= k.first && f.First <= k.last+mill.RollCircumference/2 &&
		math.Abs(float64(f.Period/mill.RollCircumference)-1) < 0.01
}
