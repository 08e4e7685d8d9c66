package teach

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// Picture is one picture of the strip, as the record of a teaching names it.
type Picture struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// Region is a place that the detector gave, and what the model says of it.
type Region struct {
	Picture int `json:"picture"` // index into the pictures
	X       int `json:"x"`
	Y       int `json:"y"`
	Width   int `json:"width"`
	Height  int `json:"height"`
	// Across is where its middle lies on the strip, 0 at the left edge and 1 at the right.
	Across float64 `json:"across"`
	// Score is the response over the detector's limit.
	Score      float32                `json:"score"`
	Line       int                    `json:"line"`    // its first scan line, over all pictures
	Verdict    inspection.DefectClass `json:"verdict"` // without what was taught
	Defect     inspection.DefectClass `json:"defect"`  // the likeliest defect class
	Confidence float32                `json:"confidence"`
	Features   []float32              `json:"features"`
}

// reported tells whether the region reaches the record, where so much is normal.
func (r *Region) reported(normal inference.Normal) bool {
	return r.Verdict != inspection.NoDefect && !normal.Holds(r.Features, r.Confidence)
}

// pictureKinds are the files of a folder that are taken for pictures.
func pictureKinds() []string { return []string{".jpg", ".jpeg", ".png", ".tif", ".tiff"} }

// findPictures lists the files named and the pictures of the folders named, in order of their names. Their paths are
// absolute: answers may come from a process in another folder.
func findPictures(paths []string) ([]string, error) {
	var out []string
	for _, p := range paths {
		p, err := filepath.Abs(p)
		if err != nil {
			return nil, fmt.Errorf("strip pictures: %w", err)
		}
		st, err := os.Stat(p)
		if err != nil {
			return nil, fmt.Errorf("strip pictures: %w", err)
		}
		if !st.IsDir() {
			out = append(out, p)
			continue
		}
		entries, err := os.ReadDir(p)
		if err != nil {
			return nil, fmt.Errorf("strip pictures: %w", err)
		}
		for _, e := range entries { // in order of name
			if !e.IsDir() && slices.Contains(pictureKinds(), strings.ToLower(filepath.Ext(e.Name()))) {
				out = append(out, filepath.Join(p, e.Name()))
			}
		}
	}
	return out, nil
}

// readStrip reads one picture and tells what it is.
func readStrip(path string) (inspection.LineImage, Picture, error) {
	pix, w, h, err := replay.ReadPicture(path)
	if err != nil {
		return inspection.LineImage{}, Picture{}, err
	}
	sum, err := fileSum(path)
	if err != nil {
		return inspection.LineImage{}, Picture{}, fmt.Errorf("strip pictures: %w", err)
	}
	return inspection.LineImage{Pix: pix, Width: w, Height: h, Stride: w}, Picture{Path: path, SHA256: sum, Width: w, Height: h}, nil
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// eye looks at pictures as the line does. Whoever makes one must close it.
type eye struct {
	continuous bool // a picture goes on where the one before ended; else each is the start of a strip
	line       int  // scan lines of the pictures before

	classifier *inference.Classifier
	options    inference.DetectorOptions
	detector   *inference.Detector // for width
	width      int
	seen       inspection.Screening
	crops      [][]byte
	said       []inference.Observation
}

func newEye(c *inference.Classifier, threshold float32, scales inference.Scales) *eye {
	return &eye{classifier: c, options: inference.DetectorOptions{Threshold: threshold, Scales: scales}}
}

func (e *eye) close() {
	if e.detector != nil {
		e.detector.Close()
	}
}

// look appends the regions of a picture to dst.
func (e *eye) look(dst []Region, picture int, img inspection.LineImage) ([]Region, error) {
	if e.detector == nil || e.width != img.Width {
		e.close()
		e.detector = nil
		d, err := inference.NewDetector(img.Width, e.options)
		if err != nil {
			return dst, err
		}
		e.detector, e.width = d, img.Width
	}
	if err := e.detector.Screen(&e.seen, img, inspection.FlatField{}, !e.continuous || e.line == 0); err != nil {
		return dst, err
	}
	defer func() { e.line += img.Height }()
	found := e.seen.Regions
	for len(e.crops) < len(found) {
		e.crops = append(e.crops, make([]byte, inference.CropSize*inference.CropSize))
	}
	for i, r := range found {
		inference.CutCrop(e.crops[i], img, inspection.FlatField{}, r, e.seen.Edges)
	}
	var err error
	if e.said, err = e.classifier.Observe(e.said[:0], e.crops[:len(found)]); err != nil {
		return dst, err
	}
	for i, r := range found {
		o, edges := e.said[i], e.seen.Edges
		across := (float64(r.X) + float64(r.Width)/2 - edges.Left) / max(edges.Right-edges.Left, 1)
		dst = append(dst, Region{
			Picture: picture, X: r.X, Y: r.Y, Width: r.Width, Height: r.Height, Across: min(max(across, 0), 1), Score: r.Score,
			Verdict: o.Verdict.Class, Defect: o.Defect, Confidence: o.Confidence, Features: o.Features,
			Line: e.line + r.Y,
		})
	}
	return dst, nil
}

// byClass counts the regions that are reported.
func byClass(regions []Region, normal inference.Normal) (total int, of map[inspection.DefectClass]int) {
	of = map[inspection.DefectClass]int{}
	for i := range regions {
		if r := &regions[i]; r.reported(normal) {
			of[r.Verdict]++
			total++
		}
	}
	return total, of
}
