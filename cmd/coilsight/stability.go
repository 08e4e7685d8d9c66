package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance/stability"
	"github.com/coilsight/coilsight/inspection"
)

func stabilityCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "stability",
		Short: "Check against a reference coil that the appliance still sees what it saw",
		Long: `Runs a reference coil through the detector and the classifier and compares the events with those of a
baseline. Nobody judges a picture for it. Use it beside a running appliance: the record is not touched.`,
		Example: "  coilsight stability baseline --data data --reference strips/\n  coilsight stability check --data data --reference strips/",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Help()
			return misused("stability needs baseline or check")
		},
	}
	c.AddCommand(stabilityBaselineCommand(), stabilityCheckCommand())
	return c
}

// stabilitySettings are the flags of both commands.
type stabilitySettings struct {
	settings
	dir, name string
	seed      uint64
	asJSON    bool
}

func (s *stabilitySettings) flags(c *cobra.Command) {
	s.settings.flags(c)
	c.Flags().StringVar(&s.dir, "reference", "", "folder of the reference's pictures, taken in the order of their names")
	c.Flags().Uint64Var(&s.seed, "simulated", 0, "seed of a simulated reference coil of 10 m, in place of a folder")
	c.Flags().StringVar(&s.name, "name", "", "name of the baseline; without it the folder's name, or simulated-SEED")
	c.Flags().BoolVar(&s.asJSON, "json", false, "print one JSON object")
}

func (s *stabilitySettings) options(c *cobra.Command) (o stability.Options, err error) {
	simulated := c.Flags().Changed("simulated")
	if (s.dir != "") == simulated {
		return o, misused("%s needs --reference DIR or --simulated SEED, one of both", c.CommandPath())
	}
	o = stability.Options{Reference: stability.Reference{Dir: s.dir, Seed: s.seed}, Program: version, At: time.Now()}
	if s.name == "" {
		s.name = o.Reference.Name()
	}
	if err := stability.CheckName(s.name); err != nil {
		return o, misused("--name: %w", err)
	}
	if s.dir != "" {
		if err := isFolder(s.dir); err != nil {
			return o, err
		}
	}
	var bar *progressbar.ProgressBar
	o.Progress = func(done, total int) {
		if bar == nil {
			if total == 0 {
				total = -1 // not known: a count without an end
			}
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(c.ErrOrStderr()),
				progressbar.OptionSetDescription("pictures"), progressbar.OptionShowCount(),
				progressbar.OptionSetVisibility(terminal(os.Stderr)), progressbar.OptionOnCompletion(func() { fmt.Fprintln(c.ErrOrStderr()) }))
		}
		_ = bar.Set(done) // only fails where the terminal does
	}
	o.Config, err = s.read()
	return o, err
}

func stabilityBaselineCommand() *cobra.Command {
	var s stabilitySettings
	var replace bool
	c := &cobra.Command{
		Use:   "baseline --reference DIR | --simulated SEED",
		Short: "Keep what a reference coil gives today",
		Long: `Looks at every picture of the reference with the configured threshold and the active model, and keeps the
events, the pictures' brightness and noise, and what they depend on in DATA/stability/NAME/baseline.json.`,
		Example: "  coilsight stability baseline --data data --reference strips/ --name acceptance",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := s.options(c)
			if err != nil {
				return err
			}
			run, err := stability.Look(c.Context(), o)
			if err != nil {
				return err
			}
			path, err := stability.FolderOf(o.Config).Save(s.name, run, replace)
			if err != nil {
				return err
			}
			if s.asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(run)
			}
			fmt.Fprintf(c.OutOrStdout(), "baseline %s: %d events in %d pictures, %d regions rejected as ordinary strip; model %s, threshold %g, %s\n  kept as %s\n",
				s.name, len(run.Events), len(run.Pictures), run.Rejected, run.Conditions.Model, run.Conditions.Threshold, run.Conditions.Provider, path)
			return nil
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&replace, "replace", false, "put it in the place of the one of that name, which is kept beside it")
	return c
}

