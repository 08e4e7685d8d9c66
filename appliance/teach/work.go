package teach

import (
	"cmp"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"

	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

const (
	questionsName = "questions.json"
	regionsName   = "regions.gob"
	montageName   = "before-after.png"
	// montagePictures are shown, those with most to see.
	montagePictures = 6
	montageWidth    = 1600 // pixels
	montageGap      = 6
)

// work is what people, and the next version, are given beside the version's file.
type work struct {
	t       *Taught
	dir     string
	before  []Region // with the limits as they ship
	after   []Region // with the scales
	grounds []ground
}

func (w *work) write() error {
	if err := os.MkdirAll(filepath.Join(w.dir, "questions"), 0o755); err != nil {
		return err
	}
	w.t.Grounds = nil
	for i, g := range w.grounds {
		at := Ground{File: fmt.Sprintf("ground-%d.png", i+1), X: g.x, Y: g.y}
		img := &image.Gray{Pix: g.img.Pix, Stride: g.img.Stride, Rect: image.Rect(0, 0, g.img.Width, g.img.Height)}
		if err := writePNG(filepath.Join(w.dir, at.File), img); err != nil {
			return err
		}
		w.t.Grounds = append(w.t.Grounds, at)
	}
	if err := w.writeRegions(); err != nil {
		return err
	}
	if err := w.writeQuestions(); err != nil {
		return err
	}
	return w.montage()
}

// writeRegions keeps all regions for the answers that may come.
func (w *work) writeRegions() (err error) {
	f, err := os.Create(filepath.Join(w.dir, regionsName))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return gob.NewEncoder(f).Encode([2][]Region{w.before, w.after})
}

func readRegions(dir string) (before, after []Region, err error) {
	f, err := os.Open(filepath.Join(dir, regionsName))
	if err != nil {
		return nil, nil, fmt.Errorf("the regions of the teaching: %w", err)
	}
	defer f.Close()
	var both [2][]Region
	if err := gob.NewDecoder(f).Decode(&both); err != nil {
		return nil, nil, fmt.Errorf("%s is not readable: %w", f.Name(), err)
	}
	return both[0], both[1], nil
}

func readGrounds(dir string, all []Ground) ([]ground, error) {
	var out []ground
	for _, g := range all {
		if filepath.Base(g.File) != g.File {
			return nil, fmt.Errorf("ground %q is not a file of the work folder", g.File)
		}
		pix, w, h, err := replay.ReadPicture(filepath.Join(dir, g.File))
		if err != nil {
			return nil, err
		}
		if g.X < 0 || g.Y < 0 || g.X+inference.CropSize > w || g.Y+inference.CropSize > h {
			return nil, fmt.Errorf("ground %s has no room for a golden defect at %d, %d", g.File, g.X, g.Y)
		}
		out = append(out, ground{img: inspection.LineImage{Pix: pix, Width: w, Height: h, Stride: w}, x: g.X, y: g.Y})
	}
	return out, nil
}

// writeQuestions writes the crops and questions.json.
func (w *work) writeQuestions() error {
	type asked struct {
		Number     int                    `json:"number"`
		Why        string                 `json:"why"`
		Crop       string                 `json:"crop"`
		Picture    string                 `json:"picture"`
		X          int                    `json:"x"`
		Y          int                    `json:"y"`
		Width      int                    `json:"width"`
		Height     int                    `json:"height"`
		Model      inspection.DefectClass `json:"model"`
		Confidence float32                `json:"confidence"`
		Alike      int                    `json:"alike"`
		Answer     string                 `json:"answer,omitempty"`
	}
	out := []asked{}
	for i := range w.t.Questions {
		q := &w.t.Questions[i]
		q.Crop, q.Picture = cropName(q.Number), w.t.pathOf(q.Region.Picture)
		if err := w.crop(q); err != nil {
			return err
		}
		a := asked{
			q.Number, q.Why, q.Crop, q.Picture, q.Region.X, q.Region.Y, q.Region.Width, q.Region.Height,
			q.Region.Verdict, q.Region.Confidence, q.Alike, "",
		}
		for _, said := range w.t.Answers {
			if said.Number == q.Number {
				a.Answer = said.Answer
			}
		}
		out = append(out, a)
	}
	data, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.dir, questionsName), append(data, '\n'), 0o644)
}

