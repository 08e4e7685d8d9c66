package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/inspection"
)

func replayCommand() *cobra.Command {
	var s settings
	var asJSON bool
	var coil, side string
	var width, mmPerPixel float64
	c := &cobra.Command{
		Use:   "replay --coil ID [flags] DIR",
		Short: "Inspect a folder of strip pictures as one coil, into the record",
		Long: `Takes the pictures of a folder (JPEG, PNG, TIFF or raw lines), in the order of their names, as one coil
through the whole line into the data folder: detection, classification, placing, record and grade. The
rolling direction runs down the pictures. Where one picture ends and the next begins is known to be a seam; a
picture that cannot be read is a gap.`,
		Example: "  coilsight replay --coil A1234 --data data --width-mm 800 --mm-per-px 0.5 strips/",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case !inspection.Side(side).Valid():
				return misused("--side %q is not a side; allowed are top and bottom", side)
			case width < 0:
				return misused("--width-mm %g is negative; the least is 0, which is not known", width)
			case mmPerPixel < 0:
				return misused("--mm-per-px %g is negative; allowed are 0.01 to 10", mmPerPixel)
			}
			if err := isFolder(args[0]); err != nil {
				return err
			}
			cfg, err := s.read()
			if err != nil {
				return err
			}
			var bar *progressbar.ProgressBar
			res, err := appliance.Replay(c.Context(), appliance.ReplayOptions{
				Config: cfg, Coil: inspection.CoilID(coil), Dir: args[0], Side: inspection.Side(side),
				Width: inspection.MM(width), MMPerPixel: inspection.MM(mmPerPixel),
				Log: slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil)),
				Progress: func(done, total int) {
					if bar == nil {
						bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(c.ErrOrStderr()),
							progressbar.OptionSetDescription("pictures"), progressbar.OptionShowCount(),
							progressbar.OptionSetVisibility(terminal(os.Stderr)), progressbar.OptionOnCompletion(func() { fmt.Fprintln(c.ErrOrStderr()) }))
					}
					_ = bar.Set(done) // only fails where the terminal does
				},
			})
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(res)
			}
			printReplay(c.OutOrStdout(), res)
			return nil
		},
	}
	s.flags(c)
	c.Flags().StringVar(&coil, "coil", "", "id of the coil; a coil runs once")
	c.Flags().StringVar(&side, "side", "top", "side of the strip that the pictures show: top or bottom")
	c.Flags().Float64Var(&width, "width-mm", 0, "ordered width of the strip; 0: not known")
	c.Flags().Float64Var(&mmPerPixel, "mm-per-px", 0.5, "size of a pixel, across and along")
	c.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	_ = c.MarkFlagRequired("coil")
	return c
}

func printReplay(w io.Writer, r appliance.ReplayResult) {
	fmt.Fprintf(w, "coil %s: grade %s by recipe %s version %d\n", r.Coil.ID, r.Result.Grade, r.Result.RecipeName, r.Result.RecipeVersion)
	fmt.Fprintf(w, "  strip %.2f m x %.0f mm, %d pictures, %.0f MB/s\n", float64(r.Coil.Strip.Length)/1000, float64(r.Coil.Strip.Width), r.Pictures, r.MBPerSecond)
	for _, k := range r.Result.Coverage {
		fmt.Fprintf(w, "  %s side: %.2f %% inspected, %.0f mm detected only, %.0f mm missed\n", k.Side, k.Share()*100, float64(k.DetectedOnly), float64(k.Missed))
	}
	fmt.Fprintf(w, "  %d defects, %d regions rejected as ordinary strip\n", r.Coil.Counts.Defects, r.RejectedCrops)
	classes := make([]inspection.DefectClass, 0, len(r.Coil.Counts.ByClass))
	for class := range r.Coil.Counts.ByClass {
		classes = append(classes, class)
	}
	slices.Sort(classes)
	for _, class := range classes {
		fmt.Fprintf(w, "    %5d %s\n", r.Coil.Counts.ByClass[class], class)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(w, "  gap %.2f to %.2f m, %s: %s\n", float64(g.From)/1000, float64(g.To)/1000, g.State, g.Cause)
	}
	for _, o := range r.Result.Trail {
		mark := "held"
		if o.Broken {
			mark = "BROKEN"
		}
		fmt.Fprintf(w, "  rule %-14s %-6s %s\n", o.Rule, mark, o.Reason)
	}
}
