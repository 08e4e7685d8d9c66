package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

func sampleCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sample",
		Short: "Estimate how often the model is right from a random sample that people review",
		Long: `Draws recorded defects at random, tells which of them are reviewed, and computes the classification rate with
its 95 % interval. Use it beside a running appliance.`,
		Example: "  coilsight sample draw --data data --count 200 --by Kim\n  coilsight sample rate --data data --sample 1",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Help()
			return misused("sample needs draw, show or rate")
		},
	}
	c.AddCommand(sampleDrawCommand(), sampleShowCommand(), sampleRateCommand())
	return c
}

func sampleDrawCommand() *cobra.Command {
	var s settings
	var d inspection.SampleDraw
	var since string
	var asJSON bool
	c := &cobra.Command{
		Use:   "draw --count N",
		Short: "Draw defects at random for people to review, and keep which they are",
		Long: `Draws by the class that the model gave: in proportion to the numbers, with a least of each class, so that rare
ones have a figure too. Defects without a picture or without an answer of the model are left out. Prints the page
of each defect drawn, in random order: review them from the first on.`,
		Example: "  coilsight sample draw --data data --since 2026-03-01 --count 200 --by Kim",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if d.Since, err = parseSince(since); err != nil {
				return err
			}
			if !c.Flags().Changed("seed") {
				d.Seed = uint64(rand.Uint32())
			}
			d.By = strings.TrimSpace(d.By)
			if err := d.Check(); err != nil {
				return misused("%w", err)
			}
			cfg, err := s.read()
			if err != nil {
				return err
			}
			drawn, err := store.DrawSample(c.Context(), cfg.Data, d, time.Now())
			if err != nil {
				return err
			}
			return withSample(c, cfg.Data, drawn.ID, func(p inspection.Sample, defects []inspection.Defect) error {
				if asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(web.DetailOf(p, defects))
				}
				printSample(c.OutOrStdout(), p, defects, false)
				return nil
			})
		},
	}
	s.flags(c)
	c.Flags().IntVar(&d.Count, "count", 0, "defects to draw, in all")
	c.Flags().IntVar(&d.Least, "least", inspection.LeastPerClass, "of each class, as far as it has so many")
	c.Flags().StringVar(&since, "since", "", "leave out defects seen before this day or time: 2026-03-01 or 2026-03-01T06:00:00Z")
	c.Flags().Uint64Var(&d.Seed, "seed", 0, "the same seed on the same record draws the same defects; without it a random one")
	c.Flags().StringVar(&d.By, "by", "", "who draws, for the record")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	_ = c.MarkFlagRequired("count")
	return c
}

// sampleFlags are those of the commands that look at a sample.
type sampleFlags struct {
	settings
	id     int64
	asJSON bool
}

func (s *sampleFlags) flags(c *cobra.Command) {
	s.settings.flags(c)
	c.Flags().Int64Var(&s.id, "sample", 0, "the sample's id")
	c.Flags().BoolVar(&s.asJSON, "json", false, "print one JSON object")
	_ = c.MarkFlagRequired("sample")
}

func (s *sampleFlags) look(c *cobra.Command, f func(inspection.Sample, []inspection.Defect) error) error {
	if s.id < 1 {
		return misused("--sample is %d; ids begin at 1", s.id)
	}
	cfg, err := s.read()
	if err != nil {
		return err
	}
	return withSample(c, cfg.Data, inspection.SampleID(s.id), f)
}

func withSample(c *cobra.Command, data string, id inspection.SampleID, f func(inspection.Sample, []inspection.Defect) error) (err error) {
	r, err := store.OpenReader(c.Context(), data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	p, defects, err := r.Sample(c.Context(), id)
	if err != nil {
		return err
	}
	return f(p, defects)
}

func sampleShowCommand() *cobra.Command {
	var s sampleFlags
	var open bool
	c := &cobra.Command{
		Use:     "show --sample ID",
		Short:   "List the defects of a sample, and which are reviewed",
		Example: "  coilsight sample show --data data --sample 1 --open",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return s.look(c, func(p inspection.Sample, defects []inspection.Defect) error {
				if s.asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(web.DetailOf(p, defects))
				}
				printSample(c.OutOrStdout(), p, defects, open)
				return nil
			})
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&open, "open", false, "only those that nobody has reviewed yet")
	return c
}

