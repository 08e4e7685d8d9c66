package models

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Signature is signature.json: one key's word for the manifest, and by the checksums in it for every file.
type Signature struct {
	Algorithm string `json:"algorithm"` // always "ed25519"
	KeyID     string `json:"key_id"`
	PublicKey []byte `json:"public_key"` // 32 bytes
	Signature []byte `json:"signature"`  // 64 bytes, over the bytes of manifest.json
}

const (
	algorithm         = "ed25519"
	maxSignatureBytes = 4 << 10
	maxKeyBytes       = 16 << 10
	maxKeys           = 64
)

// KeyID names a public key: the first 16 hexadecimal digits of its SHA-256.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// parseSignature reads signature.json and checks it against the manifest it signs. Whether the key is to be
// trusted is for Keys to say.
func parseSignature(data, manifest []byte) (*Signature, error) {
	var s Signature
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("it is not a readable signature: %w", err)
	}
	switch {
	case s.Algorithm != algorithm:
		return nil, fmt.Errorf("algorithm is %q; allowed is %q", s.Algorithm, algorithm)
	case len(s.PublicKey) != ed25519.PublicKeySize:
		return nil, fmt.Errorf("public_key has %d bytes; allowed are %d", len(s.PublicKey), ed25519.PublicKeySize)
	case s.KeyID != KeyID(s.PublicKey):
		return nil, fmt.Errorf("key_id is %q; the public key's is %q", s.KeyID, KeyID(s.PublicKey))
	case !ed25519.Verify(s.PublicKey, manifest, s.Signature):
		return nil, fmt.Errorf("the signature of key %s does not verify: the manifest is not the one that was signed", s.KeyID)
	}
	return &s, nil
}

// Sign gives the bundle as signed by a key, in place of any other signature.
func (b *Bundle) Sign(key ed25519.PrivateKey) (*Bundle, error) {
	public, _ := key.Public().(ed25519.PublicKey)
	s := Signature{
		Algorithm: algorithm, KeyID: KeyID(public), PublicKey: public,
		Signature: ed25519.Sign(key, b.manifest),
	}
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return nil, err
	}
	out := *b
	out.signature, out.SignedBy = slices.Concat(data, []byte("\n")), s.KeyID
	return &out, nil
}

// Signature is the content of signature.json; nil where there is none.
func (b *Bundle) Signature() []byte { return slices.Clone(b.signature) }

// Keys are the public keys that a plant trusts. None means that the plant has set none: every bundle will do.
type Keys []ed25519.PublicKey

// Check refuses a bundle that none of the keys has signed, where there are keys.
func (k Keys) Check(b *Bundle) error {
	if len(k) == 0 {
		return nil
	}
	ids := make([]string, len(k))
	for i, key := range k {
		ids[i] = KeyID(key)
	}
	switch {
	case b.SignedBy == "":
		return fmt.Errorf("bundle %s has no signature; allowed is one of key %v", b.Folder(), ids)
	case !slices.Contains(ids, b.SignedBy):
		return fmt.Errorf("bundle %s is signed by key %s, which is not trusted; allowed is key %v", b.Folder(), b.SignedBy, ids)
	}
	return nil
}

// ReadKeys reads public keys in PEM: one file, or every *.pem of a folder. An empty path gives none.
func ReadKeys(path string) (Keys, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("trusted keys: %w", err)
	}
	files := []string{path}
	if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*.pem")); err != nil {
			return nil, fmt.Errorf("trusted keys: %w", err)
		}
	}
	if len(files) < 1 || len(files) > maxKeys {
		return nil, fmt.Errorf("trusted keys: %s has %d files *.pem; allowed are 1 to %d", path, len(files), maxKeys)
	}
	var out Keys
	for _, f := range files {
		der, err := readPEM(f, "PUBLIC KEY")
		if err != nil {
			return nil, err
		}
		parsed, err := x509.ParsePKIXPublicKey(der)
		key, ok := parsed.(ed25519.PublicKey)
		if err != nil || !ok {
			return nil, fmt.Errorf("key %s is not a public key of Ed25519; nothing else is allowed", f)
		}
		out = append(out, key)
	}
	return out, nil
}

// ReadPrivateKey reads the key that signs, in PEM as "openssl genpkey -algorithm ed25519" writes it.
func ReadPrivateKey(path string) (ed25519.PrivateKey, error) {
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("key %s is not a private key of Ed25519; nothing else is allowed", path)
	}
	return key, nil
}

func readPEM(path, kind string) ([]byte, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", path, err)
	}
	data, err := readBounded(root.FS(), filepath.Base(path), maxKeyBytes)
	if err := errors.Join(err, root.Close()); err != nil {
		return nil, fmt.Errorf("key %s: %w", path, err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("key %s is not in PEM; allowed is a block %q", path, kind)
	}
	if block.Type != kind {
		return nil, fmt.Errorf("key %s is a %q; allowed is a %q", path, block.Type, kind)
	}
	return block.Bytes, nil
}
