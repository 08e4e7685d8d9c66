package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/camera/mill"
	"github.com/coilsight/coilsight/inspection"
)

// simulated is a coil to be rendered to files.
type simulated struct {
	out     string
	format  string
	side    string
	metres  float64
	options mill.Options
}

func simulateCommand() *cobra.Command {
	var s simulated
	c := &cobra.Command{
		Use:   "simulate --out DIR",
		Short: "Render a simulated coil to strip pictures and the truth about its defects",
		Long: `Renders one coil of the simulated mill, head end to tail end, as one camera sees it: pictures of 1,024 scan
lines each, and truth.csv with every seeded defect in mm from the head end and from the operator-side edge. Its column
"line" counts scan lines from the first picture's first. At the top the operator side is at the left of the picture, at
the bottom at the right. The same seed gives the same pixels.`,
		Example: "  coilsight simulate --out strips --metres 20 --seed 7\n  coilsight replay --coil SIM-7 strips",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return s.run(c.Context(), c.OutOrStdout())
		},
	}
	f := c.Flags()
	f.StringVar(&s.out, "out", "", "folder for the pictures; made if need be, and must be empty")
	f.Uint64Var(&s.options.Seed, "seed", 1, "what decides every pixel")
	f.Float64Var(&s.metres, "metres", 20, "length of the coil, 3 to 20000")
	f.BoolVar(&s.options.Good, "good", false, "no defects; every other pixel stays as it is")
	f.Float64Var(&s.options.DefectsPer100m, "defects", 60, "mean number of defects in 100 m")
	f.StringVar(&s.side, "side", "top", "side of the strip: top or bottom")
	f.StringVar(&s.format, "format", "png", "png, or jpg at quality 95")
	return c
}

func (s *simulated) run(ctx context.Context, log io.Writer) (err error) {
	side := inspection.Side(s.side)
	switch {
	case s.out == "":
		return misused("--out is missing; it names the folder for the pictures")
	case !side.Valid():
		return misused("--side %q is not a side; allowed are top and bottom", s.side)
	case s.format != "png" && s.format != "jpg":
		return misused("--format %q is not known; allowed are png and jpg", s.format)
	case !(s.metres >= 3 && s.metres <= 20_000):
		return misused("--metres %g is not possible; allowed are 3 to 20000", s.metres)
	}
	if !(s.options.DefectsPer100m > 0) {
		return misused("--defects %g is not possible; it must be above 0, and --good gives a coil without", s.options.DefectsPer100m)
	}
	o := s.options
	o.FrameLines, o.Buffers, o.Coils = 1024, 4, 1
	o.ThreadingGap = 400
	o.CoilLengthMin = inspection.MM(s.metres * 1000)
	m, err := mill.New(o)
	if err != nil {
		return misused("%w", err)
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	if err := emptyFolder(s.out); err != nil {
		return err
	}

	// The other camera finds no reader and waits for ever; ending ctx ends it.
	ctx, cancel := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- m.Run(ctx) }()
	pictures, err := s.pictures(ctx, m.Camera(side))
	cancel()
	if e := <-ran; err == nil && !errors.Is(e, context.Canceled) {
		err = e
	}
	if err != nil {
		return err
	}
	n, err := s.truth(m, side)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(log, "%s: %d pictures, %d defects in truth.csv\n", s.out, pictures, n)
	return err
}

func emptyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("folder %s cannot be made: %w", dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("folder %s cannot be read: %w", dir, err)
	}
	if len(entries) > 0 {
		return misused("folder %s holds %d files; it must be empty, so that no other coil's pictures come between", dir, len(entries))
	}
	return nil
}

// pictures writes each frame to a file, until the camera has no more.
func (s *simulated) pictures(ctx context.Context, c *mill.Camera) (n int, err error) {
	for ; ; n++ {
		f, err := c.Next(ctx)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		m := &image.Gray{Pix: f.Image.Pix, Stride: f.Image.Stride, Rect: image.Rect(0, 0, f.Image.Width, f.Image.Height)}
		err = s.picture(filepath.Join(s.out, fmt.Sprintf("%s-%06d.%s", c.Side, n, s.format)), m)
		f.Release()
		if err != nil {
			return n, err
		}
	}
}

func (s *simulated) picture(path string, m image.Image) error {
	return create(path, func(w io.Writer) error {
		if s.format == "jpg" {
			return jpeg.Encode(w, m, &jpeg.Options{Quality: 95})
		}
		return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, m)
	})
}

// create writes a file whole or says why it could not.
func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("file %s cannot be made: %w", path, err)
	}
	b := bufio.NewWriter(f)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("file %s cannot be written: %w", path, err)
	}
	return nil
}

// truth writes truth.csv and gives the number of defects in it.
func (s *simulated) truth(m *mill.Mill, side inspection.Side) (n int, err error) {
	o := m.Options()
	coil, head := m.First()
	defects, _ := m.Truth(coil)
	err = create(filepath.Join(s.out, "truth.csv"), func(w io.Writer) error {
		c := csv.NewWriter(w)
		_ = c.Write([]string{"coil", "side", "class", "along_mm", "across_mm", "length_mm", "width_mm", "contrast", "run", "line"})
		mm := func(v inspection.MM) string { return strconv.FormatFloat(float64(v), 'f', 1, 64) }
		for _, d := range defects {
			if d.Side != side {
				continue
			}
			n++
			line := int64(head) + int64(d.Rect.Along/o.MMPerCount)
			_ = c.Write([]string{
				string(coil), string(d.Side), string(d.Class), mm(d.Rect.Along), mm(d.Rect.Across), mm(d.Rect.Length),
				mm(d.Rect.Width), strconv.FormatFloat(d.Contrast, 'f', 2, 64), strconv.Itoa(d.Run), strconv.FormatInt(line, 10),
			})
		}
		c.Flush()
		return c.Error()
	})
	return n, err
}
