package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/appliance/teach"
	"github.com/coilsight/coilsight/inspection"
)

func teachCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "teach",
		Short: "Learn from the plant's own strip, without labels, what is normal on it",
		Long: `Looks at pictures of the plant's own strip and learns how high the detector's limits must lie there and which
looks of its texture are no defects. What comes back at a fixed place is not learned, and a person is asked about
the few most telling regions. Each result is a version that never changes, is tied to the model, and does nothing
until it is activated; a running appliance takes it up, or lets it go, at the next coil.`,
		Example: "  coilsight teach learn --data data --name line-2 strips/\n  coilsight teach answer --data data --name line-2 1=normal 5=defect\n" +
			"  coilsight teach activate --data data line-2-v2\n  coilsight teach off --data data",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Help()
			return misused("teach needs a sub-command")
		},
	}
	c.AddCommand(teachLearnCommand(), teachAnswerCommand(), teachActivateCommand(), teachRollbackCommand(), teachOffCommand(), teachListCommand(), teachShowCommand())
	return c
}

// teachSettings are the flags of the commands that write.
type teachSettings struct {
	modelSettings
	name   string
	asJSON bool
}

func (s *teachSettings) flags(c *cobra.Command) {
	s.modelSettings.flags(c)
	s.byFlag(c)
	c.Flags().StringVar(&s.name, "name", "", "name of the teaching, such as that of the line: a-z, 0-9 and -")
	c.Flags().BoolVar(&s.asJSON, "json", false, "print one JSON object")
	_ = c.MarkFlagRequired("name")
}

func teachLearnCommand() *cobra.Command {
	var s teachSettings
	var mmPerPixel float64
	var continuous bool
	c := &cobra.Command{
		Use:   "learn --name NAME [flags] PATH...",
		Short: "Learn from pictures of strip and write the next version",
		Long: `Takes pictures (JPEG, PNG or TIFF) and folders of them, the rolling direction running down. Prints what would be
reported before and after, and which regions a person should judge: their pictures, questions.json and
before-after.png lie in the version's folder. Nothing is activated.`,
		Example: "  coilsight teach learn --data data --name line-2 --mm-per-px 0.5 strips/",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if err := teach.CheckName(s.name); err != nil {
				return misused("--name: %w", err)
			}
			cfg, err := s.read()
			if err != nil {
				return err
			}
			e, err := appliance.OpenEngine(cfg)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, e.Close()) }()
			var bar *progressbar.ProgressBar
			step := ""
			t, err := teach.Learn(c.Context(), teach.Options{
				Classifier: e.Classifier, Bundle: e.Bundle, Threshold: cfg.Detector.Threshold, Shelf: cfg.Teachings(),
				Name: s.name, Paths: args, MMPerPixel: inspection.MM(mmPerPixel), Continuous: continuous, By: s.who(), Now: time.Now(),
				Progress: func(what string, done, total int) {
					if bar == nil || what != step {
						bar, step = progressbar.NewOptions(total, progressbar.OptionSetWriter(c.ErrOrStderr()),
							progressbar.OptionSetDescription(what), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(),
							progressbar.OptionSetVisibility(terminal(os.Stderr))), what
					}
					_ = bar.Set(done) // only fails where the terminal does
				},
			})
			if err != nil {
				return err
			}
			return s.print(c.OutOrStdout(), cfg, t)
		},
	}
	s.flags(c)
	c.Flags().Float64Var(&mmPerPixel, "mm-per-px", 0.5, "size of a pixel along the strip")
	c.Flags().BoolVar(&continuous, "continuous", false, "each picture goes on where the one before ended, so that what comes back at a fixed distance shows")
	return c
}

