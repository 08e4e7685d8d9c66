package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance/bench"
	"github.com/coilsight/coilsight/rollmark/trial"
)

func benchCommand() *cobra.Command {
	var s settings
	var o bench.Options
	var asJSON, crops bool
	c := &cobra.Command{
		Use:   "bench [--crops] [--json] [--quick]",
		Short: "Measure this machine: memory, detection, classification, the whole line and the record",
		Long: `Measures the real parts in one run. Ratios within a run can be compared between machines; absolute rates
cannot. --strips names a folder of strip pictures to measure detection on, beside the simulated strip.

The classifier is measured at several sizes of batch, in turns with the bare session and, where a Python with
ONNX Runtime is found or named by --python, with that. --crops measures the classifier alone.`,
		Example: "  coilsight bench\n  coilsight bench --quick --json --strips strips/\n  coilsight bench --crops --python venv/bin/python",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withBench(c, s, o, func(o bench.Options) error {
				if crops {
					return benchCrops(c, o, asJSON)
				}
				r, err := bench.Run(c.Context(), o)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(r)
				}
				printBench(c.OutOrStdout(), r)
				return nil
			})
		},
	}
	s.flags(c)
	c.Flags().StringVar(&o.Strips, "strips", "../shared/data/severstal/strips", "folder of strip pictures; left out where it does not exist")
	c.Flags().BoolVar(&o.Quick, "quick", false, "shorter measurements, within 40 s")
	c.Flags().BoolVar(&crops, "crops", false, "measure the classifier alone")
	c.Flags().StringVar(&o.Python, "python", "", "Python with ONNX Runtime to compare with; empty: that of the training or python3, where they have it")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.AddCommand(benchCurveCommand(), benchSoakCommand())
	return c
}

