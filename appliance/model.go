package appliance

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/coilsight/coilsight/appliance/teach"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/models"
)

// Models is where the plant's bundles lie, and which of them is active.
func (c Config) Models() *models.Registry { return models.NewRegistry(filepath.Join(c.Data, "models")) }

// Teachings is where what the plant's own strip taught lies, and which of it is active.
func (c Config) Teachings() *teach.Shelf { return teach.NewShelf(filepath.Join(c.Data, "teach")) }

// taughtMark stands between a bundle and a teaching in what wantedEngine gives.
const taughtMark = " taught "

// wantedEngine names the bundle that is to classify, with the active teaching, for openEngine.
func wantedEngine(c Config) (active, shadow string, err error) {
	if active, shadow, err = WantedModels(c); err != nil {
		return "", "", err
	}
	a, err := c.Teachings().Active()
	if err == nil && a.ID != "" {
		active += taughtMark + a.ID
	}
	return active, shadow, err
}

// openWanted opens the bundle and the teaching that wantedEngine named.
func openWanted(c Config, id string) (*models.Bundle, *teach.Taught, error) {
	model, taught, _ := strings.Cut(id, taughtMark)
	b, err := OpenModel(c, model)
	if err != nil || taught == "" {
		return b, nil, err
	}
	t, err := c.Teachings().OpenActive()
	if err != nil {
		return nil, nil, err
	}
	if t == nil || t.ID() != taught {
		return nil, nil, fmt.Errorf("teaching %s is not the active one any more", taught)
	}
	return b, t, nil
}

// WantedModels tells which bundle is to classify, and which in the shadow (empty: none): the configured one, else
// what the registry says. The names are for OpenModel. It reads one small file.
func WantedModels(c Config) (active, shadow string, err error) {
	s, err := c.Models().State()
	if err != nil {
		return "", "", err
	}
	active = s.Active.ID
	if c.Classifier.Bundle != "" {
		active = c.Classifier.Bundle
	}
	if s.Shadow != nil {
		shadow = s.Shadow.ID
	}
	return active, shadow, nil
}

// OpenModel opens and verifies a bundle: the configured path, or NAME-VERSION of the registry, or builtin. Where
// the plant has set keys, one of them must have signed it; the built-in one is a part of the program.
func OpenModel(c Config, id string) (*models.Bundle, error) {
	if id == models.Builtin {
		return models.Embedded()
	}
	keys, err := models.ReadKeys(c.Classifier.TrustedKeys)
	if err != nil {
		return nil, err
	}
	var b *models.Bundle
	if id == c.Classifier.Bundle {
		b, err = models.OpenPath(id)
	} else {
		b, err = c.Models().Open(id)
	}
	if err != nil {
		return nil, err
	}
	return b, keys.Check(b)
}

// FitsConfig checks that a bundle knows every class that the shipped and the configured recipes name, and the configured
// alarm rules: with one that does not, the next start would be refused.
func FitsConfig(c Config, b *models.Bundle) error {
	if _, err := readRecipes(c.Recipes, b.Classes()); err != nil {
		return fmt.Errorf("model %s does not fit the recipes: %w", b.ID(), err)
	}
	if err := c.Alarms.checkRules(b.Classes()); err != nil {
		return fmt.Errorf("model %s does not fit the configuration: %w", b.ID(), err)
	}
	return nil
}

// ProveModel runs the bundle's golden crops on the configured provider and measures its rate.
func ProveModel(b *models.Bundle, c ClassifierConfig) (inference.ProviderReport, error) {
	cl, err := newClassifier(b, c, nil)
	if err != nil {
		return inference.ProviderReport{}, err
	}
	return cl.Provider(), cl.Close()
}

func newClassifier(b *models.Bundle, c ClassifierConfig, normal inference.Normal) (*inference.Classifier, error) {
	library, err := inference.FindRuntime(c.Runtime)
	if err != nil {
		return nil, err
	}
	return inference.NewClassifier(b, inference.ClassifierOptions{Runtime: library, Provider: c.Provider, MaxBatch: c.Batch, Normal: normal})
}

// OpenEngine opens the bundle that is to classify and proves it. The caller must Close the engine.
func OpenEngine(c Config) (*Engine, error) {
	id, _, err := WantedModels(c)
	if err != nil {
		return nil, err
	}
	b, err := OpenModel(c, id)
	if err == nil {
		var e *Engine
		if e, err = NewEngine(b, c.Classifier); err == nil {
			return e, nil
		}
	}
	if id == c.Classifier.Bundle || id == models.Builtin {
		return nil, err
	}
	return nil, errors.Join(err, fmt.Errorf("model %s is the active one; \"coilsight model rollback\" or \"activate\" names another", id))
}

// OpenTaughtEngine opens it with the active teaching, if there is one. The caller must Close the engine.
func OpenTaughtEngine(c Config) (*Engine, error) {
	id, _, err := wantedEngine(c)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(id, taughtMark) {
		return OpenEngine(c)
	}
	b, t, err := openWanted(c, id)
	if err != nil {
		return nil, err
	}
	e, err := NewTaughtEngine(b, c.Classifier, t)
	if err != nil {
		return nil, fmt.Errorf("%w; \"coilsight teach off\" goes on without it", err)
	}
	return e, nil
}

// ProveTaught opens the bundle that is to classify with a teaching, to see that they fit.
func ProveTaught(c Config, t *teach.Taught) error {
	id, _, err := WantedModels(c)
	if err != nil {
		return err
	}
	b, err := OpenModel(c, id)
	if err != nil {
		return err
	}
	e, err := NewTaughtEngine(b, c.Classifier, t)
	if err != nil {
		return err
	}
	return e.Close()
}
