package calibration

import (
	"fmt"
	"math"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// WindowWatch watches one camera's lamp and window while strip runs. What stays at the same columns of the picture from coil to
// coil is the camera's and not the strip's: dirt on the window, or a part of the lamp. It holds a few numbers a column, and a
// frame costs no allocation.
type WindowWatch struct {
	State WindowState

	ratio  []float32 // of the coil so far: brightness of a column of blocks over that of those around
	frames int       // that ratio was taken of
	greys  []float32 // medians of the coil's frames: a sample of them
	seen   int
	dark   int     // frames in a row without light
	focus  []Focus // of pictures of the coil
	row    []float32
	sorted []float32
}

// WindowState is what is kept over a restart.
type WindowState struct {
	Columns int `json:"columns"` // of blocks
	// Level is each column's brightness over that of the columns around, a mean over the newest coils; 1 where nothing is the
	// matter.
	Level []float32 `json:"level"`
	Coils int       `json:"coils"` // that Level rests on
	// First and Now are the median grey of the first coils since the flat field and of the newest ones.
	First float32 `json:"first_grey"`
	Now   float32 `json:"now_grey"`
	// FirstFocus and NowFocus are how fine the picture was and is, in the same way; FocusCoils is what they rest on.
	FirstFocus Focus `json:"first_focus"`
	NowFocus   Focus `json:"now_focus"`
	FocusCoils int   `json:"focus_coils"`
}

// WindowFault is what is the matter.
type WindowFault string

// Faults of a lamp and a window.
const (
	LampLost    WindowFault = "lamp_lost"    // no light at all
	LampFailing WindowFault = "lamp_failing" // a wide part of the picture is much darker than the rest
	WindowDirty WindowFault = "window_dirty" // some columns are darker than their neighbours
	LampAgeing  WindowFault = "lamp_ageing"  // all is darker than it was at first
	FocusSoft   WindowFault = "focus_soft"   // the picture is less fine than it was
	MotionBlur  WindowFault = "motion_blur"  // less fine along the strip alone
)

// WindowFinding is one fault, where it is in the picture, and by how much.
type WindowFinding struct {
	Fault    WindowFault
	From, To int     // columns of pixels, To exclusive
	Darker   float64 // percent; for FocusSoft and MotionBlur how much less fine
}

const (
	// noLight is the mean grey of a block below which there is no light; it must last for lostFrames frames.
	noLight    = 10
	lostFrames = 8
	// coilFrames is how many frames of a coil must show strip for it to count, coilGreys how many of their medians are kept.
	coilFrames = 50
	coilGreys  = 64
	// memoryCoils is over how many coils a mean is taken, firstCoils on how many the first grey rests; a finding needs
	// certainCoils.
	memoryCoils  = 8
	firstCoils   = 10
	certainCoils = 3
	ageingCoils  = 30
	// around is how many columns to either side a column is compared with.
	around = 48
	// dirtyAt and failingAt are the shares by which a column is darker, failingWide the blocks that a lamp's part is wide at
	// least.
	dirtyAt     = 0.06
	failingAt   = 0.35
	failingWide = 24
	ageingAt    = 0.20
	// softAt is the share by which a picture is less fine, over softCoils at least.
	softAt    = 0.20
	softCoils = 12
)

// Frame takes in what a detector saw in a frame of a coil. Frames between coils say nothing of the window.
func (w *WindowWatch) Frame(s *inspection.Screening) {
	if s.BlockColumns == 0 || s.BlockRows == 0 {
		return
	}
	w.size(s.BlockColumns)
	if w.isDark(s) {
		w.dark++
		return
	}
	w.dark = 0
	from, to := int(math.Ceil(s.Edges.Left/8))+1, int(s.Edges.Right/8)-1
	if !s.Edges.Present || to-from < 2*around {
		return
	}
	w.profile(s, from, to)
	grey := w.median(w.row[from:to])
	if grey < noLight {
		return
	}
	w.frames++
	for c := from; c < to; c++ {
		w.ratio[c] += (w.row[c]/grey - w.ratio[c]) / float32(w.frames)
	}
	if w.seen++; len(w.greys) < coilGreys {
		w.greys = append(w.greys, grey)
	} else {
		w.greys[w.seen%coilGreys] = grey
	}
}

// Picture takes in how fine a picture of the coil is.
func (w *WindowWatch) Picture(f Focus) {
	if f.Across > 0 && f.Along > 0 && len(w.focus) < coilGreys {
		w.focus = append(w.focus, f)
	}
}

// focusEnd takes in the coil's pictures.
func (w *WindowWatch) focusEnd() {
	if len(w.focus) < 3 {
		return
	}
	across, along := make([]float64, len(w.focus)), make([]float64, len(w.focus))
	for i, f := range w.focus {
		across[i], along[i] = f.Across, f.Along
	}
	now := Focus{medianOf(across), medianOf(along)}
	s := &w.State
	s.FocusCoils++
	if s.FocusCoils <= firstCoils {
		s.FirstFocus.toward(now, s.FocusCoils)
	}
	s.NowFocus.toward(now, min(s.FocusCoils, firstCoils))
}

// toward moves a mean by the n-th part.
func (f *Focus) toward(now Focus, n int) {
	f.Across += (now.Across - f.Across) / float64(n)
	f.Along += (now.Along - f.Along) / float64(n)
}

// size makes room for so many columns; what was known of another width is forgotten.
func (w *WindowWatch) size(columns int) {
	if w.State.Columns != columns {
		w.State = WindowState{Columns: columns}
	}
	if len(w.State.Level) != columns {
		w.State.Level = make([]float32, columns)
		for c := range w.State.Level {
			w.State.Level[c] = 1
		}
		w.State.Coils = 0
	}
	if len(w.ratio) == columns {
		return
	}
	w.ratio, w.row = make([]float32, columns), make([]float32, columns)
	w.sorted = make([]float32, 0, columns)
	w.greys = make([]float32, 0, coilGreys)
	w.forget()
}

// forget begins a coil.
func (w *WindowWatch) forget() {
	for c := range w.ratio {
		w.ratio[c] = 1
	}
	w.frames, w.seen, w.greys, w.focus = 0, 0, w.greys[:0], w.focus[:0]
}

func (w *WindowWatch) isDark(s *inspection.Screening) bool {
	for _, m := range s.Means {
		if m >= noLight {
			return false
		}
	}
	return true
}

// profile fills row with the mean of each column of blocks.
func (w *WindowWatch) profile(s *inspection.Screening, from, to int) {
	clear(w.row)
	for y := range s.BlockRows {
		for c, m := range s.Means[y*s.BlockColumns:][from:to] {
			w.row[from+c] += float32(m)
		}
	}
	for c := from; c < to; c++ {
		w.row[c] /= float32(s.BlockRows)
	}
}

func (w *WindowWatch) median(v []float32) float32 {
	w.sorted = append(w.sorted[:0], v...)
	slices.Sort(w.sorted)
	return w.sorted[len(w.sorted)/2]
}

// CoilEnd takes what was seen of a coil into what is known of the window.
func (w *WindowWatch) CoilEnd() {
	defer w.forget()
	w.focusEnd()
	if w.frames < coilFrames {
		return
	}
	w.State.Coils++
	share := 1 / float32(min(w.State.Coils, memoryCoils))
	for c := range w.State.Level {
		w.State.Level[c] += (w.against(c) - w.State.Level[c]) * share
	}
	grey := w.median(w.greys)
	if w.State.Coils <= firstCoils {
		w.State.First += (grey - w.State.First) / float32(w.State.Coils)
	}
	if w.State.Now == 0 {
		w.State.Now = grey
	}
	w.State.Now += (grey - w.State.Now) / float32(min(w.State.Coils, firstCoils))
}

// against is a column's brightness over the median of the columns around: a slope across, which strip may have, is none.
func (w *WindowWatch) against(c int) float32 {
	near := w.ratio[max(0, c-around):min(len(w.ratio), c+around+1)]
	m := w.median(near)
	if m <= 0 {
		return 1
	}
	return w.ratio[c] / m
}

// Findings lists what is the matter, the worst first. It is empty where nothing is.
func (w *WindowWatch) Findings() (found []WindowFinding) {
	pixels := w.State.Columns * 8
	if w.dark >= lostFrames {
		return []WindowFinding{{Fault: LampLost, To: pixels, Darker: 100}}
	}
	if w.State.Coils < certainCoils {
		return nil
	}
	for _, f := range w.darkColumns() {
		if f.Darker >= 100*failingAt && f.To-f.From >= failingWide*8 {
			f.Fault = LampFailing
		}
		found = append(found, f)
	}
	if s := w.State; s.Coils >= ageingCoils && s.First > 0 && s.Now < (1-ageingAt)*s.First {
		found = append(found, WindowFinding{Fault: LampAgeing, To: pixels, Darker: float64(100 * (1 - s.Now/s.First))})
	}
	if s := w.State; s.FocusCoils >= softCoils {
		across, along := 1-s.NowFocus.Across/s.FirstFocus.Across, 1-s.NowFocus.Along/s.FirstFocus.Along
		switch {
		case across > softAt:
			found = append(found, WindowFinding{Fault: FocusSoft, To: pixels, Darker: 100 * across})
		case along > softAt:
			found = append(found, WindowFinding{Fault: MotionBlur, To: pixels, Darker: 100 * along})
		}
	}
	rank := map[WindowFault]int{LampFailing: 0, FocusSoft: 1, MotionBlur: 2, WindowDirty: 3, LampAgeing: 4}
	slices.SortStableFunc(found, func(a, b WindowFinding) int { return rank[a.Fault] - rank[b.Fault] })
	return found
}

// darkColumns finds the runs of columns that are darker than those around; a gap of one column does not part them.
func (w *WindowWatch) darkColumns() (found []WindowFinding) {
	for c := 0; c < w.State.Columns; c++ {
		darker := 1 - float64(w.State.Level[c])
		if darker < dirtyAt {
			continue
		}
		if n := len(found); n > 0 && c*8-found[n-1].To <= 8 {
			found[n-1].To, found[n-1].Darker = c*8+8, max(found[n-1].Darker, 100*darker)
			continue
		}
		found = append(found, WindowFinding{Fault: WindowDirty, From: c * 8, To: c*8 + 8, Darker: 100 * darker})
	}
	return found
}

// Check refuses a state that does not fit.
func (s WindowState) Check() error {
	if s.Columns < 1 || len(s.Level) != s.Columns || s.Coils < 0 {
		return fmt.Errorf("what is known of a window does not fit together: %d columns, %d levels, %d coils", s.Columns, len(s.Level), s.Coils)
	}
	return nil
}
