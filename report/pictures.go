package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"

	"codeberg.org/go-pdf/fpdf"

	"github.com/coilsight/coilsight/inspection"
)

// Measures of the page of pictures in mm.
const (
	pictureColumns = 3
	pictureSize    = 38.0
	pictureStep    = 62.5
)

// pictures shows the worst defects, each with its place, size, class and review.
func (d *paper) pictures(ctx context.Context, r Record) error {
	if len(d.worst) == 0 {
		return nil
	}
	rows := (len(d.worst) + pictureColumns - 1) / pictureColumns
	d.heading(d.words.worst(len(d.worst), len(d.marks)), float64(rows)*pictureStep)
	top := d.y
	const step = bodyWidth / pictureColumns
	for i := range d.worst {
		x, y := sideMargin+float64(i%pictureColumns)*step, top+float64(i/pictureColumns)*pictureStep
		if err := d.picture(ctx, r, i, x, y); err != nil {
			return err
		}
		d.caption(i, x, y+pictureSize+1, step-4)
	}
	d.y = top + float64(rows)*pictureStep
	return nil
}

// picture draws that of the worst defect i; where there is none, or it cannot be read, it says so in its place.
func (d *paper) picture(ctx context.Context, r Record, i int, x, y float64) error {
	instead := d.words.noPicture
	b, err := grey8(ctx, r, &d.worst[i])
	var gone *inspection.NotFoundError
	var broken *pictureError
	switch {
	case errors.As(err, &gone):
	case errors.As(err, &broken):
		instead = d.words.badPicture
	case err != nil:
		return err
	case b != nil:
		instead = ""
		name := fmt.Sprint("defect ", d.worst[i].ID)
		d.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(b))
		d.ImageOptions(name, x, y, pictureSize, pictureSize, false, fpdf.ImageOptions{ImageType: "PNG"}, 0, "")
	}
	d.SetDrawColor(120, 124, 128)
	d.SetLineWidth(0.2)
	d.Rect(x, y, pictureSize, pictureSize, "D")
	if instead != "" {
		d.grey()
		d.line(x+2, y+pictureSize/2-2, pictureSize-4, 8, false, instead)
	}
	d.tag(x+1, y+1, i+1)
	return nil
}

// pictureError is a picture that is there and cannot be read.
type pictureError struct{ err error }

func (e *pictureError) Error() string { return "picture: " + e.err.Error() }

// mostPicture bounds a picture in bytes and in pixels; a crop has 224 x 224.
const (
	mostPicture = 4 << 20
	mostPixels  = 2048 * 2048
)

// grey8 is the picture of a defect as a PNG of 8 bits grey, whatever it was kept as; nil where none was kept.
func grey8(ctx context.Context, r Record, d *inspection.Defect) ([]byte, error) {
	if !d.HasImage {
		return nil, nil
	}
	f, err := r.Image(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, mostPicture))
	if err != nil {
		return nil, &pictureError{err}
	}
	head, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, &pictureError{err}
	}
	if head.Width*head.Height > mostPixels {
		return nil, &pictureError{fmt.Errorf("%d x %d pixels are too many", head.Width, head.Height)}
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, &pictureError{err}
	}
	g := image.NewGray(image.Rect(0, 0, head.Width, head.Height))
	draw.Draw(g, g.Bounds(), m, m.Bounds().Min, draw.Src)
	var out bytes.Buffer
	if err := png.Encode(&out, g); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// caption writes what is known of the worst defect i.
func (d *paper) caption(i int, x, y, width float64) {
	w, e := d.words, &d.worst[i]
	class, severity := e.Class, min(e.Severity, 4)
	review := w.review + ": " + w.notReviewed
	if v := e.Review; v != nil {
		review = w.agreedBy + " " + v.By
		class, severity = v.Class, min(severityUnder(*v, d.recipe), 4)
		if v.Class != e.Class {
			review = w.wasCalled(d.className(e.Class), v.By)
		}
	}
	drawSymbol(d.Fpdf, lookOf(class), severity, x+1.5, y+1.7)
	d.black()
	d.line(x+4, y, width-4, 9, true, d.className(class))
	for k, text := range []string{
		w.side[e.Side] + " · " + w.alongPlace(number(float64(e.Rect.Along)/1000, 3)),
		w.acrossPlace(number(float64(e.Rect.Across), 0)),
		fmt.Sprintf("%s × %s mm · %s %s", number(float64(e.Rect.Length), 1), number(float64(e.Rect.Width), 1), w.confidence, number(floored(float64(e.Conf)*100, 0), 0)+" %"),
		fmt.Sprintf("%s %d, %s · #%d", w.severityName, severity, w.severity[severity], e.ID),
		review,
	} {
		d.line(x, y+4.2+float64(k)*3.4, width, 7.5, false, text)
	}
}