func teachAnswerCommand() *cobra.Command {
	var s teachSettings
	var version int
	c := &cobra.Command{
		Use:   "answer --name NAME NUMBER=ANSWER...",
		Short: "Take a person's answers and write the next version",
		Long: `An answer is normal, defect, or a class of the model. A look that is called normal overrules the model however
sure that is; what is called a defect is never taken for normal. The newest version is answered unless another is named.`,
		Example: "  coilsight teach answer --data data --name line-2 3=normal 5=defect 7=surface_scratch",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if err := teach.CheckName(s.name); err != nil {
				return misused("--name: %w", err)
			}
			cfg, err := s.read()
			if err != nil {
				return err
			}
			shelf := cfg.Teachings()
			if version == 0 {
				all, err := shelf.Versions(s.name)
				if err != nil {
					return err
				}
				if len(all) == 0 {
					return fmt.Errorf("nothing was taught under the name %s; \"coilsight teach learn\" comes first", s.name)
				}
				version = all[len(all)-1]
			}
			from, _, err := shelf.Open(fmt.Sprintf("%s-v%d", s.name, version))
			if err != nil {
				return err
			}
			answers, err := teach.ParseAnswers(args)
			if err != nil {
				return misused("%w", err)
			}
			t, err := appliance.AnswerTaught(c.Context(), cfg, teach.AnswerOptions{From: from, Answers: answers, By: s.who(), Now: time.Now()})
			if err != nil {
				return err
			}
			return s.print(c.OutOrStdout(), cfg, t)
		},
	}
	s.flags(c)
	c.Flags().IntVar(&version, "version", 0, "version that the answers are to; 0: the newest")
	return c
}

// taughtInfo is what the commands print of a version.
type taughtInfo struct {
	ID        string            `json:"id"`
	Active    bool              `json:"active"`
	Created   time.Time         `json:"created"`
	By        string            `json:"by,omitempty"`
	Model     string            `json:"model"`
	Pictures  int               `json:"pictures"`
	Metres    float64           `json:"metres"`
	Scales    []teach.Scale     `json:"scales"`
	GivenBack []teach.Scale     `json:"given_back"`
	Looks     int               `json:"looks"`
	Recurring int               `json:"recurring"`
	Golden    teach.GoldenCheck `json:"golden"`
	Before    teach.Count       `json:"before"`
	After     teach.Count       `json:"after"`
	Questions int               `json:"questions"`
	Answers   []teach.Answer    `json:"answers"`
	Folder    string            `json:"folder"`
}

func describeTaught(cfg appliance.Config, t *teach.Taught, active bool) taughtInfo {
	return taughtInfo{
		t.ID(), active, t.Created, t.By, t.Model, len(t.Pictures), t.Metres, t.Scales, t.GivenBack, len(t.Looks), len(t.Recurring),
		t.Golden, t.Before, t.After, len(t.Questions), t.Answers, cfg.Teachings().Work(t),
	}
}

func (s *teachSettings) print(w io.Writer, cfg appliance.Config, t *teach.Taught) error {
	if s.asJSON {
		return json.NewEncoder(w).Encode(describeTaught(cfg, t, false))
	}
	printTaught(w, cfg, t)
	fmt.Fprintf(w, "  nothing is changed yet; \"coilsight teach activate %s\" takes it into use\n", t.ID())
	return nil
}

func printTaught(w io.Writer, cfg appliance.Config, t *teach.Taught) {
	fmt.Fprintf(w, "teaching %s for model %s: %d pictures, %.1f m of strip\n", t.ID(), t.Model, len(t.Pictures), t.Metres)
	for _, v := range []struct {
		name string
		c    teach.Count
	}{{"before", t.Before}, {"after", t.After}} {
		fmt.Fprintf(w, "  %-7s %6d regions, %6d reported, %8.2f a metre\n", v.name, v.c.Found, v.c.Reported, float64(v.c.Reported)/max(t.Metres, 1e-3))
	}
	for _, class := range t.Before.Classes(t.After) {
		fmt.Fprintf(w, "    %-36s %6d -> %d\n", class, t.Before.ByClass[class], t.After.ByClass[class])
	}
	fmt.Fprintf(w, "  limits of the detector:")
	for _, k := range t.Scales {
		if k.Factor != 1 {
			fmt.Fprintf(w, " %s x%.2f", k.Measure, k.Factor)
		}
	}
	fmt.Fprintf(w, "\n  not taken in full, for the golden defects or because nothing is won:")
	for _, k := range t.GivenBack {
		fmt.Fprintf(w, " %s x%.2f", k.Measure, k.Factor)
	}
	fmt.Fprintf(w, "\n  golden defects set into this strip: %d of %d found before, %d after\n", t.Golden.Before, t.Golden.SetIn, t.Golden.After)
	fmt.Fprintf(w, "  %d looks are taken for normal strip\n", len(t.Looks))
	for _, r := range t.Recurring {
		fmt.Fprintf(w, "  recurs at %.0f %% of the width", 100*r.Across)
		if r.EveryLines > 0 {
			fmt.Fprintf(w, ", every %.0f mm", r.EveryLines*float64(t.MMPerPixel))
		}
		fmt.Fprintf(w, ": %d times, %s; not learned\n", r.Members, r.Region.Verdict)
	}
	answered := map[int]string{}
	for _, a := range t.Answers {
		answered[a.Number] = a.Answer
	}
	for _, q := range t.Questions {
		fmt.Fprintf(w, "  question %2d  %-9s %s %3.0f %%, %d alike  %s", q.Number, q.Why, q.Region.Verdict, 100*q.Region.Confidence, q.Alike, filepath.Join(cfg.Teachings().Work(t), q.Crop))
		if a := answered[q.Number]; a != "" {
			fmt.Fprintf(w, "  answered %s", a)
		}
		fmt.Fprintln(w)
	}
}

