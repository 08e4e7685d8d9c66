// Package inference finds regions of interest at line speed and classifies them.
package inference

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/coilsight/coilsight/inspection"
)

// contextRows is how many block rows before a frame a detector remembers: 128 scan lines, the longest
// window it looks through.
const contextRows = 16

// DetectorOptions says how a detector works; zero values are the defaults.
type DetectorOptions struct {
	// Bands is the number of goroutines that a frame's first pass is divided over; 0 stands for 1.
	Bands int
	// Threshold scales every threshold: below 1 is more sensitive. 0 stands for 1.
	Threshold float32
	// MaxRegions is the most regions of a frame, the strongest being kept; 0 sets no limit.
	MaxRegions int
	// Scales are what the plant's strip taught.
	Scales Scales
}

// Detector finds the regions of one camera's frames where the strip does not look like the strip
// around it. It knows nothing but what has passed since the head end. Use it from one goroutine.
type Detector struct {
	width, nb  int // pixels; blocks a row
	columns    int // blocks that cover the width; those behind them fill vectors up
	threshold  float32
	maxRegions int
	path       int // of the kernel's first pass

	rows        int // frame rows that fit the buffers below
	held        int // context rows held, just before row contextRows
	blocks      []uint16
	cols        []uint16
	left, right []int32 // columns of strip in a block row, [left, right)
	steel       []int32 // the nearest block row that shows strip
	padded      []uint16
	lines       []float32
	feat        []float32
	score       []float32
	which       []uint8
	weight      [features]float32 // a field, since what C is given lives on the heap
	scales      [features]float32
	taught      atomic.Pointer[[features]float32] // scales from the next coil on; nil: no others

	edges  edgeFinder
	levels levels
	boxes  boxer

	jobs  []chan band
	bands sync.WaitGroup // bands at work
	ended sync.WaitGroup // goroutines alive
}

// band is a part of a frame's first pass.
type band struct {
	img      inspection.LineImage
	flat     inspection.FlatField
	from, to int
}

// NewDetector makes a detector for frames of width pixels. The caller must Close it.
func NewDetector(width int, o DetectorOptions) (*Detector, error) {
	switch {
	case width < 64 || width > 1<<16:
		return nil, fmt.Errorf("detector: a frame width of %d pixels is not possible; allowed are 64 to 65536", width)
	case o.Bands < 0 || o.Bands > 64:
		return nil, fmt.Errorf("detector: %d bands are not possible; allowed are 0 to 64", o.Bands)
	case !(o.Threshold >= 0 && o.Threshold <= 10):
		return nil, fmt.Errorf("detector: a threshold of %g is not possible; allowed are 0 to 10", o.Threshold)
	case o.MaxRegions < 0:
		return nil, fmt.Errorf("detector: at most %d regions are not possible; allowed are 0 (no limit) and more", o.MaxRegions)
	}
	if err := o.Scales.Check(); err != nil {
		return nil, fmt.Errorf("detector: %w", err)
	}
	if o.Threshold == 0 {
		o.Threshold = 1
	}
	d := &Detector{
		width: width, nb: rowBlocks(width), columns: (width + blockSize - 1) / blockSize, scales: o.Scales.array(),
		threshold: o.Threshold, maxRegions: o.MaxRegions, path: kernelPaths() - 1,
	}
	d.lines = make([]float32, lineScratch(d.nb))
	for range max(0, o.Bands-1) {
		jobs := make(chan band, 1) // one frame is in work at a time, so a band never waits to be taken
		d.jobs = append(d.jobs, jobs)
		d.ended.Go(func() {
			for b := range jobs {
				d.measure(b)
				d.bands.Done()
			}
		})
	}
	return d, nil
}

// Close ends the detector's goroutines and waits for them.
func (d *Detector) Close() {
	for _, j := range d.jobs {
		close(j)
	}
	d.jobs = nil
	d.ended.Wait()
}

// Reset forgets the strip: a new coil begins.
func (d *Detector) Reset() {
	if s := d.taught.Load(); s != nil {
		d.scales = *s
	}
	d.forget()
}

func (d *Detector) forget() {
	d.held = 0
	d.levels = levels{room: d.levels.room}
}

