package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inspection"
)

func calibrateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "calibrate",
		Short: "Calibrate cameras from pictures: flat field, geometry, area, encoder, alignment",
		Long: `Fits a calibration to pictures that coilsight camera grab took, and keeps it in the data folder as a version that is
never overwritten. The page Cameras does the same with a running camera. A flat field is taken up where a coil begins, a geometry, an
area camera and an encoder's scale when the appliance starts next.`,
		Example: "  coilsight calibrate target --width 1600 --out target.pdf\n  coilsight calibrate flatfield --camera top --by Kim white.png\n  coilsight calibrate geometry --camera top --by Kim target.png\n  coilsight calibrate area --camera top --by Kim --columns 9 --rows 6 --square 20 tilted*.png strip.png\n  coilsight calibrate encoder --by Kim A1=812034:405120 A2=633100:315890\n  coilsight calibrate align first.png second.png\n  coilsight calibrate list --camera top",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Help()
			return misused("calibrate needs target, flatfield, geometry, area, encoder, align, check or list")
		},
	}
	c.AddCommand(calibrateTargetCommand(), calibrateFlatFieldCommand(), calibrateGeometryCommand(), calibrateAreaCommand(), calibrateEncoderCommand(), calibrateAlignCommand(), calibrateCheckCommand(), calibrateListCommand())
	return c
}

// keeping are the flags of what makes a version.
type keeping struct {
	settings
	camera, by string
	asJSON     bool
}

func (k *keeping) flags(c *cobra.Command, camera bool) {
	k.settings.flags(c)
	if camera {
		c.Flags().StringVar(&k.camera, "camera", "", "id of the camera, as the configuration names it")
		_ = c.MarkFlagRequired("camera")
	}
	c.Flags().StringVar(&k.by, "by", "", "name of the person")
	_ = c.MarkFlagRequired("by")
	c.Flags().BoolVar(&k.asJSON, "json", false, "print one JSON object")
}

// shelf is where the versions are kept.
func (k *keeping) shelf() (calibration.Shelf, error) {
	cfg, err := k.read()
	return cfg.Calibrations(), err
}

// kept says what was made.
func (k *keeping) kept(c *cobra.Command, v calibration.Version, err error, sentence string, a ...any) error {
	if err != nil {
		return err
	}
	if k.asJSON {
		return json.NewEncoder(c.OutOrStdout()).Encode(v)
	}
	fmt.Fprintf(c.OutOrStdout(), "%s-%d of camera %s: %s\n", v.Kind, v.Number, v.Camera, fmt.Sprintf(sentence, a...))
	return nil
}

func readReference(path string) (inspection.LineImage, error) {
	pix, w, h, err := replay.ReadPicture(path)
	return inspection.LineImage{Pix: pix, Width: w, Height: h, Stride: w}, err
}

func calibrateTargetCommand() *cobra.Command {
	var out string
	var width float64
	var board bool
	var b calibration.Checkerboard
	c := &cobra.Command{
		Use:     "target --out FILE [--width MM | --checkerboard]",
		Short:   "Make the printed target that a camera's geometry is fitted to, or the checkerboard of area cameras",
		Example: "  coilsight calibrate target --width 1600 --out target.pdf\n  coilsight calibrate target --checkerboard --out board.pdf",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if most := calibration.TargetPitch * calibration.MostBars; !board && !(width >= 100 && width <= most) {
				return misused("a target %g mm wide is not possible; allowed are 100 to %g", width, most)
			}
			if err := b.CheckPage(); board && err != nil {
				return misused("%v", err)
			}
			f, err := os.Create(out)
			if err != nil {
				return err
			}
			if board {
				if err := errors.Join(b.PDF(f), f.Close()); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: %d x %d inner corners, squares of %g mm; print it at 100 %%\n", out, b.Columns, b.Rows, b.Square)
				return nil
			}
			t := calibration.TargetFor(width)
			if err := errors.Join(t.PDF(f), f.Close()); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "%s: %d bars, %g mm; print it at 100 %%\n", out, t.Bars, float64(t.Bars)*calibration.TargetPitch)
			return nil
		},
	}
	c.Flags().StringVar(&out, "out", "", "PDF file to write")
	_ = c.MarkFlagRequired("out")
	c.Flags().Float64Var(&width, "width", 2000, "width of the strip in mm")
	c.Flags().BoolVar(&board, "checkerboard", false, "the checkerboard, on a page of A4")
	boardFlags(c, &b)
	c.MarkFlagsMutuallyExclusive("width", "checkerboard")
	return c
}

