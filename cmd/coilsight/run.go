package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/deploy"
	"github.com/coilsight/coilsight/web/ui"
)

// settings are the flags that stand over the configuration.
type settings struct{ config, data string }

func (s *settings) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.config, "config", "", "configuration file; without it the defaults hold")
	c.Flags().StringVar(&s.data, "data", "", "folder of the record, in place of the configured one")
}

func (s *settings) read() (appliance.Config, error) {
	cfg := appliance.DefaultConfig()
	if s.config != "" {
		var err error
		if cfg, err = appliance.ReadConfig(s.config); err != nil {
			return cfg, err
		}
	}
	if s.data != "" {
		cfg.Data = s.data
	}
	return cfg, nil
}

func runCommand() *cobra.Command {
	var s settings
	var listen string
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the appliance: inspect, record and serve",
		Long: `Runs the line, the record and the web server until it is interrupted. The first interrupt stops the
cameras, records what has arrived and closes the running coil; a second one stops at once.`,
		Example: "  coilsight run\n  coilsight run --config coilsight.yaml --listen 0.0.0.0:8080",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			if listen != "" {
				cfg.Listen = listen
			}
			pages, err := ui.Files()
			if err != nil {
				return err
			}
			say := func(format string, a ...any) { fmt.Fprintf(c.ErrOrStderr(), format+"\n", a...) }
			say("coilsight %s: opening %s and proving the model", version, cfg.Data)
			began := time.Now()
			a, err := appliance.New(c.Context(), appliance.Options{
				Config: cfg, UI: pages, Version: version,
				Log: slog.New(slog.NewJSONHandler(c.ErrOrStderr(), nil)),
			})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, a.Close()) }()
			for _, id := range a.Interrupted() {
				say("coil %s was running when the appliance stopped; it is closed as interrupted and its unseen rest is a gap", id)
			}
			p := a.Engine().Classifier.Provider()
			say("model %s on %s, %.0f crops/s measured", a.Engine().Bundle.ID(), p.Name, p.CropsPerSecond)
			if a.Engine().Refused != "" {
				say("ALARM: the configured provider is not in use: %s", a.Engine().Refused)
			}
			say("ready in %.1f s: %s", time.Since(began).Seconds(), a.URL())
			if err := a.Run(c.Context()); err != nil {
				return err
			}
			say("stopped; everything that arrived is recorded")
			return nil
		},
	}
	s.flags(c)
	c.Flags().StringVar(&listen, "listen", "", "address HOST:PORT to serve on, in place of the configured one")
	return c
}

func configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "config",
		Short:   "Check a configuration file, or print the shipped one",
		Example: "  coilsight config check coilsight.yaml\n  coilsight config print > coilsight.yaml",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_ = c.Help()
			return misused("config needs check or print")
		},
	}
	c.AddCommand(&cobra.Command{
		Use: "check FILE", Short: "Check a configuration file", Args: cobra.ExactArgs(1),
		Example: "  coilsight config check coilsight.yaml",
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := appliance.ReadConfig(args[0]); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), args[0]+" is a valid configuration")
			return nil
		},
	}, &cobra.Command{
		Use: "print", Short: "Print the shipped configuration, which equals the defaults", Args: cobra.NoArgs,
		Example: "  coilsight config print > coilsight.yaml",
		RunE: func(c *cobra.Command, _ []string) error {
			data, err := deploy.Files.ReadFile("coilsight.yaml")
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(data)
			return err
		},
	})
	return c
}

// healthWithin bounds a health check; the container's own limit is above it.
const healthWithin = 3 * time.Second

func healthCommand() *cobra.Command {
	var url string
	c := &cobra.Command{
		Use:     "health",
		Short:   "Ask a running appliance whether it is alive",
		Long:    "Exit code 0 if the appliance answers, 1 if it does not. Containers use it as their health check.",
		Example: "  coilsight health --url http://127.0.0.1:8080",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client := http.Client{Timeout: healthWithin}
			req, err := http.NewRequestWithContext(c.Context(), http.MethodGet, url+"/healthz", http.NoBody)
			if err != nil {
				return misused("--url %q is not an address; allowed is such as http://127.0.0.1:8080", url)
			}
			res, err := client.Do(req)
			if err != nil {
				return err
			}
			defer res.Body.Close()
			if res.StatusCode != http.StatusOK {
				return fmt.Errorf("%s answers %s", url, res.Status)
			}
			fmt.Fprintln(c.OutOrStdout(), "alive")
			return nil
		},
	}
	c.Flags().StringVar(&url, "url", "http://127.0.0.1:8080", "address of the appliance")
	return c
}

// terminal reports whether a file is one, for progress bars.
func terminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
