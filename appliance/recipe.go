package appliance

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/coilsight/coilsight/deploy"
	"github.com/coilsight/coilsight/inspection"
)

// ParseRecipe reads a recipe and checks it against the classes a model knows.
func ParseRecipe(data []byte, classes []inspection.DefectClass) (inspection.Recipe, error) {
	var r inspection.Recipe
	if len(data) > maxYAML {
		return r, fmt.Errorf("is larger than %d bytes", maxYAML)
	}
	if err := decodeStrict(data, &r); err != nil {
		return r, err
	}
	return r, r.Check(classes)
}

// readRecipes reads the recipes that ship and those of a folder ("" for none).
func readRecipes(dir string, classes []inspection.DefectClass) ([]inspection.Recipe, error) {
	shipped, err := fs.Sub(deploy.Files, "recipes")
	if err != nil {
		return nil, err
	}
	all, err := recipesIn(shipped, "shipped", classes)
	if err != nil || dir == "" {
		return all, err
	}
	own, err := recipesIn(os.DirFS(dir), dir, classes)
	return append(all, own...), err
}

func recipesIn(files fs.FS, where string, classes []inspection.DefectClass) ([]inspection.Recipe, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("recipes: %w", err)
	}
	var out []inspection.Recipe
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".yaml") {
			continue
		}
		data, err := fs.ReadFile(files, e.Name())
		if err != nil {
			return nil, fmt.Errorf("recipes: %w", err)
		}
		r, err := ParseRecipe(data, classes)
		if err != nil {
			return nil, fmt.Errorf("recipe file %s: %w", path.Join(where, e.Name()), err)
		}
		out = append(out, r)
	}
	return out, nil
}