func calibrateFlatFieldCommand() *cobra.Command {
	var k keeping
	var dark string
	c := &cobra.Command{
		Use:     "flatfield --camera ID --by NAME [--dark PICTURE] WHITE",
		Short:   "Fit the flat field to a picture of an evenly white or grey target",
		Example: "  coilsight calibrate flatfield --camera top --by Kim --dark dark.png white.png",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			shelf, err := k.shelf()
			if err != nil {
				return err
			}
			white, err := readReference(args[0])
			if err != nil {
				return err
			}
			pictures := []inspection.LineImage{white}
			var without inspection.LineImage
			if dark != "" {
				if without, err = readReference(dark); err != nil {
					return err
				}
				pictures = append(pictures, without)
			}
			f, err := calibration.MeasureFlatField(white, without)
			if err != nil {
				return err
			}
			v, err := shelf.KeepFlatField(inspection.CameraID(k.camera), k.by, time.Now(), f, pictures...)
			return k.kept(c, v, err, "columns are within %.1f %% of each other at grey %.0f", f.Uneven, f.Grey)
		},
	}
	k.flags(c, true)
	c.Flags().StringVar(&dark, "dark", "", "picture without light, to check that the camera reads next to nothing")
	return c
}

func calibrateGeometryCommand() *cobra.Command {
	var k keeping
	c := &cobra.Command{
		Use:     "geometry --camera ID --by NAME PICTURE",
		Short:   "Fit where each pixel lies across the line to a picture of the printed target",
		Example: "  coilsight calibrate geometry --camera top --by Kim target.png",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			shelf, err := k.shelf()
			if err != nil {
				return err
			}
			m, err := readReference(args[0])
			if err != nil {
				return err
			}
			fit, err := calibration.FitGeometry(m, calibration.Target{Bars: calibration.MostBars})
			if err != nil {
				return err
			}
			v, err := shelf.KeepGeometry(inspection.CameraID(k.camera), k.by, time.Now(), fit, m)
			along := "the bars' ends are not in the picture, so that it tells nothing of the lines"
			if fit.MMPerLine > 0 {
				along = fmt.Sprintf("%.4f mm a line, turned by %.2f degrees", float64(fit.MMPerLine), fit.Skew)
			}
			return k.kept(c, v, err, "%.4f mm a pixel by %d bars, %.3f mm off in the mean; %s", float64(fit.MMPerPixel), fit.Bars, fit.RMS, along)
		},
	}
	k.flags(c, true)
	return c
}

func calibrateEncoderCommand() *cobra.Command {
	var k keeping
	c := &cobra.Command{
		Use:     "encoder --by NAME COIL=COUNTS:LENGTH_MM...",
		Short:   "Fit the strip length of an encoder count to coils of known length",
		Example: "  coilsight calibrate encoder --by Kim A1=812034:405120 A2=633100:315890",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := k.read()
			if err != nil {
				return err
			}
			var coils []calibration.CoilLength
			for _, a := range args {
				coil, err := coilLength(a)
				if err != nil {
					return err
				}
				coils = append(coils, coil)
			}
			s, err := calibration.FitEncoderScale(coils)
			if err != nil {
				return err
			}
			// The configured one is kept before it, so that the fitted one is the newer of both.
			if _, _, err := cfg.Calibrations().EncoderScale(cfg.Encoder.MMPerCount, time.Now()); err != nil {
				return err
			}
			v, err := cfg.Calibrations().KeepEncoderScale(k.by, time.Now(), s)
			return k.kept(c, v, err, "a count is %.5f mm by %d coils, the worst of them %.2f mm a metre off; it is taken up when the appliance starts next", float64(s.MMPerCount), s.Coils, s.Residual)
		},
	}
	k.flags(c, false)
	return c
}

// coilLength reads COIL=COUNTS:LENGTH_MM.
func coilLength(text string) (c calibration.CoilLength, err error) {
	name, rest, ok := strings.Cut(text, "=")
	counts, length, both := strings.Cut(rest, ":")
	n, e1 := strconv.ParseInt(counts, 10, 64)
	mm, e2 := strconv.ParseFloat(length, 64)
	if !ok || !both || name == "" || e1 != nil || e2 != nil {
		return c, misused("%q is not a coil; allowed is COIL=COUNTS:LENGTH_MM, such as A1=812034:405120", text)
	}
	return calibration.CoilLength{Coil: inspection.CoilID(name), Counts: inspection.EncoderCount(n), Length: inspection.MM(mm)}, nil
}