// withBench runs a measurement with the configuration read and a folder for the record that is measured, which it removes.
func withBench(c *cobra.Command, s settings, o bench.Options, run func(bench.Options) error) (err error) {
	if o.Config, err = s.read(); err != nil {
		return err
	}
	if o.Work, err = os.MkdirTemp(s.data, "coilsight-bench-"); err != nil {
		return fmt.Errorf("a folder for the record that is measured: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Work)) }()
	o.Say = func(format string, a ...any) { fmt.Fprintf(c.ErrOrStderr(), format+"\n", a...) }
	return run(o)
}

func benchCrops(c *cobra.Command, o bench.Options, asJSON bool) error {
	r, err := bench.Crops(c.Context(), o)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(c.OutOrStdout()).Encode(r)
	}
	printCrops(c.OutOrStdout(), r)
	return nil
}

// printCrops prints a table of crops per second, one row a size of batch.
func printCrops(w io.Writer, r bench.ClassifyReport) {
	fmt.Fprintf(w, "crops/s on %s, %d slots\n", r.Provider, r.Slots)
	python := "ONNX Runtime in Python"
	if r.Python != "" {
		python = "ONNX Runtime " + r.Python + " in Python"
	}
	fmt.Fprintf(w, "%8s %10s   %-28s %s\n", "batch", "pipeline", "bare session", python)
	for _, b := range r.Batches {
		compared := "-"
		if b.Python > 0 {
			compared = overs(b.Python, b.OverPython, b.OverPythonByCPU)
		}
		fmt.Fprintf(w, "%8d %10.0f   %-28s %s\n", b.Batch, b.Pipeline, overs(b.Session, b.OverSession, b.OverSessionByCPU), compared)
	}
	fmt.Fprintln(w, "  in brackets: the pipeline over it, and by CPU time")
	if r.PythonMissing != "" {
		fmt.Fprintf(w, "  no Python was measured: %s\n", r.PythonMissing)
	}
}

func overs(rate, over, byCPU float64) string {
	return fmt.Sprintf("%.0f (%.0f %%, %.0f %%)", rate, over*100, byCPU*100)
}

// printRolls prints what is measured of roll marks.
func printRolls(row func(name, format string, a ...any), r bench.RollReport) {
	row("roll marks, simulated mill", "%d of %d runs of %d and more named, %d within %d revolutions; %d false on %.0f m of sides", r.Strip.Named, r.Strip.Runs, bench.LeastRun, r.Strip.InTime, trial.Within, r.Strip.False, r.Strip.SideMetres)
	set := func(name string, s trial.Report) {
		row("roll marks, "+name, "%.1f %% of %d named within %d revolutions, half in %.0f, 95 %% in %.0f; %d after another roll, at the end %d", 100*s.InTimeShare, s.Marks, trial.Within, s.P50, s.P95, s.Misnamed, s.Wrong)
	}
	set("seen at each turn", r.Seen)
	set("seen at 70-80 % of turns", r.Missed)
	set("roll not in the table", r.Unlisted)
	row("roll marks, false", "%.2f in 100 coils, %d coils with 50 random defects on 100 m of each side; %.2f µs a defect", r.All.FalsePer100, r.All.Coils, r.All.NSPerDefect/1000)
	row("roll marks, 10 km, 500 on 100 m", "%d false on %d coils, %.1f µs a defect, the slowest coil %.2f s", r.Long.False, r.Long.Coils, r.Long.NSPerDefect/1000, r.Long.SlowestCoilMS/1000)
}

func printBench(w io.Writer, r bench.Report) {
	row := func(name, format string, a ...any) {
		fmt.Fprintf(w, "%-34s "+format+"\n", append([]any{name}, a...)...)
	}
	row("machine", "%s, %d cores, %s", r.Machine.Model, r.Machine.Cores, r.Machine.Go)
	row("memory, one core", "read %.1f GB/s, copy %.1f GB/s", r.Memory.ReadGBps, r.Memory.CopyGBps)
	row("detection, one core", "%.2f GB/s on %s: %.1f x the OpenCV chain (%.3f GB/s), %.2f of a copy", r.Detect.GBpsPerCore, r.Detect.On, r.Detect.OverReference, r.Detect.ReferenceGBps, r.Detect.OverCopy)
	row("detection, simulated strip", "%.2f GB/s, %.2f of a copy; OpenCV chain %.3f GB/s", r.Detect.SimulatorGBps, r.Detect.SimulatorOver, r.Detect.SimulatorRefGBps)
	row("classification", "%.0f crops/s through the batcher, %.0f %% of the bare session's %.0f (%s, batch %d, %d slots)", r.Classify.CropsPerSecond, r.Classify.OverSession*100, r.Classify.SessionCropsPerSecond, r.Classify.Provider, r.Classify.Batch, r.Classify.Slots)
	printCrops(w, r.Classify)
	row("whole line, two cameras", "%.0f MB/s with %.0f events/s, %d frames lost, %d uncounted; takes %.0f MB/s unpaced", r.Line.MBPerSecond, r.Line.EventsPerSecond, r.Line.LostFrames, r.Line.UncountedFrames, r.Line.CapacityMBps)
	row("frame to recorded event", "p50 %.0f ms, p99 %.0f ms", r.Line.LatencyMS.P50, r.Line.LatencyMS.P99)
	row("record", "%.0f defects/s durable; with pictures %.0f/s", r.Record.DefectsPerSecond, r.Record.PicturesPerSecond)
	row("mill simulator", "%.0f MB/s rendered a side", r.Mill.RenderMBps)
	row("simulated strip", "%d of %d seeded defects found (%.1f %%), %.1f %% within 5 mm, %.1f %% of the right class", r.Truth.Found, r.Truth.Seeded, r.Truth.FoundShare*100, r.Truth.PlaceShare*100, r.Truth.ClassShare*100)
	row("places of small defects", "along %+.2f mm off, half within %.2f, 99 %% within %.2f; across %+.2f, %.2f, %.2f (%d of at most 30 mm)", r.Truth.Along.Mean, r.Truth.Along.P50, r.Truth.Along.P99, r.Truth.Across.Mean, r.Truth.Across.P50, r.Truth.Across.P99, r.Truth.Along.N)
	row("good simulated strip", "%.1f false events per 1,000 m (%d on %.0f m); the model rejected %.1f %% of %d regions", r.Truth.FalsePer1000M, r.Truth.FalseEvents, r.Truth.GoodMetres, r.Truth.RejectedShare*100, r.Truth.FalseRegions)
	printRolls(row, r.Rolls)
	row("this run", "%.0f s", r.Seconds)
}
