package report

import (
	"strings"

	"codeberg.org/go-pdf/fpdf"

	"github.com/coilsight/coilsight/inspection"
)

// shape is the symbol of a class. Shapes and hues are those of the pages on the screen: web/ui/src/lib/palette.ts and
// shapes.ts, in their light theme.
type shape int

const (
	barShape shape = iota
	ringShape
	squareShape
	diamondShape
	lensShape
	notchShape
	dotShape
	crossShape
	hexagonShape
	plusShape
)

type rgb struct{ r, g, b int }

// look is how a class is drawn.
type look struct {
	shape shape
	hue   rgb
}

// lookOf finds the look of a class by the words of its id; a class that has none of them gets a grey plus.
func lookOf(class inspection.DefectClass) look {
	scratch, roll, scale := rgb{0x3b, 0x51, 0xaf}, rgb{0x4b, 0x0a, 0x4e}, rgb{0x02, 0x49, 0x2f}
	inclusion, edge, pit := rgb{0x1a, 0x84, 0xdc}, rgb{0x4d, 0x81, 0x5b}, rgb{0x67, 0x53, 0x06}
	stain, patch, other := rgb{0x7f, 0x80, 0xa1}, rgb{0x85, 0x84, 0x0f}, rgb{0x5b, 0x5d, 0x5f}
	for _, l := range []struct {
		word string
		look
	}{
		{"scratch", look{barShape, scratch}},
		{"roll_print", look{ringShape, roll}},
		{"roll_mark", look{ringShape, roll}},
		{"temperature", look{diamondShape, scale}},
		{"scale", look{squareShape, scale}},
		{"inclusion", look{lensShape, inclusion}},
		{"sliver", look{lensShape, inclusion}},
		{"edge", look{notchShape, edge}},
		{"hole", look{dotShape, pit}},
		{"pit", look{dotShape, pit}},
		{"dent", look{dotShape, pit}},
		{"stain", look{crossShape, stain}},
		{"ash", look{crossShape, stain}},
		{"red_iron", look{hexagonShape, patch}},
		{"patch", look{hexagonShape, patch}},
		{"crazing", look{hexagonShape, patch}},
	} {
		if strings.Contains(string(class), l.word) {
			return l.look
		}
	}
	return look{plusShape, other}
}

// ringHue is that of the ring around what decided a grade.
func ringHue(g inspection.Grade) rgb {
	switch g {
	case inspection.Block:
		return rgb{0xc4, 0x12, 0x2f}
	case inspection.Hold:
		return rgb{0xb3, 0x5c, 0x00}
	}
	return rgb{0xa3, 0x17, 0x9a}
}

// filledFrom is the severity from which a symbol is filled.
const filledFrom = 2

// symbolSize is the side of a symbol in mm, by severity.
func symbolSize(s inspection.Severity) float64 {
	return 1.3 + 0.45*float64(min(s, 4))
}

// outline of a shape on a square of 16, by its corners.
func corners(s shape) []fpdf.PointType {
	switch s {
	case barShape:
		return []fpdf.PointType{{X: 1, Y: 5.5}, {X: 15, Y: 5.5}, {X: 15, Y: 10.5}, {X: 1, Y: 10.5}}
	case squareShape:
		return []fpdf.PointType{{X: 2.2, Y: 2.2}, {X: 13.8, Y: 2.2}, {X: 13.8, Y: 13.8}, {X: 2.2, Y: 13.8}}
	case diamondShape:
		return []fpdf.PointType{{X: 8, Y: 0.8}, {X: 15.2, Y: 8}, {X: 8, Y: 15.2}, {X: 0.8, Y: 8}}
	case notchShape:
		return []fpdf.PointType{{X: 1, Y: 2.2}, {X: 15, Y: 2.2}, {X: 8, Y: 14.6}}
	case crossShape:
		return []fpdf.PointType{
			{X: 3.6, Y: 1},
			{X: 8, Y: 5.4},
			{X: 12.4, Y: 1},
			{X: 15, Y: 3.6},
			{X: 10.6, Y: 8},
			{X: 15, Y: 12.4},
			{X: 12.4, Y: 15},
			{X: 8, Y: 10.6},
			{X: 3.6, Y: 15},
			{X: 1, Y: 12.4},
			{X: 5.4, Y: 8},
			{X: 1, Y: 3.6},
		}
	case hexagonShape:
		return []fpdf.PointType{{X: 4.4, Y: 1.6}, {X: 11.6, Y: 1.6}, {X: 15.2, Y: 8}, {X: 11.6, Y: 14.4}, {X: 4.4, Y: 14.4}, {X: 0.8, Y: 8}}
	case plusShape:
		return []fpdf.PointType{
			{X: 6, Y: 1},
			{X: 10, Y: 1},
			{X: 10, Y: 6},
			{X: 15, Y: 6},
			{X: 15, Y: 10},
			{X: 10, Y: 10},
			{X: 10, Y: 15},
			{X: 6, Y: 15},
			{X: 6, Y: 10},
			{X: 1, Y: 10},
			{X: 1, Y: 6},
			{X: 6, Y: 6},
		}
	}
	return nil
}

// drawSymbol draws a class's symbol around a point: filled from filledFrom on, an outline on white before.
func drawSymbol(p *fpdf.Fpdf, l look, s inspection.Severity, x, y float64) {
	size := symbolSize(s)
	unit := size / 16
	p.SetDrawColor(l.hue.r, l.hue.g, l.hue.b)
	p.SetLineWidth(max(0.12, 1.8*unit))
	p.SetFillColor(255, 255, 255)
	if s >= filledFrom {
		p.SetFillColor(l.hue.r, l.hue.g, l.hue.b)
	}
	switch l.shape {
	case ringShape:
		p.Circle(x, y, 6.2*unit, "DF")
		if s >= filledFrom {
			p.SetFillColor(255, 255, 255)
			p.Circle(x, y, 2.8*unit, "F")
		}
	case dotShape:
		p.Circle(x, y, 4.4*unit, "DF")
	case lensShape:
		left, right := x-7.2*unit, x+7.2*unit
		p.MoveTo(left, y)
		p.CurveTo(x, y-8.6*unit, right, y)
		p.CurveTo(x, y+8.6*unit, left, y)
		p.ClosePath()
		p.DrawPath("DF")
	default:
		points := corners(l.shape)
		for i := range points {
			points[i].X, points[i].Y = x+(points[i].X-8)*unit, y+(points[i].Y-8)*unit
		}
		p.Polygon(points, "DF")
	}
}
