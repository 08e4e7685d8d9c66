package inference

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

// Providers that can run a model.
const (
	ProviderTensorRT = "tensorrt"
	ProviderCUDA     = "cuda"
	ProviderCPU      = "cpu"
	ProviderAuto     = "auto" // the first of the others that comes up and passes the golden crops
)

// Providers lists what may be configured.
func Providers() []string { return append([]string{ProviderAuto}, chain()...) }

// chain is the order in which providers are tried, the fastest first. Each is followed by what takes its
// place where it fails.
func chain() []string { return []string{ProviderTensorRT, ProviderCUDA, ProviderCPU} }

const (
	defaultSlots    = 2  // one batch is copied in while another runs
	defaultMaxBatch = 8  // the fastest on one thread: 1.3 ms a batch
	maxSlots        = 16 // more than that many batches in flight only wait for each other
	maxMaxBatch     = 64
	// warmUp is how long the provider's rate is measured at start.
	warmUp = 200 * time.Millisecond
)

// ClassifierOptions says how to run a bundle. The zero value runs on the CPU.
type ClassifierOptions struct {
	Runtime  string // path of the ONNX Runtime library; FindRuntime finds it
	Provider string // one of Providers; empty: cpu
	Slots    int    // batches in flight; 0: 2
	MaxBatch int    // crops in a batch; 0: 8
	// Normal is what the plant's strip taught; a region that has such a look is answered as no defect.
	Normal Normal
}

// ProviderReport is what a classifier measured of itself at start.
type ProviderReport struct {
	Name           string  `json:"name"`
	CropsPerSecond float64 `json:"crops_per_second"` // one slot, full batches
	GoldenMaxError float64 `json:"golden_max_error"` // largest difference of a golden score
	// Configured is what was asked for. Where it is neither auto nor Name, the line runs on another
	// provider than it should: an alarm.
	Configured string `json:"configured"`
	// Refused says why the providers that were tried first are not in use.
	Refused []string `json:"refused,omitempty"`
}

// AsConfigured reports whether the provider in use is what was asked for.
func (p ProviderReport) AsConfigured() bool {
	return p.Configured == ProviderAuto || p.Configured == p.Name
}

// Classifier gives crops a class. It may be used from several goroutines at once.
type Classifier struct {
	classes  []inspection.DefectClass
	judge    judge
	normal   Normal
	session  *session
	slots    chan *slot
	all      []*slot
	crop     int // bytes of a crop
	maxBatch int
	sketch   sketch
	report   ProviderReport
}

// NewClassifier loads the bundle's model, checks that its golden crops get their scores and measures its
// rate. Where the configured provider does not come up or does not compute right, the next of the chain is
// tried, and the report says so. The caller must Close the classifier.
func NewClassifier(b *models.Bundle, o ClassifierOptions) (*Classifier, error) {
	if o.Slots == 0 {
		o.Slots = defaultSlots
	}
	if o.MaxBatch == 0 {
		o.MaxBatch = defaultMaxBatch
	}
	if o.Slots < 1 || o.Slots > maxSlots {
		return nil, fmt.Errorf("classifier: %d slots are not possible; allowed are 1 to %d", o.Slots, maxSlots)
	}
	if o.MaxBatch < 1 || o.MaxBatch > maxMaxBatch {
		return nil, fmt.Errorf("classifier: a batch of %d crops is not possible; allowed are 1 to %d", o.MaxBatch, maxMaxBatch)
	}
	if in := b.Manifest.Input; in.Width != CropSize || in.Height != CropSize {
		return nil, fmt.Errorf("model %s takes crops of %d x %d; allowed are %d x %d, what the detector cuts", b.ID(), in.Width, in.Height, CropSize, CropSize)
	}
	if o.Provider == "" {
		o.Provider = ProviderCPU
	}
	try := chain()
	if o.Provider != ProviderAuto {
		first := slices.Index(try, o.Provider)
		if first < 0 {
			return nil, fmt.Errorf("provider %q is not known; allowed are %v", o.Provider, Providers())
		}
		try = try[first:]
	}
	var refused []string
	for _, provider := range try {
		c, err := open(b, o, provider)
		if err == nil {
			c.report.Configured, c.report.Refused = o.Provider, refused
			return c, nil
		}
		refused = append(refused, err.Error())
	}
	return nil, errors.New(strings.Join(refused, "; "))
}

func open(b *models.Bundle, o ClassifierOptions, provider string) (*Classifier, error) {
	shape := modelShape{width: CropSize, height: CropSize, classes: len(b.Manifest.Classes), familiarity: b.Manifest.Unknown != nil}
	s, err := openSession(o.Runtime, b.ONNX(), provider, shape)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", b.ID(), err)
	}
	c := &Classifier{
		classes: b.Classes(), judge: newJudge(b), session: s, slots: make(chan *slot, o.Slots), crop: CropSize * CropSize,
		maxBatch: o.MaxBatch, report: ProviderReport{Name: provider}, normal: o.Normal,
	}
	c.sketch = newSketch(c.Features())
	if err := o.Normal.Check(c.Features()); err != nil {
		return nil, errors.Join(fmt.Errorf("model %s: %w", b.ID(), err), c.Close())
	}
	for range o.Slots {
		l, err := s.newSlot(o.MaxBatch)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.all = append(c.all, l)
		c.slots <- l
	}
	if err := c.prove(b); err != nil {
		return nil, errors.Join(fmt.Errorf("model %s on provider %s: %w", b.ID(), provider, err), c.Close())
	}
	return c, nil
}

