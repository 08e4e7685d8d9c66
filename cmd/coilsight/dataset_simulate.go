package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// maxSimulated bounds what one call may write: some gigabytes.
const maxSimulated = 20_000

// simulation renders labelled pictures. The mill's truth is used here and in tests only; what inspects
// has no way to it.
type simulation struct {
	out   string
	seed  uint64
	count int
	coils int
	good  bool
	log   io.Writer
	// threshold scales the detector's.
	threshold float32

	written map[pictureKind]int
	// seeded and found count the defects the mill put on the strip and those the detector fired on.
	seeded, found map[inspection.DefectClass]int
}

// pictureKind is a class and where its picture came from.
type pictureKind struct {
	class inspection.DefectClass
	from  string // region, window, sample
}

func (s *simulation) run(ctx context.Context) error {
	s.written = map[pictureKind]int{}
	s.seeded, s.found = map[inspection.DefectClass]int{}, map[inspection.DefectClass]int{}
	for n := range s.coils {
		if s.full() {
			break
		}
		fmt.Fprintf(s.log, "\rcoil %d of at most %d", n+1, s.coils)
		if err := s.coil(ctx, s.seed*1_000_003+uint64(n)); err != nil {
			return err
		}
	}
	if !s.good {
		if err := s.samples(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(s.log)
	kinds := slices.SortedFunc(maps.Keys(s.written), func(a, b pictureKind) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.from, b.from))
	})
	for _, k := range kinds {
		fmt.Fprintf(s.log, "%-36s %-7s %6d\n", k.class, k.from, s.written[k])
	}
	for _, c := range slices.Sorted(maps.Keys(s.seeded)) {
		fmt.Fprintf(s.log, "%-36s the detector fired on %d of %d\n", c, s.found[c], s.seeded[c])
	}
	return nil
}

// full reports whether coils have nothing to add.
func (s *simulation) full() bool {
	kinds := []pictureKind{{inspection.NoDefect, "window"}, {inspection.NoDefect, "region"}}
	if !s.good {
		for _, c := range mill.Catalogue() {
			kinds = append(kinds, pictureKind{c, "region"})
		}
	}
	return !slices.ContainsFunc(kinds, func(k pictureKind) bool { return s.written[k] < s.count })
}

// coil runs one short, dense coil of a mill of its own, so that lamps and textures change from coil to coil.
func (s *simulation) coil(ctx context.Context, seed uint64) (err error) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	scale := []inspection.MM{0.4, 0.5, 0.7}[rnd.IntN(3)]
	heads := make(chan camera.Signal, 2) // a coil has two ends
	m, err := mill.New(mill.Options{
		Tracking: func(_ context.Context, s camera.Signal) error { heads <- s; return nil },
		Seed:     seed, PixelsAcross: 1536, MMPerPixel: scale, MMPerCount: scale,
		CoilLengthMin: 60_000, DefectsPer100m: 60, Good: s.good, Coils: 1, Buffers: 4, ThreadingGap: 500,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- m.Run(ctx) }()
	defer func() {
		cancel()
		if e := <-ran; err == nil && !errors.Is(e, context.Canceled) {
			err = e
		}
		err = errors.Join(err, m.Close())
	}()
	head := <-heads
	truth, ok := m.Truth(head.Coil)
	if !ok {
		return fmt.Errorf("dataset: the mill does not know its own coil %s", head.Coil)
	}
	for _, side := range inspection.Sides() {
		w := watch{simulation: s, seed: seed, rnd: rnd, mill: m, camera: m.Camera(side), head: head.At, truth: truth, hit: make([]bool, len(truth))}
		if err := w.run(ctx); err != nil {
			return err
		}
		for i, t := range truth {
			if t.Side == side {
				s.seeded[t.Class]++
			}
			if w.hit[i] {
				s.found[t.Class]++
			}
		}
	}
	return ctx.Err()
}

// watch looks at one side of one coil.
type watch struct {
	*simulation
	seed   uint64
	rnd    *rand.Rand
	mill   *mill.Mill
	camera *mill.Camera
	head   inspection.EncoderCount
	truth  []mill.SeededDefect
	hit    []bool // which of truth a region was labelled after
}

func (w *watch) run(ctx context.Context) error {
	d, err := inference.NewDetector(w.mill.Options().PixelsAcross, inference.DetectorOptions{Threshold: w.threshold})
	if err != nil {
		return err
	}
	defer d.Close()
	var seen inspection.Screening
	for {
		f, err := w.camera.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err = d.Screen(&seen, f.Image, inspection.FlatField{}, f.Seam); err == nil {
			err = w.take(f, &seen)
		}
		f.Release()
		if err != nil {
			return err
		}
	}
}