func calibrateAlignCommand() *cobra.Command {
	var asJSON bool
	var reach int
	c := &cobra.Command{
		Use:     "align [--reach PIXELS] FIRST SECOND",
		Short:   "Find how far two cameras' pictures of the same strip or target lie apart",
		Long:    "Measures two pictures of one scale and keeps nothing; the page Cameras aligns running cameras and keeps a version.",
		Example: "  coilsight calibrate align --reach 200 first.png second.png",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			a, err := readReference(args[0])
			if err != nil {
				return err
			}
			b, err := readReference(args[1])
			if err != nil {
				return err
			}
			found, err := calibration.Align(a, b, calibration.Reach{Lines: reach, Pixels: reach})
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(found)
			}
			fmt.Fprintf(c.OutOrStdout(), "the first shows it %.2f lines later and %.2f pixels farther right than the second (agreement %.2f, elsewhere %.2f at most)\n", found.Lines, found.Pixels, found.Peak, found.Next)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().IntVar(&reach, "reach", 100, "pixels and lines up to which they may lie apart")
	return c
}

func calibrateCheckCommand() *cobra.Command {
	var s settings
	var camera, by, white, target string
	var asJSON bool
	c := &cobra.Command{
		Use:     "check --camera ID [--white PICTURE] [--target PICTURE] [--by NAME]",
		Short:   "Compare a camera with the day of its calibration; 1 where it has changed",
		Long:    "Compares pictures that coilsight camera grab took; with --by the result is kept. The page Cameras checks a running camera.",
		Example: "  coilsight calibrate check --camera top --white white.png --target target.png",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if white == "" && target == "" {
				return misused("calibrate check needs --white, --target or both")
			}
			cfg, err := s.read()
			if err != nil {
				return err
			}
			var figures []calibration.CheckFigure
			for p, path := range map[calibration.Piece]string{calibration.WhitePiece: white, calibration.TargetPiece: target} {
				if path == "" {
					continue
				}
				m, err := readReference(path)
				if err != nil {
					return err
				}
				found, err := cfg.Calibrations().Check(inspection.CameraID(camera), p, m)
				if err != nil {
					return err
				}
				if by != "" {
					if _, err := cfg.Calibrations().KeepCheck(inspection.CameraID(camera), by, time.Now(), found, m); err != nil {
						return err
					}
				}
				figures = append(figures, found.Figures...)
			}
			slices.SortFunc(figures, func(a, b calibration.CheckFigure) int { return strings.Compare(a.Name, b.Name) })
			if asJSON {
				if err := json.NewEncoder(c.OutOrStdout()).Encode(figures); err != nil {
					return err
				}
			}
			var changed []string
			for _, f := range figures {
				if !asJSON {
					fmt.Fprintf(c.OutOrStdout(), "%-16s then %.3f, now %.3f, limit %.3f: %s\n", f.Name, f.Then, f.Now, f.Limit, map[bool]string{true: "as it was", false: "CHANGED"}[f.Pass])
				}
				if !f.Pass {
					changed = append(changed, f.Name)
				}
			}
			if len(changed) > 0 {
				return fmt.Errorf("camera %s has changed since it was calibrated: %s; clean it, then calibrate it again", camera, strings.Join(changed, ", "))
			}
			return nil
		},
	}
	s.flags(c)
	c.Flags().StringVar(&camera, "camera", "", "id of the camera")
	_ = c.MarkFlagRequired("camera")
	c.Flags().StringVar(&by, "by", "", "name of the person; the result is kept")
	c.Flags().StringVar(&white, "white", "", "picture of the white target")
	c.Flags().StringVar(&target, "target", "", "picture of the printed target")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	return c
}

func calibrateListCommand() *cobra.Command {
	var s settings
	var camera string
	var asJSON bool
	c := &cobra.Command{
		Use:     "list --camera ID [--json]",
		Short:   "List the calibrations of a camera, or of the encoder",
		Example: "  coilsight calibrate list --camera top\n  coilsight calibrate list --camera encoder",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			all, faults := cfg.Calibrations().List(inspection.CameraID(camera))
			if asJSON {
				if err := json.NewEncoder(c.OutOrStdout()).Encode(all); err != nil {
					return err
				}
				return errors.Join(faults...)
			}
			w := tabwriter.NewWriter(c.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "KIND\tVERSION\tMADE\tBY\tRESIDUALS")
			for _, v := range all {
				var left []string
				for _, name := range slices.Sorted(maps.Keys(v.Residuals)) {
					left = append(left, fmt.Sprintf("%s %.3g", name, v.Residuals[name]))
				}
				fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", v.Kind, v.Number, v.At.Format(time.DateTime), v.By, strings.Join(left, ", "))
			}
			return errors.Join(append([]error{w.Flush()}, faults...)...)
		},
	}
	s.flags(c)
	c.Flags().StringVar(&camera, "camera", "", "id of the camera, or encoder")
	_ = c.MarkFlagRequired("camera")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON array")
	return c
}
