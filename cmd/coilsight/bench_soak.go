package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance/bench"
)

func benchSoakCommand() *cobra.Command {
	var s settings
	var soak bench.SoakOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "soak [--for TIME] [--mb N] [--coil TIME] [--every TIME]",
		Short: "Run the whole line for a long time and print what it holds",
		Long: `Two cameras play rendered strip at a fixed rate through detector, classifier and record, coil after coil. A row
for each sample tells what was done since the one before and how much memory the process holds; GOMEMLIMIT
bounds it as in the appliance. The record is thrown away at the end. Exit code 1
where a frame was not fully inspected.`,
		Example: "  GOMEMLIMIT=1GiB coilsight bench soak --for 1h --mb 480",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withBench(c, s, bench.Options{}, func(o bench.Options) error {
				out := c.OutOrStdout()
				told := func(bench.SoakSample) {}
				if !asJSON {
					told = soakTable(out)
				}
				r, err := bench.Soak(c.Context(), o, soak, told)
				if err != nil {
					return err
				}
				if asJSON {
					err = json.NewEncoder(out).Encode(r)
				} else {
					fmt.Fprintln(out, "lost: frames not screened, detected: with regions that have no class, pictures: defects recorded without one, allocs: allocations per frame")
				}
				if err == nil && (r.Line.LostFrames > 0 || r.Line.UncountedFrames != 0) {
					return fmt.Errorf("%d frames were not fully inspected and %d are in no column of the ledger", r.Line.LostFrames, r.Line.UncountedFrames)
				}
				return err
			})
		},
	}
	s.flags(c)
	c.Flags().DurationVar(&soak.For, "for", time.Hour, "how long")
	c.Flags().Float64Var(&soak.MBps, "mb", 480, "MB/s of both cameras together: 480 is tinplate of 1 m at 15 m/s and 0.25 mm")
	c.Flags().DurationVar(&soak.Coil, "coil", time.Minute, "how long a coil runs")
	c.Flags().DurationVar(&soak.Every, "every", time.Minute, "time between two samples")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object at the end")
	return c
}

// soakTable prints the head of a table, and a row for each sample that it is told.
func soakTable(w io.Writer) func(bench.SoakSample) {
	fmt.Fprintf(w, "%7s %6s %9s %6s %9s %9s %8s %8s %9s %7s %7s %6s\n",
		"s", "MB/s", "events/s", "lost", "detected", "pictures", "p50 ms", "p99 ms", "resident", "heap", "allocs", "coils")
	return func(v bench.SoakSample) {
		fmt.Fprintf(w, "%7.0f %6.0f %9.0f %6d %9d %9d %8.1f %8.1f %6.0f MB %4.0f MB %7.1f %6d\n", v.Seconds, v.MBPerSecond, v.EventsPerSecond,
			v.LostFrames, v.DetectedOnly, v.PicturesDropped, v.P50, v.P99, v.ResidentMB, v.HeapMB, v.AllocsPerFrame, v.Coils)
	}
}