func teachActivateCommand() *cobra.Command {
	var s modelSettings
	c := &cobra.Command{
		Use:     "activate NAME-vN",
		Short:   "Take a version into use; a running appliance does so at the next coil",
		Example: "  coilsight teach activate --data data line-2-v2",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			if err := appliance.ActivateTaught(cfg, args[0], s.change()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "teaching %s is active; coils that begin from now on are judged with it\n", args[0])
			return err
		},
	}
	s.flags(c)
	s.byFlag(c)
	return c
}

// change is who changes which teaching is active, now.
func (s *modelSettings) change() teach.Change { return teach.Change{By: s.who(), At: time.Now()} }

func teachRollbackCommand() *cobra.Command {
	var s modelSettings
	c := &cobra.Command{
		Use:     "rollback",
		Short:   "Go back to what was active before; a running appliance does so at the next coil",
		Long:    "Undoes the last \"activate\" or \"off\". Called again it goes back further.",
		Example: "  coilsight teach rollback --data data --by Kim",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			id, err := appliance.RollBackTaught(cfg, s.change())
			if err != nil {
				return err
			}
			if id == "" {
				_, err = fmt.Fprintln(c.OutOrStdout(), "no teaching is active")
			} else {
				_, err = fmt.Fprintf(c.OutOrStdout(), "teaching %s is active; coils that begin from now on are judged with it\n", id)
			}
			return err
		},
	}
	s.flags(c)
	s.byFlag(c)
	return c
}

func teachOffCommand() *cobra.Command {
	var s modelSettings
	c := &cobra.Command{
		Use:     "off",
		Short:   "Go on without a teaching; a running appliance does so at the next coil",
		Example: "  coilsight teach off --data data",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			if err := cfg.Teachings().Off(s.change()); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), "no teaching is active")
			return err
		},
	}
	s.flags(c)
	s.byFlag(c)
	return c
}

func teachListCommand() *cobra.Command {
	var s settings
	var asJSON bool
	c := &cobra.Command{
		Use:     "list [--json]",
		Short:   "List the versions",
		Long:    `Prints one line a version: "*" is active, "!" cannot be read.`,
		Example: "  coilsight teach list --data data",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			list, err := cfg.Teachings().List()
			if err != nil {
				return err
			}
			for _, l := range list {
				switch {
				case asJSON && l.Fault == nil:
					err = json.NewEncoder(c.OutOrStdout()).Encode(describeTaught(cfg, l.Taught, l.Active))
				case asJSON:
					err = json.NewEncoder(c.OutOrStdout()).Encode(map[string]string{"id": l.ID, "fault": oneLine(l.Fault)})
				case l.Fault != nil:
					_, err = fmt.Fprintf(c.OutOrStdout(), "! %-24s %s\n", l.ID, oneLine(l.Fault))
				default:
					mark := " "
					if l.Active {
						mark = "*"
					}
					t := l.Taught
					_, err = fmt.Fprintf(c.OutOrStdout(), "%s %-24s %s  %s  %.1f m, reported %d -> %d, %d answers\n",
						mark, l.ID, t.Created.Format("2006-01-02 15:04"), t.Model, t.Metres, t.Before.Reported, t.After.Reported, len(t.Answers))
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return c
}

func teachShowCommand() *cobra.Command {
	var s settings
	var asJSON bool
	c := &cobra.Command{
		Use:     "show [--json] NAME-vN",
		Short:   "Show one version",
		Example: "  coilsight teach show --data data line-2-v1",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			t, _, err := cfg.Teachings().Open(args[0])
			if err != nil {
				return err
			}
			a, err := cfg.Teachings().Active()
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(describeTaught(cfg, t, a.ID == t.ID()))
			}
			printTaught(c.OutOrStdout(), cfg, t)
			return nil
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}