func stabilityCheckCommand() *cobra.Command {
	var s stabilitySettings
	var changes []string
	var help strings.Builder
	help.WriteString("Looks at the reference again, compares, adds the result to DATA/stability/NAME/history.jsonl, and ends with\nexit code 0 for PASS and 1 for FAIL. Each figure has a limit, which --limit changes:\n\n")
	for _, l := range stability.Limits() {
		bound := "most"
		if l.Least {
			bound = "least"
		}
		fmt.Fprintf(&help, "  %-17s %s; %s %g %s\n", l.Figure, l.Says, bound, l.Value, l.Unit)
	}
	c := &cobra.Command{
		Use:     "check --reference DIR | --simulated SEED",
		Short:   "Look at the reference again and compare",
		Long:    help.String(),
		Example: "  coilsight stability check --data data --reference strips/ --name acceptance --limit mean_shift=3",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			limits, err := stability.ParseLimits(changes)
			if err != nil {
				return misused("--limit: %w", err)
			}
			o, err := s.options(c)
			if err != nil {
				return err
			}
			folder := stability.FolderOf(o.Config)
			base, err := folder.Load(s.name) // before the long part
			if err != nil {
				return err
			}
			run, err := stability.Look(c.Context(), o)
			if err != nil {
				return err
			}
			r := stability.Compare(s.name, base, run, limits)
			if err := folder.Append(r); err != nil {
				return err
			}
			if s.asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(r)
			} else {
				err = printStability(c.OutOrStdout(), r)
			}
			if err != nil || r.Pass {
				return err
			}
			return unstable(r)
		},
	}
	s.flags(c)
	c.Flags().StringArrayVar(&changes, "limit", nil, "NAME=VALUE: another limit for a figure; may be repeated")
	return c
}

// unstable says in one sentence why a check failed.
func unstable(r inspection.StabilityCheck) error {
	var failed []string
	for _, f := range r.Figures {
		if !f.Pass {
			failed = append(failed, f.Name+" "+measured(f))
		}
	}
	text := "stability " + r.Name + " FAILED: " + strings.Join(failed, "; ")
	if len(r.Changed) == 0 {
		return errors.New(text + "; nothing is known to have changed since the baseline")
	}
	var what []string
	for _, d := range r.Changed {
		what = append(what, d.What)
	}
	return errors.New(text + "; changed since the baseline: " + strings.Join(what, ", "))
}

func measured(f inspection.StabilityFigure) string {
	bound := "most"
	if f.Least {
		bound = "least"
	}
	if f.Measured == nil {
		return fmt.Sprintf("could not be measured (%s %g)", bound, f.Limit)
	}
	return fmt.Sprintf("%.4g (%s %g)", *f.Measured, bound, f.Limit)
}

func printStability(w io.Writer, r inspection.StabilityCheck) error {
	verdict := map[bool]string{true: "PASS", false: "FAIL"}
	fmt.Fprintf(w, "stability %s: %s\n", r.Name, verdict[r.Pass])
	fmt.Fprintf(w, "  %d of %d events of %s found again, %d new; model %s, threshold %g, %s\n",
		r.Found, r.Events, r.BaselineAt.Format("2006-01-02 15:04 UTC"), r.New, r.Conditions.Model, r.Conditions.Threshold, r.Conditions.Provider)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.Figures {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", verdict[f.Pass], f.Name, measured(f), f.Unit)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, c := range r.Classes {
		if c.Same < c.Baseline {
			fmt.Fprintf(w, "  %s: %d of %d found again, %d of them in the same class\n", c.Class, c.Found, c.Baseline, c.Same)
		}
	}
	for _, d := range r.Changed {
		fmt.Fprintf(w, "  changed since the baseline: %s, %s -> %s\n", d.What, d.Before, d.Now)
	}
	if r.Few {
		fmt.Fprintf(w, "  The baseline has only %d events: a reference of 50 or more tells more.\n", r.Events)
	}
	return nil
}