// take writes what a frame has to show.
func (w *watch) take(f *camera.Frame, seen *inspection.Screening) error {
	if !seen.Edges.Present {
		return nil
	}
	crop := make([]byte, inference.CropSize*inference.CropSize)
	for i, r := range seen.Regions {
		class := inspection.NoDefect
		if i := w.seededAt(w.place(f, seen.Edges, r.X, r.Y, r.Width, r.Height)); i == unclear {
			continue
		} else if i != nothing {
			class, w.hit[i] = w.truth[i].Class, true
		}
		inference.CutCrop(crop, f.Image, inspection.FlatField{}, r, seen.Edges)
		if err := w.save(pictureKind{class, "region"}, fmt.Sprintf("%d-%s-%d-%d", w.seed, w.camera.Side, f.ID, i), crop); err != nil {
			return err
		}
	}
	// One window of plain strip a frame at most, anywhere, so also where the detector saw nothing.
	const side = inference.CropSize
	room := int(seen.Edges.Right-seen.Edges.Left) - side
	if room < 1 || f.Image.Height < side || seen.Edges.LastLine-seen.Edges.FirstLine < f.Image.Height {
		return nil
	}
	x, y := int(seen.Edges.Left)+w.rnd.IntN(room), w.rnd.IntN(f.Image.Height-side+1)
	if w.seededAt(w.place(f, seen.Edges, x, y, side, side)) != nothing {
		return nil
	}
	at := inspection.RegionOfInterest{X: x, Y: y, Width: side, Height: side, PeakX: x + side/2, PeakY: y + side/2}
	inference.CutCrop(crop, f.Image, inspection.FlatField{}, at, seen.Edges)
	return w.save(pictureKind{inspection.NoDefect, "window"}, fmt.Sprintf("%d-%s-%d-w", w.seed, w.camera.Side, f.ID), crop)
}

// place is where pixels of a frame lie on the strip.
func (w *watch) place(f *camera.Frame, e inspection.StripEdges, x, y, width, height int) inspection.StripRect {
	o := w.mill.Options()
	across := float64(x) - e.Left
	if !w.camera.OperatorSideLeft {
		across = e.Right - float64(x+width)
	}
	lines := inspection.EncoderCount(f.Image.Height)
	along := f.Span.From + inspection.EncoderCount(y)*f.Span.Len()/lines - w.head
	return inspection.StripRect{
		Along:  inspection.MM(along) * o.MMPerCount,
		Across: inspection.MM(across) * o.MMPerPixel,
		Length: inspection.MM(height) * o.MMPerCount,
		Width:  inspection.MM(width) * o.MMPerPixel,
	}
}

// What seededAt answers where it names no defect.
const (
	nothing = -1 // plain strip
	unclear = -2 // a defect is so near that a crop of the place may show it, but the place is not its own
)

// seededAt is the index of the defect that was seeded at a place of this side.
func (w *watch) seededAt(at inspection.StripRect) int {
	answer := nothing
	crop := inference.CropSize * w.mill.Options().MMPerPixel
	for i, t := range w.truth {
		if t.Side != w.camera.Side {
			continue
		}
		shared := overlap(at, t.Rect)
		switch {
		case shared > 0 && (shared >= 0.5*at.Area() || shared >= 0.3*t.Rect.Area()):
			return i
		case overlap(grow(at, crop), t.Rect) > 0:
			answer = unclear
		}
	}
	return answer
}

func grow(r inspection.StripRect, by inspection.MM) inspection.StripRect {
	return inspection.StripRect{Along: r.Along - by, Across: r.Across - by, Length: r.Length + 2*by, Width: r.Width + 2*by}
}

// overlap is the area that two rectangles share, in mm².
func overlap(a, b inspection.StripRect) float64 {
	along := min(a.Along+a.Length, b.Along+b.Length) - max(a.Along, b.Along)
	across := min(a.Across+a.Width, b.Across+b.Width) - max(a.Across, b.Across)
	return float64(max(0, along)) * float64(max(0, across))
}

// samples renders single pictures of every class.
func (s *simulation) samples(ctx context.Context) error {
	r, err := mill.NewSampler(s.seed, inference.CropSize)
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(s.seed, 2))
	for _, class := range append(mill.Catalogue(), inspection.NoDefect) {
		for n := range s.count {
			if err := ctx.Err(); err != nil {
				return err
			}
			contrast := 0.7 + 0.7*rnd.Float64()
			pix, err := r.Render(class, s.seed*1_000_003+uint64(n), contrast)
			if err != nil {
				return err
			}
			if err := s.save(pictureKind{class, "sample"}, fmt.Sprintf("%d-sample-%d", s.seed, n), pix); err != nil {
				return err
			}
		}
	}
	return nil
}

// save writes a picture unless there are enough of its kind.
func (s *simulation) save(k pictureKind, name string, pix []byte) (err error) {
	if s.written[k] >= s.count {
		return nil
	}
	folder := filepath.Join(s.out, string(k.class))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(folder, name+".png"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	s.written[k]++
	const side = inference.CropSize
	return png.Encode(f, &image.Gray{Pix: pix, Stride: side, Rect: image.Rect(0, 0, side, side)})
}
