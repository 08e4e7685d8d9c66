package mill

import (
	"math"
	"slices"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// scan is all of one side of the first coil, with a little of the gaps around it.
type scan struct {
	pix   []byte
	lines int
	head  int // line of the head end
}

func scanCoil(o Options, side inspection.Side, textures []*texture) scan {
	r := newRenderer(o, side, textures)
	first := newTimeline(o).next()
	lines := int(first.next())
	lines -= lines % o.FrameLines
	s := scan{pix: make([]byte, lines*o.PixelsAcross), lines: lines, head: int(first.start)}
	for y := 0; y < lines; y += o.FrameLines {
		r.frame(s.pix[y*o.PixelsAcross:(y+o.FrameLines)*o.PixelsAcross], inspection.EncoderCount(y))
	}
	return s
}

// outline is where a line's pixels are strip, as a reader of the picture sees it; ok is false on the
// roller table.
func outline(row []byte) (left, right int, ok bool) {
	const dark = 34
	for left = 0; left < len(row) && row[left] < dark; left++ {
	}
	for right = len(row); right > left && row[right-1] < dark; right-- {
	}
	return left, right, right-left > len(row)/8
}

func TestTruthIsWhereThePixelsChange(t *testing.T) {
	o := small()
	o.PixelsAcross, o.Coils, o.CoilLengthMin, o.DefectsPer100m = 1024, 1, 9000, 250
	o = o.withDefaults()
	textures := newTextures(o.Seed, o.PixelsAcross)
	good := o
	good.Good = true
	m := &Mill{o: o}
	all, ok := m.Truth("SIM-00001")
	if !ok || len(all) < 20 {
		t.Fatalf("the truth of the first coil is %d defects, %v", len(all), ok)
	}
	for _, side := range inspection.Sides() {
		with, without := scanCoil(o, side, textures), scanCoil(good, side, textures)
		var truth []SeededDefect
		for _, d := range all {
			if d.Side == side {
				truth = append(truth, d)
			}
		}
		const reach = 3 // mm: the edge that positions refer to is rough, and grey levels are whole
		seen := make([]inspection.StripRect, len(truth))
		for y := with.head; y < with.lines; y++ {
			a, b := with.pix[y*o.PixelsAcross:(y+1)*o.PixelsAcross], without.pix[y*o.PixelsAcross:(y+1)*o.PixelsAcross]
			left, right, _ := outline(b)
			for x := range a {
				if a[x] == b[x] {
					continue
				}
				across := inspection.MM(x-left) * o.MMPerPixel
				if side == inspection.Bottom {
					across = inspection.MM(right-1-x) * o.MMPerPixel
				}
				at := inspection.StripRect{Along: inspection.MM(y-with.head) * o.MMPerCount, Across: across, Length: o.MMPerCount, Width: o.MMPerPixel}
				// Grey levels are whole: what clearly shows must be in the truth, and what may just show must
				// reach as far as the truth does.
				change, level := math.Abs(float64(a[x])-float64(b[x])), float64(b[x])
				shows, mayShow := change > 0.09*level+1.5, change > 0.07*level-1.5
				if !mayShow {
					continue
				}
				i := slices.IndexFunc(truth, func(d SeededDefect) bool {
					return at.Along > d.Rect.Along-reach && at.Along < d.Rect.Along+d.Rect.Length+reach &&
						at.Across > d.Rect.Across-reach && at.Across < d.Rect.Across+d.Rect.Width+reach
				})
				if i < 0 && !shows {
					continue
				}
				if i < 0 {
					t.Fatalf("%s: pixel %d of line %d changes from %d to %d, %.1f mm along and %.1f mm across, where the truth has no defect",
						side, x, y, b[x], a[x], float64(at.Along), float64(at.Across))
				}
				if seen[i].Length == 0 {
					seen[i] = at
				}
				seen[i] = seen[i].Union(at)
			}
		}
		for i, d := range truth {
			r, s := d.Rect, seen[i]
			short := max(s.Along-r.Along, s.Across-r.Across, r.Along+r.Length-s.Along-s.Length, r.Across+r.Width-s.Across-s.Width)
			if s.Length == 0 || short > reach {
				t.Errorf("%s: %s is at %.1f in truth and %.1f in the pixels", side, d.Class, r, s)
			}
		}
	}
}

func TestEveryClassIsSeededOnBothSides(t *testing.T) {
	o := Options{Seed: 11, CoilLengthMin: 200_000}.withDefaults()
	count := map[inspection.Side]map[inspection.DefectClass]int{inspection.Top: {}, inspection.Bottom: {}}
	for _, d := range planCoil(o, 1).defects {
		count[d.side][d.class]++
	}
	for side, classes := range count {
		for _, c := range Catalogue() {
			if classes[c] == 0 {
				t.Errorf("200 m of strip have no %s on the %s side", c, side)
			}
		}
	}
}

func TestRollMarksComeBackAfterOneTurnOfTheRoll(t *testing.T) {
	o := Options{Seed: 2, CoilLengthMin: 100_000, DefectsPer100m: 40}.withDefaults()
	runs := map[int][]placed{}
	for _, d := range planCoil(o, 1).defects {
		if (d.class == rollMark) != (d.run > 0) {
			t.Errorf("%s belongs to run %d", d.class, d.run)
		}
		if d.run > 0 {
			runs[d.run] = append(runs[d.run], d)
		}
	}
	if len(runs) == 0 {
		t.Fatal("there are no roll marks")
	}
	for n, marks := range runs {
		if len(marks) < 2 {
			t.Errorf("run %d has %d marks", n, len(marks))
		}
		for i, d := range marks[1:] {
			if step := inspection.MM(d.line-marks[i].line) * o.MMPerCount; math.Abs(float64(step-RollCircumference)) > float64(o.MMPerCount) {
				t.Errorf("run %d: mark %d comes %.1f mm after the one before, want %.1f", n, i+1, float64(step), float64(RollCircumference))
			}
			if d.seed != marks[0].seed || d.u != marks[0].u {
				t.Errorf("run %d: mark %d is not the print of the same spot of the roll", n, i+1)
			}
		}
	}
}

func TestRollerTableShowsBetweenStrips(t *testing.T) {
	o := small().withDefaults()
	c := newTimeline(o).next()
	s := scanCoil(o, inspection.Top, newTextures(o.Seed, o.PixelsAcross))
	end := int(c.end())
	for y := range s.lines {
		_, _, ok := outline(s.pix[y*o.PixelsAcross : (y+1)*o.PixelsAcross])
		if want := y >= s.head && y < end; ok != want {
			t.Fatalf("line %d shows strip: %v; the coil lies on lines %d to %d", y, ok, s.head, end)
		}
	}
}

func TestStripWandersWithinThePicture(t *testing.T) {
	o := small()
	o.Good, o.CoilLengthMin = true, 20_000
	o.PixelsAcross = 640
	o = o.withDefaults()
	s := scanCoil(o, inspection.Top, newTextures(o.Seed, o.PixelsAcross))
	least, most := o.PixelsAcross, 0
	last := -1
	for y := s.head + 2000; y < s.head+38_000; y++ {
		left, right, _ := outline(s.pix[y*o.PixelsAcross : (y+1)*o.PixelsAcross])
		least, most = min(least, left), max(most, left)
		if w := inspection.MM(right-left) * o.MMPerPixel; math.Abs(float64(w-o.StripWidth)) > 6 {
			t.Fatalf("line %d: the strip is %.1f mm wide; ordered are %.1f", y, float64(w), float64(o.StripWidth))
		}
		if last >= 0 && (left-last > 3 || last-left > 3) {
			t.Fatalf("line %d: the edge jumps from pixel %d to %d", y, last, left)
		}
		last = left
	}
	if swing := inspection.MM(most-least) * o.MMPerPixel; swing < 3 || swing > 30 || least < 1 {
		t.Errorf("the edge wanders by %.1f mm from pixel %d on; want 3 to 30 mm, all in the picture", float64(swing), least)
	}
}

func TestBottomCameraSeesTheStripMirrored(t *testing.T) {
	o := small()
	o.Good = true
	o = o.withDefaults()
	textures := newTextures(o.Seed, o.PixelsAcross)
	top, bottom := scanCoil(o, inspection.Top, textures), scanCoil(o, inspection.Bottom, textures)
	for y := top.head + 100; y < top.lines-2000; y += 97 {
		l1, r1, _ := outline(top.pix[y*o.PixelsAcross : (y+1)*o.PixelsAcross])
		l2, r2, _ := outline(bottom.pix[y*o.PixelsAcross : (y+1)*o.PixelsAcross])
		if d := l1 - (o.PixelsAcross - r2); d < -2 || d > 2 {
			t.Errorf("line %d: the operator side is at %d from the left at the top, %d from the right at the bottom", y, l1, o.PixelsAcross-r2)
		}
		if d := l2 - (o.PixelsAcross - r1); d < -2 || d > 2 {
			t.Errorf("line %d: the drive side is at %d from the right at the top, %d from the left at the bottom", y, o.PixelsAcross-r1, l2)
		}
	}
}

func TestTruthIsForTheMillsOwnCoilsOnly(t *testing.T) {
	o := small()
	o.FirstCoil = 7
	m := newMill(t, o)
	for id, want := range map[inspection.CoilID]bool{
		"SIM-00007": true, "SIM-00008": true, "SIM-00006": false, "SIM-00009": false, "SIM-7": false, "SIM-": false, "A-00007": false,
	} {
		if _, ok := m.Truth(id); ok != want {
			t.Errorf("truth of coil %q: %v, want %v", id, ok, want)
		}
	}
}