// crop writes a question's region with the strip around it, framed.
func (w *work) crop(q *Question) error {
	pix, width, height, err := replay.ReadPicture(q.Picture)
	if err != nil {
		return fmt.Errorf("question %d: %w", q.Number, err)
	}
	const around = 64
	r := q.Region
	at := image.Rect(r.X-around, r.Y-around, r.X+r.Width+around, r.Y+r.Height+around).Intersect(image.Rect(0, 0, width, height))
	out := image.NewRGBA(image.Rect(0, 0, at.Dx(), at.Dy()))
	for y := range at.Dy() {
		for x := range at.Dx() {
			g := pix[(at.Min.Y+y)*width+at.Min.X+x]
			out.SetRGBA(x, y, color.RGBA{g, g, g, 255})
		}
	}
	frame(out, image.Rect(r.X, r.Y, r.X+r.Width, r.Y+r.Height).Sub(at.Min).Inset(-3), color.RGBA{255, 200, 0, 255})
	return writePNG(filepath.Join(w.dir, q.Crop), out)
}

// montage shows pictures with what is reported before, and below it after: what is reported is red, and green what
// the model would report and a look takes for normal.
func (w *work) montage() error {
	reported := make([]int, len(w.t.Pictures))
	for i := range w.before {
		if w.before[i].reported(nil) {
			reported[w.before[i].Picture]++
		}
	}
	show := make([]int, len(reported))
	for i := range show {
		show[i] = i
	}
	slices.SortStableFunc(show, func(a, b int) int { return cmp.Compare(reported[b], reported[a]) })
	var parts []*image.RGBA
	height := 0
	for _, p := range show[:min(montagePictures, len(show))] {
		pix, width, h, err := replay.ReadPicture(w.t.Pictures[p].Path)
		if err != nil {
			return err
		}
		for _, side := range []struct {
			regions []Region
			normal  inference.Normal
		}{{w.before, nil}, {w.after, w.t.Normal()}} {
			m := w.drawn(p, pix, width, h, side.regions, side.normal)
			parts = append(parts, m)
			height += m.Rect.Dy() + montageGap
		}
	}
	all := image.NewRGBA(image.Rect(0, 0, montageWidth, height))
	y := 0
	for _, m := range parts {
		for row := range m.Rect.Dy() {
			copy(all.Pix[(y+row)*all.Stride:], m.Pix[row*m.Stride:(row+1)*m.Stride])
		}
		y += m.Rect.Dy() + montageGap
	}
	return writePNG(filepath.Join(w.dir, montageName), all)
}

// drawn is one picture, made smaller to fit the montage, with its regions framed.
func (w *work) drawn(picture int, pix []byte, width, height int, regions []Region, normal inference.Normal) *image.RGBA {
	by := (width + montageWidth - 1) / montageWidth
	out := image.NewRGBA(image.Rect(0, 0, min(montageWidth, width/by), height/by))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			g := pix[y*by*width+x*by]
			out.SetRGBA(x, y, color.RGBA{g, g, g, 255})
		}
	}
	for i := range regions {
		r := &regions[i]
		if r.Picture != picture || r.Verdict == inspection.NoDefect {
			continue
		}
		c := color.RGBA{255, 40, 40, 255}
		if !r.reported(normal) {
			c = color.RGBA{40, 220, 60, 255}
		}
		frame(out, image.Rect(r.X/by, r.Y/by, (r.X+r.Width)/by, (r.Y+r.Height)/by), c)
	}
	return out
}

// frame draws a rectangle's outline, two pixels wide; what lies outside the picture is left out.
func frame(m *image.RGBA, r image.Rectangle, c color.RGBA) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if x-r.Min.X < 2 || r.Max.X-x <= 2 || y-r.Min.Y < 2 || r.Max.Y-y <= 2 {
				if image.Pt(x, y).In(m.Rect) {
					m.SetRGBA(x, y, c)
				}
			}
		}
	}
}

func writePNG(path string, m image.Image) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return png.Encode(f, m)
}
