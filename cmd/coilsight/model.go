package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/models"
)

func modelCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "model",
		Short: "Look at model bundles, take them in, and choose the one that classifies",
		Long: `A bundle is a folder or one .zip file with a classifier and all that is needed to trust it. A plant keeps its
bundles in the data folder, each under NAME-VERSION; "builtin" is the one in the program. What is refused
changes nothing: the active bundle stays.`,
		Example: "  coilsight model verify steel.zip\n  coilsight model import steel.zip\n  coilsight model activate steel-surface-1.3.0\n  coilsight model rollback",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Help()
			return misused("model needs a sub-command")
		},
	}
	c.AddCommand(
		modelListCommand(), modelVerifyCommand(), modelImportCommand(), modelActivateCommand(), modelRollbackCommand(),
		modelShadowCommand(), modelExportCommand(), modelSignCommand(), modelSchemaCommand(),
	)
	return c
}

// modelSettings are the flags of the commands that look at bundles.
type modelSettings struct {
	settings
	keys, by string
}

func (s *modelSettings) flags(c *cobra.Command) {
	s.settings.flags(c)
	c.Flags().StringVar(&s.keys, "key", "", "trusted public key or folder of them, in place of the configured ones")
}

func (s *modelSettings) read() (appliance.Config, error) {
	cfg, err := s.settings.read()
	if s.keys != "" {
		cfg.Classifier.TrustedKeys = s.keys
	}
	return cfg, err
}

// byFlag adds --by to the commands that change which bundle is used.
func (s *modelSettings) byFlag(c *cobra.Command) {
	c.Flags().StringVar(&s.by, "by", "", "who changes it, for the record; without it the user's name")
}

func (s *modelSettings) who() string {
	if s.by != "" {
		return s.by
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// modelInfo is what list and verify print of a bundle.
type modelInfo struct {
	ID       string             `json:"id"`
	Name     string             `json:"name,omitempty"`
	Version  string             `json:"version,omitempty"`
	Created  string             `json:"created,omitempty"`
	Active   bool               `json:"active,omitempty"`
	Shadow   bool               `json:"shadow,omitempty"`
	Classes  []string           `json:"classes,omitempty"`
	Unknown  bool               `json:"unknown"` // the model can tell that it never saw a crop's like
	Accuracy map[string]float64 `json:"accuracy,omitempty"`
	SignedBy string             `json:"signed_by,omitempty"` // key id; empty: unsigned
	Trusted  *bool              `json:"trusted,omitempty"`   // absent where the plant has set no keys
	Fault    string             `json:"fault,omitempty"`
	// Proof is what the golden crops gave; absent where they were not run.
	Proof *inference.ProviderReport `json:"proof,omitempty"`
}

func describeModel(id string, b *models.Bundle, keys models.Keys) modelInfo {
	m := b.Manifest
	out := modelInfo{
		ID: id, Name: m.Name, Version: m.Version, Created: m.Created, Unknown: m.Unknown != nil,
		Accuracy: b.Accuracy(), SignedBy: b.SignedBy,
	}
	for _, c := range b.Classes() {
		out.Classes = append(out.Classes, string(c))
	}
	if len(keys) > 0 && id != models.Builtin {
		trusted := keys.Check(b) == nil
		out.Trusted = &trusted
	}
	return out
}

// signature says who signed a bundle, in a few words.
func (m modelInfo) signature() string {
	switch {
	case m.ID == models.Builtin:
		return "part of the program"
	case m.SignedBy == "":
		return "unsigned"
	case m.Trusted == nil:
		return "signed by " + m.SignedBy
	case *m.Trusted:
		return "signed by " + m.SignedBy + ", trusted"
	}
	return "signed by " + m.SignedBy + ", not trusted"
}

func (m modelInfo) figures() string {
	var parts []string
	for _, source := range slices.Sorted(maps.Keys(m.Accuracy)) {
		parts = append(parts, fmt.Sprintf("%s %.1f %%", source, 100*m.Accuracy[source]))
	}
	if len(parts) == 0 {
		return "accuracy not stated"
	}
	return "accuracy " + strings.Join(parts, ", ")
}

func (m modelInfo) text() string {
	if m.Fault != "" {
		return fmt.Sprintf("%-28s %s", m.ID, m.Fault)
	}
	id := m.ID
	if id == models.Builtin {
		id = fmt.Sprintf("%s (%s-%s)", id, m.Name, m.Version)
	}
	return fmt.Sprintf("%-28s %s  %d classes  %s  %s", id, m.Created, len(m.Classes), m.figures(), m.signature())
}

func modelListCommand() *cobra.Command {
	var s modelSettings
	var asJSON bool
	c := &cobra.Command{
		Use:     "list [--json]",
		Short:   "List the bundles of the plant",
		Long:    `Prints one line a bundle: "*" is active, "~" answers in the shadow, "!" is not what its manifest says.`,
		Example: "  coilsight model list --data data",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			keys, err := models.ReadKeys(cfg.Classifier.TrustedKeys)
			if err != nil {
				return err
			}
			list, err := cfg.Models().List()
			if err != nil {
				return err
			}
			state, err := cfg.Models().State()
			if err != nil {
				return err
			}
			infos := make([]modelInfo, len(list))
			for i, l := range list {
				infos[i] = modelInfo{ID: l.ID}
				if l.Fault != nil {
					infos[i].Fault = oneLine(l.Fault)
				} else {
					infos[i] = describeModel(l.ID, l.Bundle, keys)
				}
				infos[i].Active = l.Active && cfg.Classifier.Bundle == ""
				infos[i].Shadow = state.Shadow != nil && state.Shadow.ID == l.ID
			}
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(infos)
			}
			for _, m := range infos {
				mark := " "
				switch {
				case m.Active:
					mark = "*"
				case m.Shadow:
					mark = "~"
				case m.Fault != "":
					mark = "!"
				}
				fmt.Fprintln(c.OutOrStdout(), mark, m.text())
			}
			if cfg.Classifier.Bundle != "" {
				fmt.Fprintf(c.OutOrStdout(), "The configuration names %s, which stands over the active one.\n", cfg.Classifier.Bundle)
			}
			return nil
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON list")
	return c
}

func modelActivateCommand() *cobra.Command {
	var s modelSettings
	c := &cobra.Command{
		Use:   "activate NAME-VERSION|builtin",
		Short: "Make a bundle of the plant the one that classifies",
		Long: `Proves the bundle on its golden crops and makes it active. An appliance that runs takes it up at the next
coil, one that starts later at its start.`,
		Example: "  coilsight model activate steel-surface-1.3.0 --by Kim",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			if _, err := proved(cfg, args[0]); err != nil {
				return err
			}
			if err := cfg.Models().Activate(args[0], time.Now(), s.who()); err != nil {
				return err
			}
			return sayActive(c, cfg, args[0])
		},
	}
	s.flags(c)
	s.byFlag(c)
	return c
}

func modelRollbackCommand() *cobra.Command {
	var s modelSettings
	c := &cobra.Command{
		Use:     "rollback",
		Short:   "Go back to the bundle that was active before",
		Long:    "Undoes the last activation. Called again it goes back further.",
		Example: "  coilsight model rollback --by Kim",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			active, err := cfg.Models().Active()
			if err != nil {
				return err
			}
			to, err := cfg.Models().Previous()
			if err != nil {
				return err
			}
			if _, err := proved(cfg, to.ID); err != nil {
				return err
			}
			if err := cfg.Models().Rollback(active.ID, to.ID, time.Now(), s.who()); err != nil {
				return err
			}
			return sayActive(c, cfg, to.ID)
		},
	}
	s.flags(c)
	s.byFlag(c)
	return c
}

