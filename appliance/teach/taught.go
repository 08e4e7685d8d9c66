package teach

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

// format of the version files that this program reads and writes.
const format = 1

// Taught is one version of what a plant's strip taught; it is vN.json, and does not change once it is written.
type Taught struct {
	Format  int       `json:"format"`
	Name    string    `json:"name"`
	Version int       `json:"version"`
	Created time.Time `json:"created"`
	By      string    `json:"by,omitempty"`
	// From is the version that answers were given to; 0 where the version was learned from pictures.
	From int `json:"from,omitempty"`

	Model       string `json:"model"`        // id of the bundle
	ModelSHA256 string `json:"model_sha256"` // of its ONNX file

	Pictures   []Picture     `json:"pictures"`
	Continuous bool          `json:"continuous"` // the pictures follow one another without a gap
	MMPerPixel inspection.MM `json:"mm_per_pixel"`
	Metres     float64       `json:"metres"`
	Threshold  float32       `json:"threshold"` // the detector's, as configured

	Scales []Scale `json:"scales"`
	// GivenBack are the scales that were not taken in full: the golden defects did not allow it, or nothing was won.
	GivenBack []Scale `json:"given_back"`
	// Reach is how near two regions are in features that have one look.
	Reach     float32     `json:"reach"`
	Looks     []Look      `json:"looks"`
	Recurring []Recurring `json:"recurring"` // not learned: a person judges
	// Defects are features that no look may hold: the golden defects, what recurs at a fixed place, and what a
	// person called a defect.
	Defects [][]float32 `json:"defects"`

	Grounds []Ground    `json:"grounds"`
	Golden  GoldenCheck `json:"golden"`
	Before  Count       `json:"before"`
	After   Count       `json:"after"`

	Questions []Question `json:"questions"`
	Answers   []Answer   `json:"answers"`
}

// Scale is the factor on one limit of the detector.
type Scale struct {
	Measure string  `json:"measure"`
	Factor  float32 `json:"factor"`
}

// Look is a look of ordinary strip with the evidence for it.
type Look struct {
	inference.Prototype
	Members  int    `json:"members"`
	Pictures int    `json:"pictures"`
	Answered string `json:"answered,omitempty"` // what a person said of it
}

// Ground is a calm place of the strip, kept to set golden defects into.
type Ground struct {
	File string `json:"file"` // in the work folder
	X    int    `json:"x"`
	Y    int    `json:"y"`
}

// Count is what would be reported of the strip.
type Count struct {
	Found    int                            `json:"found"` // regions of the detector
	Reported int                            `json:"reported"`
	ByClass  map[inspection.DefectClass]int `json:"by_class"`
}

// Classes are those that either count has, the most frequent of this one first.
func (c Count) Classes(other Count) []inspection.DefectClass {
	all := maps.Clone(c.ByClass)
	for class := range other.ByClass {
		all[class] += 0
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b inspection.DefectClass) int {
		return cmp.Or(cmp.Compare(all[b], all[a]), cmp.Compare(a, b))
	})
}

func count(regions []Region, normal inference.Normal) Count {
	n, of := byClass(regions, normal)
	return Count{Found: len(regions), Reported: n, ByClass: of}
}

// ID is NAME-vN.
func (t *Taught) ID() string { return fmt.Sprintf("%s-v%d", t.Name, t.Version) }

// DetectorScales are the scales as a detector takes them.
func (t *Taught) DetectorScales() inference.Scales {
	out := make(inference.Scales, len(t.Scales))
	for i, s := range t.Scales {
		out[i] = s.Factor
	}
	return out
}

// Normal is what a classifier takes.
func (t *Taught) Normal() inference.Normal {
	var out inference.Normal
	for _, l := range t.Looks {
		out = append(out, l.Prototype)
	}
	return out
}

func modelSum(b *models.Bundle) string {
	sum := sha256.Sum256(b.ONNX())
	return hex.EncodeToString(sum[:])
}

// Fits reports why the teaching cannot be used with a bundle. It checks what the file itself says, so that a file
// that was written by another hand is refused too. What it returns is a *RefusedError.
func (t *Taught) Fits(b *models.Bundle) error { return Fitting(b)(t) }

// Fitting is Fits for many teachings: the bundle is summed once.
func Fitting(b *models.Bundle) func(*Taught) error {
	id, sum := b.ID(), modelSum(b)
	return func(t *Taught) error { return t.fits(id, sum) }
}

func (t *Taught) fits(model, sum string) error {
	names := inference.Measures()
	switch {
	case t.Format != format:
		return refused("teaching %s has format %d; allowed is %d", t.ID(), t.Format, format)
	case t.Model != model:
		return refused("teaching %s was learned with model %s; model %s sees the strip otherwise and needs a teaching of its own", t.ID(), t.Model, model)
	case t.ModelSHA256 != sum:
		return refused("teaching %s was learned with another build of model %s; it must be learned again", t.ID(), t.Model)
	case len(t.Scales) != len(names):
		return refused("teaching %s has %d scales; the detector has %d measures", t.ID(), len(t.Scales), len(names))
	}
	for i, s := range t.Scales {
		if s.Measure != names[i] {
			return refused("teaching %s scales measure %q; the detector's is %q", t.ID(), s.Measure, names[i])
		}
	}
	if err := t.DetectorScales().Check(); err != nil {
		return refused("teaching %s: %v", t.ID(), err)
	}
	if err := t.Golden.fault(); err != nil {
		return refused("teaching %s: %v", t.ID(), err)
	}
	for i, l := range t.Looks {
		for _, d := range t.Defects {
			if inference.Distance(l.Features, d) <= l.Radius {
				return refused("teaching %s: look %d holds a defect", t.ID(), i)
			}
		}
	}
	return nil
}

func parse(data []byte) (*Taught, error) {
	t := &Taught{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(t); err != nil {
		return nil, err
	}
	for i, l := range t.Looks { // before anything measures a distance
		for _, f := range t.Defects {
			if len(f) != len(l.Features) {
				return nil, fmt.Errorf("look %d has %d features and a defect %d", i, len(l.Features), len(f))
			}
		}
	}
	return t, nil
}
