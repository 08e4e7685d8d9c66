package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/calibration/checkerboard"
	"github.com/coilsight/coilsight/inspection"
)

// boardFlags tell which checkerboard it is; the default is the one that calibrate target --checkerboard prints.
func boardFlags(c *cobra.Command, b *calibration.Checkerboard) {
	c.Flags().IntVar(&b.Columns, "columns", 9, "inner corners of a row of the checkerboard")
	c.Flags().IntVar(&b.Rows, "rows", 6, "its rows of inner corners")
	c.Flags().Float64Var(&b.Square, "square", 20, "side of a square in mm, as measured on the print")
}

func calibrateAreaCommand() *cobra.Command {
	var k keeping
	var o checkerboard.Options
	var mm, at, thickness float64
	c := &cobra.Command{
		Use:   "area --camera ID --by NAME [--columns 9] [--rows 6] [--square MM] [--mm-per-pixel MM] PICTURE...",
		Short: "Fit an area camera's lens and the strip's plane to pictures of a checkerboard",
		Long: `Fits an area camera (a video: address) to its own pictures of a checkerboard. Give five and more in which the board is tilted
to different sides and comes near each border and corner; in the last one it lies on the strip, square to the strip's run. From then on the
camera's pictures are rectified: their columns are equal millimetres across, their lines equal millimetres along. One picture alone, of a
board that fills most of it, does for a trial: it knows less of the lens beside the board.`,
		Example: "  coilsight calibrate target --checkerboard --out board.pdf\n  coilsight calibrate area --camera top --by Kim --columns 9 --rows 6 --square 20 tilted*.png strip.png",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			shelf, err := k.shelf()
			if err != nil {
				return err
			}
			var pictures []inspection.LineImage
			for _, a := range args {
				m, err := readReference(a)
				if err != nil {
					return err
				}
				pictures = append(pictures, m)
			}
			o.MMPerPixel, o.BoardAt, o.Thickness = inspection.MM(mm), inspection.MM(at), inspection.MM(thickness)
			a, err := checkerboard.Fit(pictures, o)
			if err != nil {
				return err
			}
			v, err := shelf.KeepArea(inspection.CameraID(k.camera), k.by, time.Now(), a, pictures...)
			sentence := fmt.Sprintf("corners %.3f mm off in the mean, %.3f at most, the board turned by %.2f degrees, seen in %.0f %% of the picture by %d pictures", a.RMS, a.Most, a.Turn, 100*a.Coverage, a.Pictures)
			if a.Pictures == 1 {
				sentence += "; beside the board one picture knows little of the lens"
			}
			return k.kept(c, v, err, "%s; rectified to %d x %d pixels of %.4g mm, write pixels: %d to the configuration", sentence, a.Columns, a.Rows, float64(a.MMPerPixel), a.Columns)
		},
	}
	k.flags(c, true)
	boardFlags(c, &o.Board)
	c.Flags().Float64Var(&mm, "mm-per-pixel", 0, "of the rectified picture; 0: as fine as the camera sees in its middle")
	c.Flags().Float64Var(&at, "board-at", 0, "mm across the line at which the last picture's board has its corners that are farthest to the left")
	c.Flags().Float64Var(&thickness, "thickness", 0, "of the board in mm, by which the strip lies below what is printed on it")
	return c
}
