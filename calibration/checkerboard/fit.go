package checkerboard

import (
	"fmt"
	"math"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inspection"
)

// Options of a fit.
type Options struct {
	Board      calibration.Checkerboard
	MMPerPixel inspection.MM // of the rectified picture; 0: as fine as the camera sees
	BoardAt    inspection.MM // where the last picture's first column of corners lies across the line
	// Thickness of the board, by which the strip lies farther away than what is printed on it.
	Thickness inspection.MM
}

const (
	leastPictures = 5
	// leastWidth is the part of the picture's width that a board must take up in each picture, leastOnStrip that of the last one, which
	// tells the plane: at 0.22, places at the picture's borders were off by 0.9 mm, at 0.3 by 0.2. leastAlone is that of a picture
	// that stands alone: beyond its board nothing is known of the lens.
	leastWidth, leastOnStrip, leastAlone = 0.2, 0.3, 0.6
	// leastCoverage is the part of the picture that the boards of all pictures must cover: with 0.23, places at the borders were off
	// by 2.2 mm, with 0.33 by 0.1.
	leastCoverage = 0.3
	// mostResidual in mm on the plane, root mean square, and mostPixels in the pictures: the board is then not flat, or not of this
	// square, or what was found is no board.
	mostResidual, mostPixels = 0.5, 0.5
	// leastTilt in degrees between two of the boards: with 8, the focal length came out within 0.1 %.
	leastTilt = 6
	// mostTurn in degrees between the board on the strip and the picture's lines.
	mostTurn = 30
)

// Fit finds the board in pictures of one camera, none of which may be scaled or cut, and fits its lens to them and the strip's
// plane to the last one, which shows the board lying on the strip, square to its run. One picture alone does too, where the board
// fills most of it. Its error says in a sentence what is in the way.
func Fit(pictures []inspection.LineImage, o Options) (calibration.Area, error) {
	var none calibration.Area
	if err := o.Board.Check(); err != nil {
		return none, err
	}
	switch n := len(pictures); {
	case n != 1 && n < leastPictures:
		return none, fmt.Errorf("%d pictures do not tell the lens; allowed are one of the board on the strip alone, or %d and more with the board tilted differently, the last of them on the strip", n, leastPictures)
	case n == 1 && o.Thickness != 0:
		return none, fmt.Errorf("one picture does not tell how far away the board is, so that its thickness of %g mm cannot be taken off; allowed are %d pictures and more", float64(o.Thickness), leastPictures)
	case !(o.Thickness >= 0 && o.Thickness <= 100):
		return none, &inspection.FieldError{Field: "thickness", Reason: fmt.Sprintf("%g mm are not possible; allowed are 0 to 100", float64(o.Thickness))}
	}
	corners, err := findAll(pictures, o.Board)
	if err != nil {
		return none, err
	}
	last := len(pictures) - 1
	// The last board decides what is across: its axis that lies most along the picture's lines.
	board, corners, err := uprightLast(corners, o.Board)
	if err != nil {
		return none, err
	}
	w, h := pictures[0].Width, pictures[0].Height
	covered := coverage(corners, board, w, h)
	if last > 0 && covered < leastCoverage {
		return none, fmt.Errorf("the boards of all pictures cover %.0f %% of the picture; allowed are %.0f and more: the lens is not known where no board was, so hold it near each border and corner once", 100*covered, 100*leastCoverage)
	}
	var l lens
	if last == 0 {
		l, err = fitPlane(corners[0], board, w, h)
	} else {
		l, err = fitLens(corners, board, w, h, float64(o.Thickness))
	}
	if err != nil {
		return none, err
	}
	if l.rms > mostPixels {
		return none, fmt.Errorf("corners lie %.2f pixels off the fitted lens; allowed are %g: is the board flat and the camera's focus and zoom the same in all pictures?", l.rms, mostPixels)
	}
	if last > 0 && l.tilt < leastTilt {
		return none, fmt.Errorf("the boards of the pictures are tilted against each other by %.1f degrees at most; allowed are %d and more, 30 are good: what is never tilted does not tell how far away it is", l.tilt, leastTilt)
	}
	a := calibration.Area{
		Width: w, Height: h, Matrix: l.matrix, Distortion: l.distortion, Homography: l.below,
		BoardAt: o.BoardAt, Pictures: len(pictures), Coverage: covered, RMSPixels: l.rms,
	}
	// On the board's own surface: its corners are known there.
	surface := a
	surface.Homography = l.surface
	if err := residuals(&a, surface, corners[last], board); err != nil {
		return none, err
	}
	across := step(corners[last], board, 1)
	a.Turn = math.Atan2(across.y, across.x) * 180 / math.Pi
	return a.Framed(o.MMPerPixel)
}

// findAll finds the board in each picture.
func findAll(pictures []inspection.LineImage, b calibration.Checkerboard) (out [][]point, err error) {
	for i, m := range pictures {
		if m.Width != pictures[0].Width || m.Height != pictures[0].Height {
			return nil, fmt.Errorf("picture %d has %d x %d pixels, the first %d x %d; all must be the camera's own, of one size", i+1, m.Width, m.Height, pictures[0].Width, pictures[0].Height)
		}
		corners, err := find(m, b)
		if err != nil {
			return nil, fmt.Errorf("picture %d: %w", i+1, err)
		}
		if len(corners) == 0 {
			return nil, fmt.Errorf("no board of %d x %d inner corners is found in picture %d: show all of it with its white border, sharp and evenly lit, and count the places where four squares meet", b.Columns, b.Rows, i+1)
		}
		left, right := math.Inf(1), math.Inf(-1)
		for _, p := range corners {
			left, right = min(left, p.x), max(right, p.x)
		}
		least := leastWidth
		switch {
		case len(pictures) == 1:
			least = leastAlone
		case i == len(pictures)-1:
			least = leastOnStrip
		}
		if part := (right - left) / float64(m.Width); part < least {
			return nil, fmt.Errorf("the board takes up %.0f %% of the width of picture %d; allowed are %.0f and more: take a larger one or go nearer", 100*part, i+1, 100*least)
		}
		out = append(out, corners)
	}
	return out, nil
}

