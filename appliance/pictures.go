package appliance

import (
	"errors"
	"fmt"
	"time"

	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// Event is a defect found in a single picture, in pixels from its top left.
type Event struct {
	X          int                    `json:"x"`
	Y          int                    `json:"y"`
	Width      int                    `json:"width"`
	Height     int                    `json:"height"`
	Class      inspection.DefectClass `json:"class"`
	Confidence float32                `json:"confidence"`
}

// PictureResult is what was found in one picture.
type PictureResult struct {
	Image        string  `json:"image"`
	Width        int     `json:"width"`
	Height       int     `json:"height"`
	Events       []Event `json:"events"`
	Milliseconds float64 `json:"milliseconds"` // detection and classification, reading the file left out
}

// PictureInspector looks at pictures one by one, each as the start of a strip of its own: the same
// detector, crops and model as the line, without strip, record or grade. Use it from one goroutine.
type PictureInspector struct {
	engine    *Engine
	threshold float32
	detector  *inference.Detector // for width
	width     int
	seen      inspection.Screening
	crops     [][]byte
	verdicts  []inspection.Classification
}

// NewPictureInspector uses an engine, which it does not close.
func NewPictureInspector(e *Engine, threshold float32) *PictureInspector {
	return &PictureInspector{engine: e, threshold: threshold}
}

// Close ends the detector.
func (p *PictureInspector) Close() {
	if p.detector != nil {
		p.detector.Close()
	}
}

// Inspect reads a picture file and finds its defects.
func (p *PictureInspector) Inspect(path string) (PictureResult, error) {
	pix, w, h, err := replay.ReadPicture(path)
	if err != nil {
		return PictureResult{}, err
	}
	began := time.Now()
	events, err := p.find(inspection.LineImage{Pix: pix, Width: w, Height: h, Stride: w})
	if err != nil {
		return PictureResult{}, fmt.Errorf("%s: %w", path, err)
	}
	return PictureResult{
		Image: path, Width: w, Height: h, Events: events,
		Milliseconds: float64(time.Since(began).Microseconds()) / 1000,
	}, nil
}

func (p *PictureInspector) find(img inspection.LineImage) ([]Event, error) {
	regions, verdicts, err := p.Look(img)
	if err != nil {
		return nil, err
	}
	events := []Event{}
	for i, r := range regions {
		if v := verdicts[i]; v.Class != inspection.NoDefect {
			events = append(events, Event{r.X, r.Y, r.Width, r.Height, v.Class, v.Confidence})
		}
	}
	return events, nil
}

// Look finds the regions of a picture and gives the model's verdict on each, no_defect among them. Both
// slices hold until the next call.
func (p *PictureInspector) Look(img inspection.LineImage) ([]inspection.RegionOfInterest, []inspection.Classification, error) {
	if p.detector == nil || p.width != img.Width {
		p.Close()
		d, err := inference.NewDetector(img.Width, inference.DetectorOptions{Threshold: p.threshold, Scales: p.engine.Scales()})
		if err != nil {
			p.detector = nil
			return nil, nil, err
		}
		p.detector, p.width = d, img.Width
	}
	p.detector.Reset()
	if err := p.detector.Screen(&p.seen, img, inspection.FlatField{}, true); err != nil {
		return nil, nil, err
	}
	regions := p.seen.Regions
	for len(p.crops) < len(regions) {
		p.crops = append(p.crops, make([]byte, inference.CropSize*inference.CropSize))
	}
	for i, r := range regions {
		inference.CutCrop(p.crops[i], img, inspection.FlatField{}, r, p.seen.Edges)
	}
	var err error
	p.verdicts, err = p.engine.Classifier.ClassifyBatch(p.verdicts[:0], p.crops[:len(regions)])
	for i := range p.verdicts {
		p.verdicts[i] = regions[i].Verdict(p.verdicts[i])
	}
	return regions, p.verdicts, err
}

// CropResult is the verdict on a picture taken as one crop.
type CropResult struct {
	Image      string                             `json:"image"`
	Class      inspection.DefectClass             `json:"class"`
	Confidence float32                            `json:"confidence"`
	Scores     map[inspection.DefectClass]float32 `json:"scores"`
}

// ReadCrop reads a picture file as one crop, scaled to what the model takes.
func ReadCrop(path string) ([]byte, error) {
	pix, w, h, err := replay.ReadPicture(path)
	if err != nil {
		return nil, err
	}
	crop := make([]byte, inference.CropSize*inference.CropSize)
	if err := inference.ScaleToCrop(crop, pix, w, h); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return crop, nil
}

// ClassifyPicture reads a picture file, scales it to a crop and classifies it.
func ClassifyPicture(e *Engine, path string) (CropResult, error) {
	crop, err := ReadCrop(path)
	if err != nil {
		return CropResult{}, err
	}
	scores, err := e.Classifier.Scores(nil, [][]byte{crop})
	if err != nil {
		return CropResult{}, fmt.Errorf("%s: %w", path, err)
	}
	classes := e.Classifier.Classes()
	if len(scores) != len(classes) {
		return CropResult{}, errors.New("the model gave another number of scores than it has classes")
	}
	r := CropResult{Image: path, Scores: map[inspection.DefectClass]float32{}}
	for i, s := range scores {
		r.Scores[classes[i]] = s
		if s > r.Confidence {
			r.Class, r.Confidence = classes[i], s
		}
	}
	return r, nil
}
