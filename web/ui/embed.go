// Package ui holds the built user interface.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files is the built user interface, index.html at its root. Before the interface has been built it
// holds nothing to serve.
func Files() (fs.FS, error) { return fs.Sub(dist, "dist") }