// prove runs the golden crops and measures the rate.
func (c *Classifier) prove(b *models.Bundle) error {
	for i, g := range b.Golden() {
		var diff float64
		var fault error
		err := c.each([][]byte{g.Pix}, func(a answer) {
			diff, fault = goldenDifference(g, a, c.classes, b.Manifest.Unknown != nil, b.Manifest.Golden.Tolerance)
		})
		if err != nil {
			return err
		}
		if fault != nil {
			return fmt.Errorf("golden crop %d %w", i, fault)
		}
		c.report.GoldenMaxError = max(c.report.GoldenMaxError, diff)
	}
	rate, err := c.bareRate(warmUp)
	c.report.CropsPerSecond = rate
	return err
}

// goldenDifference is how far an answer lies from what a golden crop must get; beyond the tolerance it is an error.
func goldenDifference(want models.GoldenCrop, got answer, classes []inspection.DefectClass, unknown bool, tolerance float64) (most float64, err error) {
	for i, s := range want.Scores {
		diff := math.Abs(float64(got.scores[i] - s))
		if !(diff <= tolerance) { // also where the score is not a number
			return diff, fmt.Errorf("scores %.4f for class %s and must score %.4f; allowed is a difference of %g", got.scores[i], classes[i], s, tolerance)
		}
		most = max(most, diff)
	}
	if diff := math.Abs(float64(got.familiarity - want.Familiarity)); unknown && !(diff <= tolerance) {
		return diff, fmt.Errorf("has a familiarity of %.4f and must have %.4f; allowed is a difference of %g", got.familiarity, want.Familiarity, tolerance)
	}
	return most, nil
}

// Provider tells what runs the model, as measured at start.
func (c *Classifier) Provider() ProviderReport { return c.report }

// Classes lists the classes in the order of the scores; the caller must not write to it.
func (c *Classifier) Classes() []inspection.DefectClass { return c.classes }

// Slots is the number of batches that can be in flight.
func (c *Classifier) Slots() int { return cap(c.slots) }

// MaxBatch is how many crops a batch can hold.
func (c *Classifier) MaxBatch() int { return c.maxBatch }

// ClassifyBatch appends one verdict a crop to dst. A crop holds CropSize x CropSize pixels and is copied
// before the call returns. It waits for a free slot.
func (c *Classifier) ClassifyBatch(dst []inspection.Classification, crops [][]byte) ([]inspection.Classification, error) {
	var unit []float32 // stays nil where nothing was taught
	err := c.each(crops, func(a answer) {
		var v inspection.Classification
		v, unit = c.taughtVerdict(a, unit)
		v.Look = c.sketch.look(a.features)
		dst = append(dst, v)
	})
	return dst, err
}

// Scores appends the scores of each crop to dst, len(Classes()) of them, in the order of Classes.
func (c *Classifier) Scores(dst []float32, crops [][]byte) ([]float32, error) {
	err := c.each(crops, func(a answer) { dst = append(dst, a.scores...) })
	return dst, err
}

// answer is what the model says of one crop. The slices hold until the next batch.
type answer struct {
	scores, features []float32
	familiarity      float32
}

// part is the i-th run of n numbers.
func part(of []float32, i, n int) []float32 { return of[i*n : (i+1)*n] }

// each runs the crops through the model in batches and hands what it says of each crop to take, in order.
func (c *Classifier) each(crops [][]byte, take func(answer)) error {
	for i, crop := range crops {
		if len(crop) != c.crop {
			return fmt.Errorf("crop %d has %d bytes; allowed are %d, %d x %d pixels", i, len(crop), c.crop, CropSize, CropSize)
		}
	}
	l := <-c.slots
	defer func() { c.slots <- l }()
	for len(crops) > 0 {
		n := min(len(crops), c.maxBatch)
		for i, crop := range crops[:n] {
			copy(l.pixels[i*c.crop:], crop)
		}
		if err := c.session.runBatch(l, n); err != nil {
			return fmt.Errorf("a batch of %d crops on provider %s: %w", n, c.report.Name, err)
		}
		for i := range n {
			a := answer{scores: part(l.scores, i, len(c.classes)), features: part(l.feats, i, c.Features()), familiarity: 1}
			if len(l.familiar) > 0 {
				a.familiarity = l.familiar[i]
			}
			take(a)
		}
		crops = crops[n:]
	}
	return nil
}

// RunBare runs the model alone over a batch, with nothing around it: the yardstick for the whole way of a crop.
// It waits for a free slot.
func (c *Classifier) RunBare(batch int) error {
	if batch < 1 || batch > c.maxBatch {
		return fmt.Errorf("a batch of %d crops is not possible; allowed are 1 to %d", batch, c.maxBatch)
	}
	l := <-c.slots
	defer func() { c.slots <- l }()
	return c.session.runBatch(l, batch)
}

// bareRate is how many crops a second one slot does over full batches, measured for about d.
func (c *Classifier) bareRate(d time.Duration) (float64, error) {
	// The first run sizes the runtime's memory and is not counted.
	if err := c.RunBare(c.maxBatch); err != nil {
		return 0, err
	}
	begun, crops := time.Now(), 0
	for time.Since(begun) < d {
		if err := c.RunBare(c.maxBatch); err != nil {
			return 0, err
		}
		crops += c.maxBatch
	}
	return float64(crops) / time.Since(begun).Seconds(), nil
}

// Close waits for the batches in flight and frees the model. The classifier must not be used after.
func (c *Classifier) Close() error {
	var errs []error
	for range c.all {
		errs = append(errs, (<-c.slots).close())
	}
	return errors.Join(append(errs, c.session.close())...)
}