// Screen fills out with what is to be seen in img: it truncates and appends. flat has
// a factor for every column, or none. seam tells that img does not continue the frame before: it may be of another
// strip, so what is known of the one before is forgotten. img is only read, and not kept.
func (d *Detector) Screen(out *inspection.Screening, img inspection.LineImage, flat inspection.FlatField, seam bool) error {
	switch {
	case img.Width != d.width:
		return fmt.Errorf("detector: a frame is %d pixels wide; this detector takes %d", img.Width, d.width)
	case img.Height < 1 || img.Stride < img.Width || len(img.Pix) < (img.Height-1)*img.Stride+img.Width:
		return fmt.Errorf("detector: a frame of %d x %d pixels with stride %d does not fit its %d bytes", img.Width, img.Height, img.Stride, len(img.Pix))
	case flat.Gain != nil && len(flat.Gain) != img.Width:
		return fmt.Errorf("detector: the flat field has %d factors; a frame %d pixels wide needs as many", len(flat.Gain), img.Width)
	case flat.Offset != nil && len(flat.Offset) != len(flat.Gain):
		return fmt.Errorf("detector: the flat field has %d offsets for %d factors; it needs as many, or none", len(flat.Offset), len(flat.Gain))
	}
	if seam {
		d.forget()
	}
	rows := (img.Height + blockSize - 1) / blockSize
	d.grow(rows)
	d.firstPass(img, flat, rows)

	s := rowSpan{start: contextRows - d.held, first: contextRows, end: contextRows + rows}
	sums := d.blocks[planeSum*d.plane():]
	out.Edges = d.edges.find(sums, d.cols, d.nb, d.columns, s, img, d.left, d.right)
	out.BlockColumns, out.BlockRows = d.columns, rows
	out.Means = slices.Grow(out.Means[:0], rows*d.columns)[:rows*d.columns]
	blockMeans(sums[s.first*d.nb:s.end*d.nb], d.nb, d.columns, out.Means)
	out.Unscreened = d.edges.unscreened(out.Unscreened[:0], s, img.Height, d.left, d.right)
	out.Regions = out.Regions[:0]
	if out.Edges.Present && d.nearestSteel(s) {
		n := rows * d.nb
		measureBlocks(d.blocks, d.plane(), d.nb, s, d.left, d.right, d.steel, d.padded, d.feat, n)
		measureLines(d.cols, d.nb, s, d.left, d.right, d.lines, d.feat, n)
		inside := blockMask{left: d.left[s.first:s.end], right: d.right[s.first:s.end], nb: d.nb}
		d.levels.follow(d.feat, n, inside, img.Height)
		smoother(d.feat[featureSmooth*n:(featureSmooth+1)*n], d.levels.calm, leastTexture)
		d.weight = d.levels.weights(d.threshold, &d.scales)
		scoreBlocks(d.feat, n, inside, &d.weight, growAt, d.score, d.which, d.boxes.kinds)
		out.Regions = d.boxes.regions(out.Regions, blockMap{score: d.score[:n], which: d.which[:n], feat: d.feat, plane: n, nb: d.nb, weight: &d.weight}, img, flat, d.maxRegions)
	}
	d.keep(rows)
	return nil
}

func (d *Detector) plane() int { return (contextRows + d.rows) * d.nb }

// grow makes room for frames of so many block rows. The context, laid out by the old size, is lost
// only where a camera's frames grow, which they do not in the middle of a coil.
func (d *Detector) grow(rows int) {
	if rows <= d.rows {
		return
	}
	d.rows, d.held = rows, 0
	all := contextRows + rows
	d.blocks = make([]uint16, planes*all*d.nb)
	d.cols = make([]uint16, all*d.nb*blockSize)
	d.left, d.right, d.steel = make([]int32, all), make([]int32, all), make([]int32, all)
	d.padded = make([]uint16, blockScratch(d.nb, all))
	d.feat = make([]float32, features*rows*d.nb)
	d.score, d.which = make([]float32, rows*d.nb), make([]uint8, rows*d.nb)
	d.edges.grow(all)
	d.boxes.grow(d.nb, rows)
}

func (d *Detector) firstPass(img inspection.LineImage, flat inspection.FlatField, rows int) {
	parts := len(d.jobs) + 1
	for i, j := range d.jobs {
		d.bands.Add(1)
		j <- band{img, flat, i * rows / parts, (i + 1) * rows / parts}
	}
	d.measure(band{img, flat, len(d.jobs) * rows / parts, rows})
	d.bands.Wait()
}

func (d *Detector) measure(b band) {
	if b.from == b.to {
		return
	}
	firstPass(b.img, b.flat, b.from, b.to, d.blocks[contextRows*d.nb:], d.plane(), d.cols[contextRows*d.nb*blockSize:], d.path)
}

// nearestSteel fills steel. It is false where no row of the frame is to be screened.
func (d *Detector) nearestSteel(s rowSpan) bool {
	last := int32(-1)
	for r := s.start; r < s.end; r++ {
		if d.right[r] > d.left[r] {
			for i := r - 1; last < 0 && i >= s.start; i-- {
				d.steel[i] = int32(r)
			}
			last = int32(r)
		}
		d.steel[r] = last
	}
	return last >= int32(s.first)
}

// keep moves the frame's last rows to where the next frame expects its context.
func (d *Detector) keep(rows int) {
	d.held = min(contextRows, d.held+rows)
	from, to := contextRows+rows-d.held, contextRows-d.held
	for m := range planes {
		p := d.blocks[m*d.plane() : (m+1)*d.plane()]
		copy(p[to*d.nb:contextRows*d.nb], p[from*d.nb:])
	}
	copy(d.cols[to*d.nb*blockSize:contextRows*d.nb*blockSize], d.cols[from*d.nb*blockSize:])
	copy(d.left[to:contextRows], d.left[from:])
	copy(d.right[to:contextRows], d.right[from:])
	d.edges.keep(from, to)
}
