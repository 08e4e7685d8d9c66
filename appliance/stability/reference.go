package stability

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inspection"
)

// Reference is the coil that is looked at again and again: a folder of pictures, or one that the mill simulator
// renders from a seed, the same on every machine.
type Reference struct {
	Dir  string // empty: simulated
	Seed uint64
}

// String names the reference for a person.
func (r Reference) String() string {
	if r.Dir == "" {
		return fmt.Sprintf("simulated %d", r.Seed)
	}
	return r.Dir
}

// Name is what the baseline is called where nobody says otherwise.
func (r Reference) Name() string {
	if r.Dir == "" {
		return fmt.Sprintf("simulated-%d", r.Seed)
	}
	abs, err := filepath.Abs(r.Dir)
	if err != nil {
		abs = r.Dir
	}
	return filepath.Base(abs)
}

// Picture is one picture of a reference as it was looked at.
type Picture struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of the file; of the pixels where the picture is simulated
	Width  int    `json:"width"`
	Height int    `json:"height"`
	// Brightness is the mean grey level, 0 to 255; Noise is in grey levels too.
	Brightness float64 `json:"brightness"`
	Noise      float64 `json:"noise"`
}

// each shows every picture in order. total is 0 where it is not known.
func (r Reference) each(ctx context.Context, look func(p Picture, img inspection.LineImage, total int) error) error {
	if r.Dir == "" {
		return r.simulate(ctx, look)
	}
	names, err := pictureNames(r.Dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if ctx.Err() != nil {
			return errors.New("interrupted; nothing was kept")
		}
		path := filepath.Join(r.Dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reference: %w", err)
		}
		pix, w, h, err := replay.ReadPicture(path)
		if err != nil {
			return fmt.Errorf("reference: %w", err)
		}
		img := inspection.LineImage{Pix: pix, Width: w, Height: h, Stride: w}
		if err := look(describe(name, data, img), img, len(names)); err != nil {
			return err
		}
	}
	return nil
}

// pictureNames are the pictures of a folder in the order in which a replay takes them.
func pictureNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("reference %s cannot be read: %w", dir, err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".jpg", ".jpeg", ".png", ".tif", ".tiff":
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("reference %s holds no pictures; allowed are .jpg, .jpeg, .png, .tif and .tiff", dir)
	}
	return names, nil
}

func describe(name string, content []byte, img inspection.LineImage) Picture {
	sum := sha256.Sum256(content)
	return Picture{
		Name: name, SHA256: hex.EncodeToString(sum[:]), Width: img.Width, Height: img.Height,
		Brightness: brightness(img), Noise: noise(img),
	}
}

func brightness(img inspection.LineImage) float64 {
	sum := 0
	for y := range img.Height {
		for _, v := range img.Row(y) {
			sum += int(v)
		}
	}
	return float64(sum) / float64(max(img.Width*img.Height, 1))
}

// noise estimates the standard deviation of a picture's noise from the mean size of its response to a mask that
// neither an even slope nor an edge along rows or columns moves (J. Immerkær, Fast noise variance estimation,
// Computer Vision and Image Understanding 64, 1996). Fine texture counts as noise; it is the change that tells.
func noise(img inspection.LineImage) float64 {
	w, h := img.Width, img.Height
	if w < 3 || h < 3 {
		return 0
	}
	sum := 0
	for y := 1; y < h-1; y++ {
		a, b, c := img.Row(y-1), img.Row(y), img.Row(y+1)
		for x := 1; x < w-1; x++ {
			v := int(a[x-1]) + int(a[x+1]) + int(c[x-1]) + int(c[x+1]) + 4*int(b[x]) -
				2*(int(a[x])+int(c[x])+int(b[x-1])+int(b[x+1]))
			sum += max(v, -v)
		}
	}
	return math.Sqrt(math.Pi/2) * float64(sum) / (6 * float64((w-2)*(h-2)))
}

// The simulated reference: long enough for some 50 defects a side, short enough for a check of well under a
// minute on two cores.
const (
	simulatedPixels  = 1600
	simulatedLines   = 512 // of a picture
	simulatedMM      = 0.5
	simulatedLength  = 10_000 // mm
	simulatedDefects = 500    // in 100 m of each side
)

// simulate rolls the reference coil. Pictures come after flat field, as a recording would hold them.
func (r Reference) simulate(ctx context.Context, look func(Picture, inspection.LineImage, int) error) (err error) {
	m, err := mill.New(mill.Options{
		Seed: r.Seed, PixelsAcross: simulatedPixels, FrameLines: simulatedLines, MMPerPixel: simulatedMM, MMPerCount: simulatedMM,
		CoilLengthMin: simulatedLength, DefectsPer100m: simulatedDefects, Coils: 1,
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var rolling sync.WaitGroup
	var rolled error
	rolling.Go(func() { rolled = m.Run(ctx) })
	defer func() {
		stop()
		rolling.Wait()
		if err == nil && rolled != nil {
			err = fmt.Errorf("the simulated reference ended early: %w", rolled)
		}
		err = errors.Join(err, m.Close())
	}()
	gains := map[inspection.Side]inspection.ColumnGain{}
	for _, side := range inspection.Sides() {
		if gains[side], err = calibration.FitFlatField(m.Camera(side).WhiteReference()); err != nil {
			return err
		}
	}
	for n := 0; ; n++ {
		// Both sides have the same frames, so that taking them in turn holds neither up.
		for _, side := range inspection.Sides() {
			f, err := m.Camera(side).Next(ctx)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return errors.New("interrupted; nothing was kept")
			}
			img := corrected(f.Image, gains[side])
			f.Release()
			if err := look(describe(fmt.Sprintf("%s-%03d", side, n), img.Pix, img), img, 0); err != nil {
				return err
			}
		}
	}
}

// corrected copies a picture with the flat field applied.
func corrected(img inspection.LineImage, gain inspection.ColumnGain) inspection.LineImage {
	out := inspection.LineImage{Pix: make([]byte, img.Width*img.Height), Width: img.Width, Height: img.Height, Stride: img.Width}
	for y := range img.Height {
		to := out.Row(y)
		for x, v := range img.Row(y) {
			to[x] = byte(min(255, (uint32(v)*uint32(gain[x])+inspection.UnityGain/2)/inspection.UnityGain))
		}
	}
	return out
}
