package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance/bench"
)

func benchCurveCommand() *cobra.Command {
	var s settings
	var asJSON bool
	c := &cobra.Command{
		Use:   "curve",
		Short: "Measure what detection costs by width of the strip and by the area that is defective",
		Long: `Detects on simulated strip on one core: strip without defects from 1,024 to 16,384 pixels wide, then strip of which up
to 5 % is defective. Each row is the median of turns that pass over all rows, so that what else the machine does meets all alike.`,
		Example: "  coilsight bench curve",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withBench(c, s, bench.Options{}, func(o bench.Options) error {
				r, err := bench.Curve(c.Context(), o)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(r)
				}
				printCurve(c.OutOrStdout(), r)
				return nil
			})
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

func printCurve(w io.Writer, rows []bench.CurvePoint) {
	fmt.Fprintf(w, "%7s %11s %14s %8s %10s %8s\n", "width", "defective", "regions/frame", "GB/s", "ps/pixel", "of first")
	for _, p := range rows {
		fmt.Fprintf(w, "%7d %9.2f %% %14.1f %8.2f %10.0f %8.2f\n", p.Width, p.Defective*100, p.Regions, p.GBps, p.PSPerPixel, p.OverFirst)
	}
	fmt.Fprintln(w, "  of first: time per pixel over that of the first row of 4,096 pixels without defects")
}
