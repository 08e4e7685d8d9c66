package models

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed bundles/steel-surface-1
var shipped embed.FS

// Embedded reads and verifies the bundle that is built into the program.
func Embedded() (*Bundle, error) {
	sub, err := fs.Sub(shipped, "bundles/steel-surface-1")
	if err != nil {
		return nil, err
	}
	b, err := Open(sub)
	if err != nil {
		return nil, fmt.Errorf("the embedded model bundle: %w", err)
	}
	return b, nil
}
