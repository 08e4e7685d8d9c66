package accuracy

import (
	"cmp"
	"image"
	"image/png"
	"io"
	"slices"

	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// ErrorKind is what went wrong.
type ErrorKind string

// Kinds of errors, in the order they are shown.
const (
	WrongClass   ErrorKind = "wrong class"
	WrongSetIn   ErrorKind = "wrong class, set into strip"
	MissedRegion ErrorKind = "labelled region not found"
	FiredClean   ErrorKind = "fired in a clean window"
	MissedBox    ErrorKind = "box not found"
)

// Error is one of the worst errors, with the picture of it.
type Error struct {
	Number     int                    `json:"number"` // of its tile in the montage, from 1
	Kind       ErrorKind              `json:"kind"`
	Path       string                 `json:"picture"`
	Rect       *Rectangle             `json:"rect,omitempty"` // where in the picture; nil: all of it
	Truth      inspection.DefectClass `json:"truth"`
	Answer     inspection.DefectClass `json:"answer,omitempty"` // empty: nothing was found
	Confidence float32                `json:"confidence,omitempty"`
	Covered    float64                `json:"covered,omitempty"` // share of what is labelled that lies in events

	crop []byte
}

// Rectangle is in pixels from the top left of a picture.
type Rectangle struct {
	X      int `json:"x"`
	Y      int `json:"y"`
	Width  int `json:"width"`
	Height int `json:"height"`
}

func rectangle(r image.Rectangle) *Rectangle { return &Rectangle{r.Min.X, r.Min.Y, r.Dx(), r.Dy()} }

// cropAt is what a classifier would be shown of a part of a picture.
func cropAt(img inspection.LineImage, r image.Rectangle) []byte {
	crop := make([]byte, inference.CropSize*inference.CropSize)
	c := r.Min.Add(r.Max).Div(2)
	inference.CutCrop(crop, img, inspection.FlatField{}, inspection.RegionOfInterest{
		X: r.Min.X, Y: r.Min.Y, Width: r.Dx(), Height: r.Dy(), PeakX: c.X, PeakY: c.Y,
	}, inspection.StripEdges{})
	return crop
}

// worstOfKind bounds what is kept: four rows of the montage.
const worstOfKind = 4 * montageColumns

// worst keeps the worst errors of each kind.
type worst struct{ kinds map[ErrorKind][]badError }

type badError struct {
	Error
	badness float64
}

func (w *worst) add(e Error, badness float64) {
	if w.kinds == nil {
		w.kinds = map[ErrorKind][]badError{}
	}
	k := w.kinds[e.Kind]
	at, _ := slices.BinarySearchFunc(k, badError{e, badness}, func(a, b badError) int {
		return cmp.Or(cmp.Compare(b.badness, a.badness), cmp.Compare(a.Path, b.Path))
	})
	if at >= worstOfKind {
		return
	}
	k = slices.Insert(k, at, badError{e, badness})
	w.kinds[e.Kind] = k[:min(len(k), worstOfKind)]
}

func (w *worst) sorted() []Error {
	var out []Error
	for _, kind := range []ErrorKind{WrongClass, WrongSetIn, MissedRegion, FiredClean, MissedBox} {
		for _, e := range w.kinds[kind] {
			e.Number = len(out) + 1
			out = append(out, e.Error)
		}
	}
	return out
}

const (
	montageColumns = 8
	montageGap     = 4 // white pixels between tiles
)

// WriteMontage writes the errors' pictures as one PNG, numbered from the left and from the top. There
// must be at least one.
func WriteMontage(w io.Writer, errors []Error) error {
	const step = inference.CropSize + montageGap
	columns := min(len(errors), montageColumns)
	rows := (len(errors) + montageColumns - 1) / montageColumns
	m := image.NewGray(image.Rect(0, 0, columns*step+montageGap, rows*step+montageGap))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	for i, e := range errors {
		x, y := montageGap+i%montageColumns*step, montageGap+i/montageColumns*step
		for r := range inference.CropSize {
			copy(m.Pix[(y+r)*m.Stride+x:], e.crop[r*inference.CropSize:(r+1)*inference.CropSize])
		}
	}
	return png.Encode(w, m)
}
