package line

import (
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// beside is a Locator of one mm a count and a pixel, whose picture begins somewhere across the line.
type beside struct {
	unit
	at inspection.MM
}

func (b beside) Across(x float64) inspection.MM { return b.at + inspection.MM(x) }

// twoAbove lets two cameras of 64 mm look at the top side, the second from 48 mm on.
func twoAbove(o *Options) {
	for i := range o.Cameras {
		c := &o.Cameras[i]
		c.ID, c.Side, c.Width = inspection.CameraID([]string{"operator", "drive"}[i]), inspection.Top, testWidth
		c.Locator = beside{at: inspection.MM(48 * i)}
	}
}

// edgesAt gives a detector the strip's place in its pictures.
func (r *rig) edgesAt(camera int, edges func(frame int) inspection.StripEdges) {
	r.detector[camera].edges = edges
}

func inside(left, right float64) func(int) inspection.StripEdges {
	return func(int) inspection.StripEdges {
		return inspection.StripEdges{Present: true, Left: left, Right: right, LastLine: testLines}
	}
}

func TestDefectSeenByTwoCamerasIsRecordedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		operator, drive []mark
		want            []inspection.StripRect
	}{
		"whole in both": {
			[]mark{{x: 52, y: 8, value: markScratch}},
			[]mark{{x: 4, y: 8, value: markScratch}},
			[]inspection.StripRect{{Along: 8, Across: 42, Length: 8, Width: 8}},
		},
		"reaches from one to the other": {
			[]mark{{x: 40, y: 8, value: markScratch}, {x: 52, y: 8, value: markScratch}},
			[]mark{{x: 8, y: 8, value: markScratch}, {x: 20, y: 8, value: markScratch}},
			[]inspection.StripRect{{Along: 8, Across: 30, Length: 8, Width: 36}},
		},
		"two, of which each camera sees one": {
			[]mark{{x: 20, y: 8, value: markScratch}},
			[]mark{{x: 40, y: 8, value: markScratch}},
			[]inspection.StripRect{{Along: 8, Across: 10, Length: 8, Width: 8}, {Along: 8, Across: 78, Length: 8, Width: 8}},
		},
		"two in the shared strip, one behind the other": {
			[]mark{{x: 52, y: 0, value: markScratch}},
			[]mark{{x: 4, y: 22, value: markScratch}},
			[]inspection.StripRect{{Along: 0, Across: 42, Length: 8, Width: 8}, {Along: 22, Across: 42, Length: 8, Width: 8}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, twoAbove, &script{frames: 8, marks: map[int][]mark{2: c.operator}}, &script{frames: 8, marks: map[int][]mark{2: c.drive}})
			r.edgesAt(0, inside(10, testWidth))
			r.edgesAt(1, inside(0, 60))
			r.start(t, "C1", 0)
			r.run(t)
			m := r.log.maps["C1"]
			var got []inspection.StripRect
			for _, d := range m.Defects {
				d.Rect.Along -= 2 * testLines
				got = append(got, d.Rect)
			}
			if !sameRects(got, c.want) {
				t.Errorf("recorded %+v, want %+v", got, c.want)
			}
			if m.Strip.Width != 98 {
				t.Errorf("the strip is %v mm wide, want 98: from 10 in the one to 60 in the other", m.Strip.Width)
			}
			if gaps := r.gaps("C1", inspection.Top); gaps != "[]" {
				t.Errorf("gaps %s, want none", gaps)
			}
		})
	}
}

func sameRects(a, b []inspection.StripRect) bool {
	if len(a) != len(b) {
		return false
	}
	for _, r := range a {
		found := false
		for _, q := range b {
			found = found || r == q
		}
		if !found {
			return false
		}
	}
	return true
}

func TestPositionIsFromTheStripsEdgeThatAnotherCameraSees(t *testing.T) {
	marks := map[int][]mark{}
	for n := range 12 {
		marks[n] = []mark{{x: 30, y: 8, value: markScratch}} // 78 mm across the line
	}
	r := newRig(t, twoAbove, &script{frames: 12}, &script{frames: 12, marks: marks})
	wander := func(frame int) float64 { return float64(4 + frame) }
	r.edgesAt(0, func(n int) inspection.StripEdges { return inside(wander(n), testWidth)(n) })
	r.edgesAt(1, inside(0, 60))
	r.start(t, "C1", 0)
	r.run(t)
	m := r.log.maps["C1"]
	if len(m.Defects) != 12 {
		t.Fatalf("%d defects, want 12", len(m.Defects))
	}
	for _, d := range m.Defects {
		n := int(d.Rect.Along) / testLines
		if want := inspection.MM(78 - wander(n)); d.Rect.Across != want {
			t.Errorf("frame %d: %v mm from the edge, want %v", n, d.Rect.Across, want)
		}
	}
}

func TestCameraBesideANarrowStripOwesNothing(t *testing.T) {
	dark := map[int][]mark{}
	for n := range 8 {
		dark[n] = []mark{{value: markDark}}
	}
	r := newRig(t, twoAbove, &script{frames: 8}, &script{frames: 8, marks: dark})
	r.edgesAt(0, inside(5, 45))
	r.start(t, "C1", 0)
	r.run(t)
	if gaps := r.gaps("C1", inspection.Top); gaps != "[]" {
		t.Errorf("gaps %s, want none: the other camera saw both edges", gaps)
	}
	if l := r.line.Status()[1].Ledger; l.Inspected != 8 {
		t.Errorf("the ledger has %+v, want 8 inspected", l)
	}
}

func TestDarkCameraOverAWideStripIsAGap(t *testing.T) {
	dark := map[int][]mark{3: {{value: markDark}}}
	r := newRig(t, twoAbove, &script{frames: 8}, &script{frames: 8, marks: dark})
	r.edgesAt(0, inside(5, testWidth)) // the strip goes on under the other one
	r.edgesAt(1, inside(0, 60))
	r.start(t, "C1", 0)
	r.run(t)
	if gaps := r.gaps("C1", inspection.Top); gaps != "[[96, 128)]" {
		t.Errorf("gaps %s, want the fourth frame", gaps)
	}
}

func TestDefectInSharedStripIsRecordedThoughTheNeighbourIsGone(t *testing.T) {
	r := newRig(t, twoAbove,
		&script{frames: 8, marks: map[int][]mark{5: {{x: 52, y: 8, value: markScratch}}}},
		&script{frames: 2})
	r.edgesAt(0, inside(10, testWidth))
	r.edgesAt(1, inside(0, 60))
	r.start(t, "C1", 0)
	r.run(t)
	m := r.log.maps["C1"]
	if len(m.Defects) != 1 {
		t.Errorf("%d defects, want the one that the camera saw which went on", len(m.Defects))
	}
	if gaps := r.gaps("C1", inspection.Top); gaps != "[[64, 256)]" {
		t.Errorf("gaps %s, want all that the other did not see", gaps)
	}
}

func TestCamerasThatLeaveStripUnseenAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Camera)
		want   string
	}{
		"hole":        {func(c *Camera) { c.Locator = beside{at: 70} }, "leave 6 mm of the top side unseen"},
		"same place":  {func(c *Camera) { c.Locator = beside{} }, "sees nothing of the top side that camera"},
		"no width":    {func(c *Camera) { c.Width = 0 }, "the width of its frames is not known"},
		"second name": {func(c *Camera) { c.ID = "operator" }, "two cameras have the id"},
	} {
		var o Options
		o.Cameras = make([]Camera, 2)
		twoAbove(&o)
		c.change(&o.Cameras[1])
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, c.want)
		}
	}
}
