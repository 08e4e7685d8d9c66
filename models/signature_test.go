package models

import (
	"crypto/ed25519"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// opensslKey makes a key as a plant would, and gives the files of its private and its public part.
func opensslKey(t *testing.T, name string) (private, public string) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed; it is what keys are made with")
	}
	dir := t.TempDir()
	private, public = filepath.Join(dir, name+"-private.pem"), filepath.Join(dir, name+".pem")
	openssl(t, "genpkey", "-algorithm", "ed25519", "-out", private)
	openssl(t, "pkey", "-in", private, "-pubout", "-out", public)
	return private, public
}

func openssl(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %v: %v: %s", args, err, out)
	}
}

func signed(t *testing.T, private string) *Bundle {
	t.Helper()
	key, err := ReadPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(shippedFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = b.Sign(key); err != nil {
		t.Fatal(err)
	}
	return b
}

// files is the bundle as a file system.
func files(t *testing.T, b *Bundle) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := b.eachFile(func(name string, data []byte) error {
		out[name] = &fstest.MapFile{Data: data, Mode: 0o644}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSignatureIsTheOneOpenSSLVerifies(t *testing.T) {
	private, public := opensslKey(t, "plant")
	b := signed(t, private)
	var s Signature
	if err := json.Unmarshal(b.signature, &s); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	manifest, sig := filepath.Join(dir, "manifest"), filepath.Join(dir, "sig")
	for path, data := range map[string][]byte{manifest: b.manifest, sig: s.Signature} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openssl(t, "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", manifest, "-sigfile", sig)
}

func TestOnlyATrustedKeysBundleIsAcceptedWhereKeysAreSet(t *testing.T) {
	private, public := opensslKey(t, "plant")
	_, other := opensslKey(t, "other")
	b, err := Open(files(t, signed(t, private)))
	if err != nil {
		t.Fatal(err)
	}
	unsigned, err := Open(shippedFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir() // of both keys
	for _, p := range []string{public, other} {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(p)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		keys   string
		bundle *Bundle
		want   string
	}{
		"signed, its key":      {public, b, ""},
		"signed, a folder":     {folder, b, ""},
		"signed, no keys":      {"", b, ""},
		"unsigned, no keys":    {"", unsigned, ""},
		"unsigned, keys":       {public, unsigned, "bundle steel-surface-1.3.0 has no signature; allowed is one of key"},
		"signed, another's":    {other, b, "which is not trusted; allowed is key"},
		"unsigned, the folder": {folder, unsigned, "has no signature"},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := ReadKeys(c.keys)
			if err != nil {
				t.Fatal(err)
			}
			err = keys.Check(c.bundle)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v; want %q", err, c.want)
			}
		})
	}
}

// A signature that does not verify is refused whether or not the plant has keys.
func TestSignatureThatDoesNotVerifyIsRefused(t *testing.T) {
	private, _ := opensslKey(t, "plant")
	b := signed(t, private)
	change := func(edit func(s *Signature)) func(*testing.T, fstest.MapFS) {
		return func(t *testing.T, f fstest.MapFS) {
			var s Signature
			if err := json.Unmarshal(f[SignatureName].Data, &s); err != nil {
				t.Fatal(err)
			}
			edit(&s)
			data, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			f[SignatureName].Data = data
		}
	}
	for name, c := range map[string]struct {
		damage func(*testing.T, fstest.MapFS)
		want   string
	}{
		"manifest changed":  {func(t *testing.T, f fstest.MapFS) { rewrite(t, f, func(m map[string]any) { m["version"] = "9.0" }) }, "signature.json: the signature of key"},
		"one bit off":       {change(func(s *Signature) { s.Signature[3] ^= 1 }), "does not verify"},
		"cut":               {change(func(s *Signature) { s.Signature = s.Signature[:60] }), "does not verify"},
		"no signature":      {change(func(s *Signature) { s.Signature = nil }), "does not verify"},
		"another key's id":  {change(func(s *Signature) { s.KeyID = "0011223344556677" }), `key_id is "0011223344556677"; the public key's is`},
		"another algorithm": {change(func(s *Signature) { s.Algorithm = "none" }), `algorithm is "none"; allowed is "ed25519"`},
		"short key":         {change(func(s *Signature) { s.PublicKey = s.PublicKey[:5] }), "public_key has 5 bytes; allowed are 32"},
		"no JSON":           {func(_ *testing.T, f fstest.MapFS) { f[SignatureName].Data = []byte("-----BEGIN") }, "signature.json: it is not a readable signature"},
		"huge": {func(_ *testing.T, f fstest.MapFS) {
			f[SignatureName].Data = []byte(strings.Repeat(" ", 10_000))
		}, "signature.json has more than 4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			f := files(t, b)
			c.damage(t, f)
			if _, err := Open(f); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v; it must contain %q", err, c.want)
			}
		})
	}
}

func TestFileThatIsNoKeyIsRefused(t *testing.T) {
	private, public := opensslKey(t, "plant")
	dir := t.TempDir()
	rsa, text := filepath.Join(dir, "rsa.pem"), filepath.Join(dir, "text.txt")
	openssl(t, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", rsa)
	if err := os.WriteFile(text, []byte("my key"), 0o600); err != nil {
		t.Fatal(err)
	}
	publicOf := func(p string) error { _, err := ReadKeys(p); return err }
	privateOf := func(p string) error { _, err := ReadPrivateKey(p); return err }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"private for public":  {publicOf(private), `is a "PRIVATE KEY"; allowed is a "PUBLIC KEY"`},
		"public for private":  {privateOf(public), `is a "PUBLIC KEY"; allowed is a "PRIVATE KEY"`},
		"another algorithm":   {privateOf(rsa), "is not a private key of Ed25519"},
		"no PEM":              {publicOf(text), "is not in PEM"},
		"no such file":        {publicOf(filepath.Join(dir, "none")), "trusted keys:"},
		"folder without keys": {publicOf(t.TempDir()), "has 0 files *.pem; allowed are 1 to 64"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error is %v; it must contain %q", name, c.err, c.want)
		}
	}
}

func TestKeyIDIsOfThePublicKey(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	if got := KeyID(key.Public().(ed25519.PublicKey)); len(got) != 16 || got != "139e3940e64b5491" {
		t.Errorf("id is %q", got)
	}
}
