package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance"
)

// eachPicture runs one look at every file and prints its result. A file that cannot be read is named on
// standard error, the others go on, and the command fails in the end.
func eachPicture[R any](c *cobra.Command, paths []string, asJSON bool, look func(string) (R, error), text func(R) string) error {
	out := json.NewEncoder(c.OutOrStdout())
	failed := 0
	for _, path := range paths {
		if err := c.Context().Err(); err != nil {
			return errors.New("interrupted")
		}
		r, err := look(path)
		if err != nil {
			failed++
			fmt.Fprintln(c.ErrOrStderr(), "coilsight: "+oneLine(err))
			continue
		}
		if asJSON {
			err = out.Encode(r)
		} else {
			_, err = fmt.Fprintln(c.OutOrStdout(), text(r))
		}
		if err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d pictures could not be inspected", failed, len(paths))
	}
	return nil
}

func inspectCommand() *cobra.Command {
	var s settings
	var asJSON bool
	c := &cobra.Command{
		Use:   "inspect [--json] PATH...",
		Short: "Find and classify the defects in single pictures",
		Long: `Looks at each picture file (JPEG, PNG or TIFF) on its own and prints one line for it: with --json an object
with the picture's size and its events in pixels from the top left.`,
		Example: "  coilsight inspect --json strips/*.jpg",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			e, err := appliance.OpenTaughtEngine(cfg)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, e.Close()) }()
			p := appliance.NewPictureInspector(e, cfg.Detector.Threshold)
			defer p.Close()
			return eachPicture(c, args, asJSON, p.Inspect, func(r appliance.PictureResult) string {
				text := fmt.Sprintf("%s: %d x %d, %d events, %.1f ms", r.Image, r.Width, r.Height, len(r.Events), r.Milliseconds)
				for _, v := range r.Events {
					text += fmt.Sprintf("\n  %-36s %3.0f %%  at %d, %d  size %d x %d", v.Class, v.Confidence*100, v.X, v.Y, v.Width, v.Height)
				}
				return text
			})
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return c
}

func classifyCommand() *cobra.Command {
	var s settings
	var asJSON bool
	c := &cobra.Command{
		Use:     "classify [--json] PATH...",
		Short:   "Classify single crops",
		Long:    "Takes each picture file (JPEG, PNG or TIFF) as one crop, scaled to what the model takes, and prints its class.",
		Example: "  coilsight classify --json crops/*.png",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			e, err := appliance.OpenEngine(cfg)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, e.Close()) }()
			look := func(path string) (appliance.CropResult, error) { return appliance.ClassifyPicture(e, path) }
			return eachPicture(c, args, asJSON, look, func(r appliance.CropResult) string {
				return fmt.Sprintf("%s: %s %.1f %%", r.Image, r.Class, r.Confidence*100)
			})
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return c
}

// isFolder reports whether a path is a folder, as one sentence if not.
func isFolder(path string) error {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("folder %s: %w", filepath.Clean(path), errors.Unwrap(err))
	case !st.IsDir():
		return fmt.Errorf("%s is a file; allowed is a folder of pictures", path)
	}
	return nil
}
