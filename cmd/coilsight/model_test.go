package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/models"
)

const shippedBundle = "../../models/bundles/steel-surface-1"

// bundleOf copies the shipped bundle under another version, one of its files replaced; its checksums are right.
func bundleOf(t *testing.T, version, name string, data []byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bundle")
	if err := os.CopyFS(dir, os.DirFS(shippedBundle)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, models.ManifestName)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	m["version"] = version
	if name != "" {
		sum := sha256.Sum256(data)
		for _, f := range m["files"].([]any) {
			if f := f.(map[string]any); f["path"] == name {
				f["bytes"], f["sha256"] = len(data), hex.EncodeToString(sum[:])
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if raw, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// swappedGolden is the shipped golden scores with those of the first and the last class exchanged.
func swappedGolden(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(shippedBundle, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Scores      [][]float32 `json:"scores"`
		Familiarity []float32   `json:"familiarity"`
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	last := len(g.Scores) - 1
	g.Scores[0], g.Scores[last] = g.Scores[last], g.Scores[0]
	out, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// done runs a command that must succeed and gives its output.
func done(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := command(t, args...)
	if code != exitDone {
		t.Fatalf("%v ends with %d: %s", args, code, errs)
	}
	return out
}

func refused(t *testing.T, want string, args ...string) {
	t.Helper()
	code, out, errs := command(t, args...)
	if code != exitFailed || !strings.Contains(errs, want) {
		t.Errorf("%v ends with %d, says %q and %q; want a refusal with %q", args, code, out, errs, want)
	}
}

// activeModel is the bundle that list marks.
func activeModel(t *testing.T, data string) string {
	t.Helper()
	var list []modelInfo
	if err := json.Unmarshal([]byte(done(t, "model", "list", "--json", "--data", data)), &list); err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Active {
			return m.ID
		}
	}
	t.Fatalf("none of %+v is active", list)
	return ""
}

func openssl(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed; it is what keys are made with")
	}
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %v: %v: %s", args, err, out)
	}
}

func TestBundleGoesFromOnePlantToAnother(t *testing.T) {
	here, there, dir := t.TempDir(), t.TempDir(), t.TempDir()
	private, public, file := filepath.Join(dir, "private.pem"), filepath.Join(dir, "plant.pem"), filepath.Join(dir, "steel.zip")
	openssl(t, "genpkey", "-algorithm", "ed25519", "-out", private)
	openssl(t, "pkey", "-in", private, "-pubout", "-out", public)

	bundle := bundleOf(t, "1.2.0", "", nil)
	done(t, "model", "sign", bundle, "--key", private)
	done(t, "model", "import", bundle, "--data", here)
	done(t, "model", "export", "steel-surface-1.2.0", "--data", here, "--out", file)
	if out := done(t, "model", "verify", file, "--key", public); !strings.Contains(out, "steel-surface-1.2.0: whole; 10 classes") || !strings.Contains(out, ", trusted; golden crops off by") {
		t.Errorf("verify says %q", out)
	}
	done(t, "model", "import", file, "--data", there, "--key", public)
	if got := activeModel(t, there); got != "builtin" {
		t.Errorf("%s is active after an import; want builtin", got)
	}
	done(t, "model", "shadow", "steel-surface-1.2.0", "--data", there)
	if out := done(t, "model", "list", "--data", there); !strings.Contains(out, "~ steel-surface-1.2.0") || !strings.Contains(out, "* builtin (steel-surface-1.3.0)") {
		t.Errorf("list says %q", out)
	}
	done(t, "model", "activate", "steel-surface-1.2.0", "--data", there, "--key", public, "--by", "Kim")
	if got := activeModel(t, there); got != "steel-surface-1.2.0" {
		t.Errorf("%s is active; want steel-surface-1.2.0", got)
	}
	done(t, "model", "rollback", "--data", there)
	if got := activeModel(t, there); got != "builtin" {
		t.Errorf("%s is active after a rollback; want builtin", got)
	}
}

func TestRefusedBundleLeavesTheActiveOne(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	private, other := filepath.Join(dir, "private.pem"), filepath.Join(dir, "other.pem")
	openssl(t, "genpkey", "-algorithm", "ed25519", "-out", private)
	openssl(t, "pkey", "-in", private, "-pubout", "-out", other)
	good := bundleOf(t, "1.2.0", "", nil)
	done(t, "model", "import", good, "--data", data)
	done(t, "model", "activate", "steel-surface-1.2.0", "--data", data)

	cut := bundleOf(t, "1.3.0", "", nil)
	if err := os.Truncate(filepath.Join(cut, "model.onnx"), 1000); err != nil {
		t.Fatal(err)
	}
	noZip := filepath.Join(dir, "bundle.zip")
	if err := os.WriteFile(noZip, []byte("PK\x03\x04 and then the line went dead"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, "allowed is a difference of 0.02", "model", "import", bundleOf(t, "1.3.0", "golden.json", swappedGolden(t)), "--data", data)
	refused(t, "model.onnx: it is not a readable ONNX graph", "model", "import", bundleOf(t, "1.3.0", "model.onnx", []byte("no graph")), "--data", data)
	refused(t, "model.onnx has 1000 bytes; the manifest allows", "model", "import", cut, "--data", data)
	refused(t, "it is not a whole ZIP archive", "model", "import", noZip, "--data", data)
	refused(t, "has no signature; allowed is one of key", "model", "import", bundleOf(t, "1.3.0", "", nil), "--data", data, "--key", other)
	refused(t, "another model steel-surface-1.2.0 is there already", "model", "import", bundleOf(t, "1.2.0", "report.json", []byte("{}")), "--data", data)
	refused(t, `"steel-surface-1.3.0" is not in`, "model", "activate", "steel-surface-1.3.0", "--data", data)
	refused(t, "has no signature", "model", "activate", "steel-surface-1.2.0", "--data", data, "--key", other)
	refused(t, "2 of 3 bundles are refused", "model", "verify", good, cut, noZip, "--no-run")
	refused(t, "is there already; --out names another", "model", "export", "builtin", "--out", noZip)
	if got := activeModel(t, data); got != "steel-surface-1.2.0" {
		t.Errorf("%s is active; want steel-surface-1.2.0", got)
	}
	// What was active does not start when it is damaged since, and says how to go on.
	if err := os.Truncate(filepath.Join(data, "models", "steel-surface-1.2.0", "model.onnx"), 1000); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(dir, "strip.png")
	strip(t, picture, 600)
	refused(t, `"coilsight model rollback"`, "inspect", "--data", data, picture)
	done(t, "model", "rollback", "--data", data)
	done(t, "inspect", "--data", data, picture)
}

func TestSchemaIsPrinted(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal([]byte(done(t, "model", "schema")), &schema); err != nil || schema["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("schema is %v, %v", schema["$schema"], err)
	}
}

func TestMisusedModelCommandsExitWithTwo(t *testing.T) {
	for _, args := range [][]string{
		{"model"},
		{"model", "verify"},
		{"model", "activate"},
		{"model", "rollback", "extra"},
		{"model", "shadow"},
		{"model", "shadow", "builtin", "--off"},
		{"model", "sign", "bundle"},
	} {
		if code, _, errs := command(t, args...); code != exitMisused || strings.Count(strings.TrimSpace(errs), "\n") != 0 {
			t.Errorf("%v ends with %d and says %q; want one sentence and 2", args, code, errs)
		}
	}
}
