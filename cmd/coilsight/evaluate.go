package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance/accuracy"
)

// Bounds of --good: head and tail of a simulated coil need the least, and a coil is not longer than the most.
const (
	leastGoodMetres = 5
	mostGoodMetres  = 20_000
)

func evaluateCommand() *cobra.Command {
	var s settings
	var o accuracy.Options
	var asJSON bool
	var bundle, out, fold string
	c := &cobra.Command{
		Use:   "evaluate [--json] [--bundle DIR] [--out DIR] [--fold K/N] [--set-in] [--good METRES] PATH...",
		Short: "Measure how often model and detector are right on labelled pictures",
		Long: `Measures on each PATH by its layout: class folders named after the model's classes; images/ with
annotations/ of VOC boxes; or strips/ with rle.csv and clean_windows.csv. --set-in also sets the single
pictures into clean strip, of a PATH with strips or else simulated. --good rolls good simulated strip through
the whole line. The figures are defined in docs/evaluate.md.`,
		Example: "  coilsight evaluate --fold 0/4 xsdd/\n  coilsight evaluate --json --out report --set-in --good 500 xsdd/ neu_det/ severstal/",
		RunE: func(c *cobra.Command, args []string) (err error) {
			if fold != "" {
				if o.Fold, err = accuracy.ParseFold(fold); err != nil {
					return misused("--%w", err)
				}
			}
			switch {
			case o.GoodMetres != 0 && !(o.GoodMetres >= leastGoodMetres && o.GoodMetres <= mostGoodMetres):
				return misused("--good is %g metres; allowed are %d to %d", o.GoodMetres, leastGoodMetres, mostGoodMetres)
			case len(args) == 0 && o.GoodMetres == 0:
				return misused("a PATH is missing; allowed are folders of labelled pictures, or --good alone")
			case o.SetIn && len(args) == 0:
				return misused("--set-in needs a PATH with pictures to set in")
			}
			for _, dir := range args {
				if err := isFolder(dir); err != nil {
					return err
				}
			}
			if o.Config, err = s.read(); err != nil {
				return err
			}
			if bundle != "" {
				o.Config.Classifier.Bundle = bundle
			}
			if o.Work, err = os.MkdirTemp("", "coilsight-evaluate-"); err != nil {
				return fmt.Errorf("a folder for the record of good strip: %w", err)
			}
			defer func() { err = errors.Join(err, os.RemoveAll(o.Work)) }()
			o.Paths = args
			var bar *progressbar.ProgressBar
			step, last := "", 0
			o.Progress = func(name string, done, total int) {
				if name != step || done < last || bar == nil { // the next step, or the next folder
					step = name
					bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(c.ErrOrStderr()),
						progressbar.OptionSetDescription(name), progressbar.OptionShowCount(),
						progressbar.OptionSetVisibility(terminal(os.Stderr)), progressbar.OptionOnCompletion(func() { fmt.Fprintln(c.ErrOrStderr()) }))
				}
				last = done
				_ = bar.Set(done) // only fails where the terminal does
			}
			r, err := accuracy.Run(c.Context(), o)
			if err != nil {
				return err
			}
			if out != "" {
				if err := r.Write(out); err != nil {
					return err
				}
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(r)
			}
			return r.WriteTables(c.OutOrStdout(), false)
		},
	}
	s.flags(c)
	c.Flags().StringVar(&bundle, "bundle", "", "the model bundle, in place of the configured or active one")
	c.Flags().StringVar(&out, "out", "", "folder to write accuracy.json, accuracy.md and errors.png into")
	c.Flags().StringVar(&fold, "fold", "", "K/N: only single pictures whose first byte of SHA-256 leaves K when divided by N")
	c.Flags().BoolVar(&o.SetIn, "set-in", false, "also set the single pictures into clean strip")
	c.Flags().Float64Var(&o.GoodMetres, "good", 0, "also roll so many metres of good simulated strip")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
