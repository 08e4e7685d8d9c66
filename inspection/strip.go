// Package inspection holds the vocabulary of surface inspection and its pure rules: what a strip, a
// defect, a gap and a recipe are, and how a defect map becomes a grade. It does no I/O, keeps no
// state and imports nothing but the standard library.
package inspection

import "fmt"

type (
	// CoilID names one coil as the mill's tracking does.
	CoilID string
	// CameraID names one camera of the appliance.
	CameraID string
	// DefectClass is the identifier of a class in the model's catalogue, such as "surface_scratch".
	DefectClass string
	// MM is a length in millimetres.
	MM float64
	// EncoderCount is a position of the strip in pulses of the line's encoder. It only grows while
	// the strip runs forward; a jump in it is strip that nobody looked at.
	EncoderCount int64
)

// Classes that every model must have or that stand for the lack of a verdict.
const (
	// NoDefect is the model's answer for a region that is ordinary strip. Such regions are
	// rejected and not recorded as defects.
	NoDefect DefectClass = "no_defect"
	// Unclassified marks a region that was found but not classified in time.
	Unclassified DefectClass = "unclassified"
	// Unknown is the answer for a region that is none of the catalogue's classes: of a model, where it never
	// saw the like or is not sure enough; of a person, where the picture does not show it well enough.
	Unknown DefectClass = "unknown"
)

// Side is a face of the strip.
type Side string

// The two faces of the strip.
const (
	Top    Side = "top"
	Bottom Side = "bottom"
)

// Sides lists both faces in the order in which maps show them.
func Sides() []Side { return []Side{Top, Bottom} }

// Valid reports whether s is one of the two faces.
func (s Side) Valid() bool { return s == Top || s == Bottom }

// Lighting is the channel a camera looks in.
type Lighting string

// Lighting channels.
const (
	BrightField Lighting = "bright field"
	DarkField   Lighting = "dark field"
)

// EncoderSpan is a half-open range of encoder counts [From, To).
type EncoderSpan struct {
	From EncoderCount `json:"from"`
	To   EncoderCount `json:"to"`
}

// Len is the number of counts in the span.
func (s EncoderSpan) Len() EncoderCount { return s.To - s.From }

// Overlaps reports whether the two spans share a count.
func (s EncoderSpan) Overlaps(o EncoderSpan) bool { return s.From < o.To && o.From < s.To }

// Intersect is the part both spans share; it is empty (Len 0) where they share nothing.
func (s EncoderSpan) Intersect(o EncoderSpan) EncoderSpan {
	r := EncoderSpan{max(s.From, o.From), min(s.To, o.To)}
	if r.To < r.From {
		r.To = r.From
	}
	return r
}

func (s EncoderSpan) String() string { return fmt.Sprintf("[%d, %d)", s.From, s.To) }

// LineImage is a borrowed view of 8-bit pixels: Height scan lines of Width pixels, line y beginning
// at Pix[y*Stride]. Whoever lends it says how long it stays valid; the borrower never writes.
type LineImage struct {
	Pix           []byte
	Width, Height int
	Stride        int
}

// Row is scan line y.
func (m LineImage) Row(y int) []byte { return m.Pix[y*m.Stride : y*m.Stride+m.Width] }

// FlatField makes the columns of a camera alike. A corrected pixel is min(255, (max(0, p-offset)*gain + 8192) >> 14). The zero
// value leaves pixels as they are.
type FlatField struct {
	Gain ColumnGain
	// Offset is what each column reads without light, in grey levels; nil stands for 0 everywhere. It needs a Gain.
	Offset []uint8
}

// Correct is a pixel of a column after the flat field.
func (f FlatField) Correct(p byte, x int) byte {
	if f.Gain == nil {
		return p
	}
	v := uint32(p)
	if f.Offset != nil {
		v -= min(v, uint32(f.Offset[x]))
	}
	return byte(min(255, (v*uint32(f.Gain[x])+UnityGain/2)>>14))
}

// Columns are those of a part of the frame.
func (f FlatField) Columns(from, to int) FlatField {
	if f.Gain == nil {
		return f
	}
	g := FlatField{Gain: f.Gain[from:to]}
	if f.Offset != nil {
		g.Offset = f.Offset[from:to]
	}
	return g
}

// ColumnGain is one factor a column in units of 1/16384 (Q14). Nil stands for a factor of one everywhere.
type ColumnGain []uint16

// UnityGain is the factor one in ColumnGain's units.
const UnityGain = 1 << 14

// StripRect is a rectangle on the strip in mm: Along from the head end in rolling direction, Across
// from the operator-side edge.
type StripRect struct {
	Along  MM `json:"along_mm"`
	Across MM `json:"across_mm"`
	Length MM `json:"length_mm"`
	Width  MM `json:"width_mm"`
}

// Area is the rectangle's area in mm².
func (r StripRect) Area() float64 { return float64(r.Length) * float64(r.Width) }

// Union is the smallest rectangle that holds both.
func (r StripRect) Union(o StripRect) StripRect {
	a, c := min(r.Along, o.Along), min(r.Across, o.Across)
	return StripRect{
		Along: a, Across: c,
		Length: max(r.Along+r.Length, o.Along+o.Length) - a,
		Width:  max(r.Across+r.Width, o.Across+o.Width) - c,
	}
}

// Overlap is what both hold, of no size where that is nothing.
func (r StripRect) Overlap(o StripRect) StripRect {
	a, c := max(r.Along, o.Along), max(r.Across, o.Across)
	return StripRect{
		Along: a, Across: c,
		Length: max(0, min(r.Along+r.Length, o.Along+o.Length)-a),
		Width:  max(0, min(r.Across+r.Width, o.Across+o.Width)-c),
	}
}

// Near reports whether the two touch or lie within slack of each other.
func (r StripRect) Near(o StripRect, slack MM) bool {
	return r.Along <= o.Along+o.Length+slack && o.Along <= r.Along+r.Length+slack &&
		r.Across <= o.Across+o.Width+slack && o.Across <= r.Across+r.Width+slack
}

// CoilOrder is what Level 2 or the MES announces of a coil before it runs. Zero means not announced.
type CoilOrder struct {
	Width      MM     `json:"width_mm,omitempty"`
	Thickness  MM     `json:"thickness_mm,omitempty"`
	Length     MM     `json:"length_mm,omitempty"`
	SteelGrade string `json:"steel_grade,omitempty"`
	Recipe     string `json:"recipe,omitempty"`
	Customer   string `json:"customer,omitempty"`
}

// Strip is the metal of one coil as it was measured under the cameras, head end to tail end.
type Strip struct {
	Coil   CoilID `json:"coil"`
	Length MM     `json:"length_mm"`
	Width  MM     `json:"width_mm"`
	// Sides that cameras look at. A side that is not listed was not inspected at all, and nothing is
	// said of it; empty stands for both.
	Sides []Side `json:"sides,omitempty"`
}

// InspectedSides are the sides that cameras look at.
func (s Strip) InspectedSides() []Side {
	if len(s.Sides) == 0 {
		return Sides()
	}
	return s.Sides
}