// step is the mean way in pixels from a corner to its neighbour, by corners that follow one another (1) or rows (Columns).
func step(corners []point, b calibration.Checkerboard, by int) (s point) {
	from, to := corners[0], corners[b.Columns-1]
	second, fourth := corners[(b.Rows-1)*b.Columns], corners[b.Rows*b.Columns-1]
	n := float64(b.Columns - 1)
	if by != 1 {
		to, second = second, to
		n = float64(b.Rows - 1)
	}
	return point{(to.x - from.x + fourth.x - second.x) / 2 / n, (to.y - from.y + fourth.y - second.y) / 2 / n}
}

// uprightLast orders the corners of all pictures alike: no board is mirrored, and the last one's columns go to the right and its rows
// down, for which the board may be taken the other way round.
func uprightLast(pictures [][]point, b calibration.Checkerboard) (calibration.Checkerboard, [][]point, error) {
	out := make([][]point, len(pictures))
	for i, corners := range pictures {
		c, r := step(corners, b, 1), step(corners, b, b.Columns)
		if c.x*r.y-c.y*r.x < 0 { // columns to the right and rows up: from the other end
			corners = picked(corners, func(i, j int) int { return (b.Rows-1-j)*b.Columns + i }, b.Columns, b.Rows)
		}
		out[i] = corners
	}
	last := len(out) - 1
	turns := 0
	c := step(out[last], b, 1)
	switch {
	case math.Abs(c.x) >= math.Abs(c.y) && c.x < 0:
		turns = 2
	case math.Abs(c.x) < math.Abs(c.y) && c.y > 0:
		turns = 1 // what were rows become columns, from the right to the left of them
	case math.Abs(c.x) < math.Abs(c.y):
		turns = 3
	}
	for i := range out {
		turned := b
		for range turns {
			out[i], turned = quarter(out[i], turned)
		}
	}
	if turns%2 == 1 {
		b.Columns, b.Rows = b.Rows, b.Columns
	}
	c = step(out[last], b, 1)
	if turn := math.Abs(math.Atan2(c.y, c.x)) * 180 / math.Pi; turn > mostTurn {
		return b, nil, fmt.Errorf("the board of the last picture is turned by %.0f degrees against the picture; allowed are %d: lay it square to the strip's run, which goes from the picture's top to its bottom or back", turn, mostTurn)
	}
	return b, out, nil
}

// quarter takes a board by its next corner: the last row's corner comes first, and what went down goes to the right.
func quarter(corners []point, b calibration.Checkerboard) ([]point, calibration.Checkerboard) {
	return picked(corners, func(i, j int) int { return (b.Rows-1-i)*b.Columns + j }, b.Rows, b.Columns), calibration.Checkerboard{Columns: b.Rows, Rows: b.Columns, Square: b.Square}
}

func picked(corners []point, from func(i, j int) int, columns, rows int) []point {
	out := make([]point, 0, len(corners))
	for j := range rows {
		for i := range columns {
			out = append(out, corners[from(i, j)])
		}
	}
	return out
}

// residuals measures where the corners are seen on the board against where they are.
func residuals(a *calibration.Area, surface calibration.Area, corners []point, b calibration.Checkerboard) error {
	v, err := surface.View()
	if err != nil {
		return err
	}
	square := 0.0
	for i, p := range corners {
		x, y, ok := v.Place(p.x, p.y)
		if !ok {
			return fmt.Errorf("corner %d of the last picture lies where the fitted lens sees nothing; take pictures with the board near the borders too", i+1)
		}
		off := math.Hypot(x-float64(i%b.Columns)*b.Square, y-float64(i/b.Columns)*b.Square)
		square += off * off
		a.Most = max(a.Most, off)
	}
	if a.RMS = math.Sqrt(square / float64(len(corners))); a.RMS > mostResidual {
		return fmt.Errorf("the corners lie %.2f mm off the fitted plane; allowed are %.1f: is the board flat, and printed at 100 %%?", a.RMS, mostResidual)
	}
	return nil
}

// coverage is the share of the picture's area in which some picture has the board.
func coverage(pictures [][]point, b calibration.Checkerboard, width, height int) float64 {
	const parts = 64
	in := 0
	for n := range parts * parts {
		x, y := (float64(n%parts)+0.5)/parts*float64(width), (float64(n/parts)+0.5)/parts*float64(height)
		for _, c := range pictures {
			ring := [4]point{c[0], c[b.Columns-1], c[b.Rows*b.Columns-1], c[(b.Rows-1)*b.Columns]}
			inside := true
			for i, p := range ring { // clockwise as the picture shows it
				q := ring[(i+1)%4]
				inside = inside && (q.x-p.x)*(y-p.y)-(q.y-p.y)*(x-p.x) >= 0
			}
			if inside {
				in++
				break
			}
		}
	}
	return float64(in) / (parts * parts)
}
