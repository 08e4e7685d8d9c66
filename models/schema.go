package models

import (
	_ "embed"
	"slices"
)

//go:embed manifest.schema.json
var manifestSchema []byte

// ManifestSchema is the JSON Schema (2020-12) of a bundle's manifest. Open checks more than a schema can say:
// checksums, what refers to what, and the graph.
func ManifestSchema() []byte { return slices.Clone(manifestSchema) }
