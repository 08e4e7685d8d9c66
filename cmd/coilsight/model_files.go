package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/models"
)

func modelVerifyCommand() *cobra.Command {
	var s modelSettings
	var asJSON, noRun bool
	c := &cobra.Command{
		Use:   "verify [--json] [--no-run] BUNDLE...",
		Short: "Check bundles: structure, checksums, graph, signature and golden crops",
		Long: `Checks each BUNDLE, which is a folder, a .zip file or a bundle of the plant by its name. A bundle that
fails is named with its reason, the others go on, and the exit code is 1.`,
		Example: "  coilsight model verify --key plant.pem steel.zip\n  coilsight model verify builtin",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			failed := 0
			for _, arg := range args {
				if err := verifyModel(c.OutOrStdout(), cfg, arg, asJSON, noRun); err != nil {
					failed++
					fmt.Fprintln(c.ErrOrStderr(), "coilsight: "+oneLine(err))
				}
			}
			if failed > 0 {
				return fmt.Errorf("%d of %d bundles are refused", failed, len(args))
			}
			return nil
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	c.Flags().BoolVar(&noRun, "no-run", false, "do not run the golden crops; needs no ONNX Runtime")
	return c
}

func verifyModel(w io.Writer, cfg appliance.Config, arg string, asJSON, noRun bool) error {
	keys, err := models.ReadKeys(cfg.Classifier.TrustedKeys)
	if err != nil {
		return err
	}
	b, id, err := openNamed(cfg, arg)
	if err != nil {
		return err
	}
	info := describeModel(id, b, keys)
	said := "golden crops not run"
	if !noRun {
		p, err := appliance.ProveModel(b, cfg.Classifier)
		if err != nil {
			return err
		}
		info.Proof = &p
		said = fmt.Sprintf("golden crops off by %.2g at most, of %g allowed, %.0f crops/s on %s", p.GoldenMaxError, b.Manifest.Golden.Tolerance, p.CropsPerSecond, p.Name)
	}
	if asJSON {
		return json.NewEncoder(w).Encode(info)
	}
	_, err = fmt.Fprintf(w, "%s: whole; %d classes, %s, %s; %s\n", b.Folder(), len(info.Classes), info.figures(), info.signature(), said)
	return err
}

// openNamed opens a bundle at a path, or else of the plant, with the plant's keys.
func openNamed(cfg appliance.Config, arg string) (b *models.Bundle, id string, err error) {
	id = arg
	if cfg.Classifier.Bundle = ""; arg != models.Builtin && !isMissing(arg) {
		cfg.Classifier.Bundle = arg
	}
	if b, err = appliance.OpenModel(cfg, arg); err == nil && cfg.Classifier.Bundle != "" {
		id = b.Folder()
	}
	return b, id, err
}

func modelImportCommand() *cobra.Command {
	var s modelSettings
	c := &cobra.Command{
		Use:   "import BUNDLE...",
		Short: "Take bundles into the plant's data folder",
		Long: `Verifies each BUNDLE, a folder or .zip file, runs its golden crops, and keeps it under NAME-VERSION. It does
not become active. What is kept never changes: a changed bundle needs another version.`,
		Example: "  coilsight model import steel.zip",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			for _, path := range args {
				cfg.Classifier.Bundle = path
				b, err := appliance.OpenModel(cfg, path)
				if err != nil {
					return err
				}
				if _, err := appliance.ProveModel(b, cfg.Classifier); err != nil {
					return err
				}
				if err := cfg.Models().Import(b); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "%s is kept; \"coilsight model activate %s\" puts it to work\n", b.Folder(), b.Folder())
			}
			return nil
		},
	}
	s.flags(c)
	return c
}

func modelExportCommand() *cobra.Command {
	var s modelSettings
	var out string
	c := &cobra.Command{
		Use:     "export NAME-VERSION|builtin [--out FILE.zip]",
		Short:   "Write a bundle of the plant as one file to hand on",
		Example: "  coilsight model export steel-surface-1.3.0",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := s.read()
			if err != nil {
				return err
			}
			b, err := cfg.Models().Open(args[0])
			if err != nil {
				return err
			}
			if out == "" {
				out = b.Folder() + ".zip"
			}
			if !isMissing(out) {
				return fmt.Errorf("%s is there already; --out names another file", out)
			}
			if err := writeBundle(b, out); err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), out)
			return err
		},
	}
	s.flags(c)
	c.Flags().StringVar(&out, "out", "", "file to write; without it NAME-VERSION.zip")
	return c
}

func modelSignCommand() *cobra.Command {
	var private, out string
	c := &cobra.Command{
		Use:   "sign BUNDLE --key PRIVATE.pem [--out FILE.zip]",
		Short: "Sign a bundle with an Ed25519 key",
		Long: `Signs the manifest and by its checksums every file, and writes the signed bundle as one file; without --out a
folder gets its signature.json and a .zip file is replaced. "openssl genpkey -algorithm ed25519 -out
private.pem" makes a key, "openssl pkey -in private.pem -pubout -out plant.pem" its public part, which goes
to the folder that classifier.trusted_keys names.`,
		Example: "  coilsight model sign bundle --key private.pem --out steel.zip",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := models.ReadPrivateKey(private)
			if err != nil {
				return err
			}
			b, err := models.OpenPath(args[0])
			if err != nil {
				return err
			}
			if b, err = b.Sign(key); err != nil {
				return err
			}
			info, err := os.Stat(args[0])
			if err != nil {
				return err
			}
			switch {
			case out != "":
				err = writeBundle(b, out)
			case info.IsDir():
				err = replaceFile(filepath.Join(args[0], models.SignatureName), func(w io.Writer) error {
					_, err := w.Write(b.Signature())
					return err
				})
			default:
				err = writeBundle(b, args[0])
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is signed by key %s\n", b.Folder(), b.SignedBy)
			return err
		},
	}
	c.Flags().StringVar(&private, "key", "", "private key in PEM")
	c.Flags().StringVar(&out, "out", "", "file to write")
	_ = c.MarkFlagRequired("key") // fails only for a flag that is not there
	return c
}

func writeBundle(b *models.Bundle, path string) error {
	return replaceFile(path, b.WriteZip)
}

// replaceFile writes a file as a whole, or leaves what was there.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*")
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = errors.Join(f.Chmod(0o644), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