func sayActive(c *cobra.Command, cfg appliance.Config, id string) error {
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s is active\n", id)
	if cfg.Classifier.Bundle != "" {
		fmt.Fprintf(c.ErrOrStderr(), "coilsight: the configuration names %s, which stands over the active one\n", cfg.Classifier.Bundle)
	}
	return err
}

func modelShadowCommand() *cobra.Command {
	var s modelSettings
	var off bool
	c := &cobra.Command{
		Use:   "shadow NAME-VERSION|builtin | --off",
		Short: "Let a bundle answer beside the active one, without a say",
		Long: `Proves the bundle on its golden crops and lets it classify the same crops in the shadow; the record holds the
active bundle's answers alone. "activate" of the same bundle promotes it.`,
		Example: "  coilsight model shadow steel-surface-1.3.0\n  coilsight model shadow --off",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if off == (len(args) == 1) {
				return misused("shadow needs a bundle's name or --off, one of both")
			}
			cfg, err := s.read()
			if err != nil {
				return err
			}
			id := ""
			if !off {
				id = args[0]
				if _, err := proved(cfg, id); err != nil {
					return err
				}
			}
			if err := cfg.Models().SetShadow(id, time.Now(), s.who()); err != nil {
				return err
			}
			said := id + " answers in the shadow"
			if off {
				said = "no bundle answers in the shadow"
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), said)
			return err
		},
	}
	s.flags(c)
	s.byFlag(c)
	c.Flags().BoolVar(&off, "off", false, "end it")
	return c
}

// proved opens a bundle of the plant, holds it against the recipes and runs its golden crops.
func proved(cfg appliance.Config, id string) (*models.Bundle, error) {
	cfg.Classifier.Bundle = "" // a path is no name here
	b, err := appliance.OpenModel(cfg, id)
	if err != nil {
		return nil, err
	}
	if err := appliance.FitsConfig(cfg, b); err != nil {
		return nil, err
	}
	_, err = appliance.ProveModel(b, cfg.Classifier)
	return b, err
}

func modelSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of a bundle's manifest", Args: cobra.NoArgs,
		Example: "  coilsight model schema > manifest.schema.json",
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(models.ManifestSchema())
			return err
		},
	}
}

// isMissing reports whether nothing lies at a path.
func isMissing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, os.ErrNotExist)
}
