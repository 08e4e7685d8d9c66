package inference

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inspection"
)

// event is a region placed on the strip by the mill's own geometry.
type event struct {
	rect  inspection.StripRect
	kind  inspection.RegionKind
	score float32
}

// screenMill runs the first coil of a mill through a detector for one side and gives its events and
// the length that was screened.
func screenMill(t testing.TB, o mill.Options, side inspection.Side) (events []event, truth []mill.SeededDefect, length inspection.MM) {
	t.Helper()
	m, err := mill.New(o)
	if err != nil {
		t.Fatal(err)
	}
	o = m.Options()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	other := inspection.Bottom
	if side == inspection.Bottom {
		other = inspection.Top
	}
	drained := make(chan struct{})
	go func() { // the camera that is not looked at must not stop the mill
		defer close(drained)
		for {
			f, err := m.Camera(other).Next(ctx)
			if err != nil {
				return
			}
			f.Release()
		}
	}()
	cam := m.Camera(side)
	white := cam.WhiteReference()
	gain := flatField(white)
	d, err := NewDetector(white.Width, DetectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	id, head := m.First()
	truth, _ = m.Truth(id)
	truth = slices.DeleteFunc(truth, func(q mill.SeededDefect) bool { return q.Side != side })
	var out inspection.Screening
	seen := false
	for {
		f, err := cam.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !seen && f.Span.To > head {
			d.Reset()
			seen = true
		}
		if err := d.Screen(&out, f.Image, inspection.FlatField{Gain: gain}, f.Seam); err != nil {
			t.Fatal(err)
		}
		if !out.Edges.Present && len(out.Regions) > 0 {
			t.Fatalf("frame %d shows no strip and has %d regions", f.ID, len(out.Regions))
		}
		if out.Edges.Present {
			length += inspection.MM(out.Edges.LastLine-out.Edges.FirstLine) * o.MMPerCount
		}
		for _, r := range out.Regions {
			across := inspection.MM(float64(r.X)-out.Edges.Left) * o.MMPerPixel
			if !cam.OperatorSideLeft {
				across = inspection.MM(out.Edges.Right-float64(r.X+r.Width)) * o.MMPerPixel
			}
			events = append(events, event{kind: r.Kind, score: r.Score, rect: inspection.StripRect{
				Along:  inspection.MM(int64(f.Span.From-head)+int64(r.Y)) * o.MMPerCount,
				Across: across, Length: inspection.MM(r.Height) * o.MMPerCount, Width: inspection.MM(r.Width) * o.MMPerPixel,
			}})
		}
		f.Release()
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	cancel()
	<-drained
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return events, truth, length
}

// flatField gives each column the factor that makes a white reference even.
func flatField(white inspection.LineImage) inspection.ColumnGain {
	sums := make([]float64, white.Width)
	total := 0.0
	for y := range white.Height {
		for x, p := range white.Row(y) {
			sums[x] += float64(p)
			total += float64(p)
		}
	}
	gain := make(inspection.ColumnGain, white.Width)
	for x := range gain {
		gain[x] = uint16(total/float64(white.Width)/sums[x]*inspection.UnityGain + 0.5)
	}
	return gain
}

func touches(a, b inspection.StripRect) bool {
	return a.Along < b.Along+b.Length && b.Along < a.Along+a.Length && a.Across < b.Across+b.Width && b.Across < a.Across+a.Width
}

func TestDetectorFindsSeededDefects(t *testing.T) {
	if testing.Short() {
		t.Skip("renders 100 m of strip on both sides")
	}
	found, total := map[inspection.DefectClass]int{}, map[inspection.DefectClass]int{}
	all, hit := 0, 0
	for _, side := range inspection.Sides() {
		events, truth, _ := screenMill(t, mill.Options{Seed: 3, Coils: 1, CoilLengthMin: 50_000, DefectsPer100m: 150, ThreadingGap: 400}, side)
		for _, q := range truth {
			all++
			total[q.Class]++
			if slices.ContainsFunc(events, func(e event) bool { return touches(e.rect, q.Rect) }) {
				hit++
				found[q.Class]++
			} else {
				t.Logf("missed: %s on %s at %.0f mm along, %.0f mm across, %.0f x %.0f mm", q.Class, q.Side, float64(q.Rect.Along), float64(q.Rect.Across), float64(q.Rect.Length), float64(q.Rect.Width))
			}
		}
	}
	for _, c := range mill.Catalogue() {
		t.Logf("%-36s %d of %d", c, found[c], total[c])
	}
	t.Logf("seeded defects found: %d of %d", hit, all)
	if float64(hit) < 0.95*float64(all) {
		t.Errorf("%d of %d seeded defects are found; the floor is 95 %%", hit, all)
	}
}

func TestGoodStripIsQuiet(t *testing.T) {
	if testing.Short() {
		t.Skip("renders 100 m of strip on both sides")
	}
	const rim = 100 // mm at either end, which are ragged and are cropped in the mill
	body, ends, length := 0, 0, inspection.MM(0)
	for _, side := range inspection.Sides() {
		events, _, l := screenMill(t, mill.Options{Seed: 5, Coils: 1, CoilLengthMin: 100_000, Good: true, ThreadingGap: 400}, side)
		length += l
		for _, v := range events {
			if v.rect.Along < rim || v.rect.Along+v.rect.Length > l-rim {
				ends++
				continue
			}
			body++
			t.Logf("%s of score %.2f, %.0f mm along, %.0f mm across, %.0f x %.0f mm", v.kind, v.score,
				float64(v.rect.Along), float64(v.rect.Across), float64(v.rect.Length), float64(v.rect.Width))
		}
	}
	per := float64(body) / float64(length) * 1e6
	t.Logf("false events: %d on %.0f m, %.1f per 1,000 m; %d at the four ends", body, float64(length)/1000, per, ends)
	if per > 20 {
		t.Errorf("%.1f false events per 1,000 m of good strip; allowed are 20", per)
	}
	if ends > 10 {
		t.Errorf("%d false events at the ends of two strips; allowed are 10", ends)
	}
}