func sampleRateCommand() *cobra.Command {
	var s sampleFlags
	c := &cobra.Command{
		Use:   "rate --sample ID",
		Short: "How often people agree with the model on a sample's defects, with 95 % intervals",
		Long: `Counts the reviews of the sample's defects and no others: what people chose to review themselves says nothing of
the rest. The plant's rate weighs each class by the number of its defects.`,
		Example: "  coilsight sample rate --data data --sample 1",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return s.look(c, func(p inspection.Sample, defects []inspection.Defect) error {
				r := web.RateOf(p, defects)
				if s.asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(r)
				}
				return printRate(c.OutOrStdout(), r)
			})
		},
	}
	s.flags(c)
	return c
}

// sampleHead says what was drawn from what.
func sampleHead(w io.Writer, p inspection.Sample, drawn int) {
	by, since := "", ""
	if p.By != "" {
		by = " by " + p.By
	}
	if p.Since != nil {
		since = " seen since " + p.Since.Local().Format("2006-01-02 15:04")
	}
	fmt.Fprintf(w, "sample %d: %d of %d defects%s, drawn %s%s with seed %d; model %s\n", p.ID, drawn, p.Size(), since,
		p.At.Local().Format("2006-01-02 15:04"), by, p.Seed, strings.Join(p.Models, ", "))
	if p.WithoutPicture > 0 {
		fmt.Fprintf(w, "  %d more have no picture and could not be drawn.\n", p.WithoutPicture)
	}
}

func printSample(w io.Writer, p inspection.Sample, defects []inspection.Defect, openOnly bool) {
	sampleHead(w, p, len(defects))
	for _, h := range p.Strata {
		fmt.Fprintf(w, "  %-36s %5d of %d\n", h.Class, h.Drawn, h.Size)
	}
	for i, d := range defects {
		state := "open"
		if d.Review != nil {
			if openOnly {
				continue
			}
			state = "reviewed by " + d.Review.By
		}
		fmt.Fprintf(w, "%5d  /coils/%s?defect=%d  %s\n", i+1, d.Coil, d.ID, state)
	}
}

func printRate(w io.Writer, r web.ClassificationRate) error {
	sampleHead(w, r.Sample, r.Drawn)
	fmt.Fprintf(w, "  %d reviewed, %d still open; the model is right on %d\n", r.Reviewed, r.Open, r.Right)
	if r.Stratified != nil {
		fmt.Fprintf(w, "  classification rate, each class by its number: %s\n", percent(r.Stratified))
	} else {
		var names []string
		for _, c := range r.Unreviewed {
			names = append(names, string(c))
		}
		fmt.Fprintf(w, "  no rate of the whole yet: nothing is reviewed of %s\n", strings.Join(names, ", "))
	}
	if r.Plain != nil {
		fmt.Fprintf(w, "  of the reviewed defects, each the same:        %s\n", percent(r.Plain))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  model says\trecorded\tdrawn\treviewed\tright\tno defect\tno class fits\trate (95 % interval)")
	for _, c := range r.Classes {
		rate := "-"
		if c.Rate != nil {
			rate = percent(c.Rate)
		}
		fmt.Fprintf(t, "  %s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", c.Class, c.Size, c.Drawn, c.Reviewed, c.Right, c.NoDefect, c.Unknown, rate)
	}
	return t.Flush()
}

func percent(i *inspection.Interval) string {
	return fmt.Sprintf("%.1f %% (%.1f to %.1f %%)", 100*i.Rate, 100*i.Lower, 100*i.Upper)
}
