// Package deploy holds what ships beside the binary: the configuration, equal to the defaults, and the
// recipes every appliance starts with.
package deploy

import "embed"

// Files holds coilsight.yaml and recipes/*.yaml.
//
//go:embed coilsight.yaml recipes/*.yaml
var Files embed.FS
