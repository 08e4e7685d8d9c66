package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func datasetCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "dataset",
		Short:   "Make labelled pictures to train a classifier with",
		Example: "  coilsight dataset simulate --out simulated --seed 1 --count 300\n  coilsight dataset export --out plant --since 2026-03-01",
		Args:    cobra.NoArgs,
	}
	c.AddCommand(datasetSimulateCommand(), datasetExportCommand())
	return c
}

func datasetSimulateCommand() *cobra.Command {
	var o simulation
	c := &cobra.Command{
		Use:   "simulate --out DIR",
		Short: "Render labelled crops of simulated strip into class folders",
		Long: `Runs simulated coils past the detector and writes the crop of each region it finds into a folder named
after the class of the defect that was seeded there. Regions where nothing was seeded, and windows of plain
strip, go to the folder of the class "no_defect". As many single samples of each class are rendered over a
wider range of surfaces than a mill has. The same seed gives the same pictures.`,
		Example: "  coilsight dataset simulate --out simulated --seed 1 --count 300",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.count < 1 || o.count > maxSimulated {
				return fmt.Errorf("--count is %d; allowed are 1 to %d pictures a class", o.count, maxSimulated)
			}
			if o.coils < 0 || o.coils > maxSimulated {
				return fmt.Errorf("--coils is %d; allowed are 0, for samples alone, to %d", o.coils, maxSimulated)
			}
			if !(o.threshold >= 0.1 && o.threshold <= 10) {
				return fmt.Errorf("--threshold is %g; allowed are 0.1 to 10", o.threshold)
			}
			o.log = c.ErrOrStderr()
			return o.run(c.Context())
		},
	}
	c.Flags().StringVar(&o.out, "out", "", "folder to write class folders into")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "decides every picture")
	c.Flags().IntVar(&o.count, "count", 300, "pictures of a class and kind (region, window, sample) at most")
	c.Flags().IntVar(&o.coils, "coils", 40, "simulated coils at most; 0: samples alone")
	c.Flags().Float32Var(&o.threshold, "threshold", 1, "the detector's thresholds are multiplied by this; below 1 gives more false regions to learn from")
	c.Flags().BoolVar(&o.good, "good", false, "coils without seeded defects: false regions and windows alone")
	_ = c.MarkFlagRequired("out")
	return c
}
