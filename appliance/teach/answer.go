package teach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

const (
	// mostQuestions is what a person answers in a few minutes.
	mostQuestions = 12
	looksAsked    = 6
	fixedAsked    = 3
)

// Why a region is asked about.
const (
	whyLook      = "look"      // it stands for a look that was learned as normal
	whyRecurring = "recurring" // it comes back at a fixed place
	whyLimit     = "limit"     // it lies next to what is taken for normal
	whySure      = "sure"      // the model is surest of it
)

// AnswerNormal and AnswerDefect may be answered beside the model's defect classes.
const (
	AnswerNormal = "normal"
	AnswerDefect = "defect"
)

// Question is a region that a person is asked about.
type Question struct {
	Number  int    `json:"number"`
	Why     string `json:"why"`
	Picture string `json:"picture"` // path
	Crop    string `json:"crop"`    // PNG in the work folder
	Alike   int    `json:"alike"`   // regions within reach of it, of those compared
	Region  Region `json:"region"`
}

// Answer is what a person said to a question.
type Answer struct {
	Number int       `json:"number"`
	Answer string    `json:"answer"` // normal, defect or a class
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at"`
}

// questions picks the most telling regions: those that stand for most others, those at fixed places, and those
// nearest to the limit of what is normal. No two of them look alike.
func questions(regions []Region, looks []look, t *Taught) []Question {
	out := []Question{}
	ask := func(r Region, why string, most int) {
		alike := func(q Question) bool { return inference.Distance(q.Region.Features, r.Features) < t.Reach/2 }
		if len(out) >= most || slices.ContainsFunc(out, alike) {
			return
		}
		q := Question{Number: len(out) + 1, Why: why, Picture: t.pathOf(r.Picture), Region: r}
		for i := range regions {
			if inference.Distance(regions[i].Features, r.Features) <= t.Reach {
				q.Alike++
			}
		}
		out = append(out, q)
	}
	biggest := slices.Clone(looks)
	slices.SortStableFunc(biggest, func(a, b look) int { return cmp.Compare(b.members, a.members) })
	for _, l := range biggest {
		ask(regions[l.example], whyLook, looksAsked)
	}
	n := len(out)
	for _, f := range t.Recurring {
		ask(f.Region, whyRecurring, n+fixedAsked)
	}
	type far struct {
		region int
		from   float32
	}
	var limit []far
	for i := range regions {
		least := float32(2)
		for _, l := range looks {
			least = min(least, abs(inference.Distance(regions[i].Features, l.Features)-l.Radius))
		}
		limit = append(limit, far{i, least})
	}
	slices.SortFunc(limit, func(a, b far) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.region, b.region)) })
	if len(looks) > 0 {
		for _, f := range limit {
			ask(regions[f.region], whyLimit, mostQuestions-2)
		}
	}
	slices.SortFunc(limit, func(a, b far) int {
		return cmp.Or(cmp.Compare(regions[b.region].Confidence, regions[a.region].Confidence), cmp.Compare(a.region, b.region))
	})
	for _, f := range limit {
		ask(regions[f.region], whySure, mostQuestions)
	}
	return out
}

func abs(v float32) float32 { return max(v, -v) }

// pathOf is empty before the pictures are noted.
func (t *Taught) pathOf(picture int) string {
	if picture < len(t.Pictures) {
		return t.Pictures[picture].Path
	}
	return ""
}

// ParseAnswers reads answers such as 3=normal and 5=surface_scratch. Whether a model knows the class is seen by Apply.
func ParseAnswers(args []string) (map[int]string, error) {
	out := map[int]string{}
	for _, a := range args {
		number, said, ok := strings.Cut(a, "=")
		n, err := strconv.Atoi(number)
		if !ok || err != nil {
			return nil, fmt.Errorf("%q is no answer; allowed is NUMBER=ANSWER, such as 3=normal", a)
		}
		if _, twice := out[n]; twice {
			return nil, fmt.Errorf("question %d is answered twice", n)
		}
		out[n] = said
	}
	return out, nil
}

func checkAnswer(number int, said string, classes []inspection.DefectClass) error {
	allowed := []string{AnswerNormal, AnswerDefect}
	for _, c := range classes {
		if c != inspection.NoDefect {
			allowed = append(allowed, string(c))
		}
	}
	if !slices.Contains(allowed, said) {
		return refused("the answer %q to question %d is not known; allowed are %s", said, number, strings.Join(allowed, ", "))
	}
	return nil
}

// AnswerOptions say whose answers to which version.
type AnswerOptions struct {
	Classifier *inference.Classifier // of Bundle, and taught nothing
	Bundle     *models.Bundle
	Shelf      *Shelf
	From       *Taught
	Answers    map[int]string
	By         string
	Now        time.Time
}

// Apply makes the next version out of one and a person's answers. A look called normal overrules the model however
// sure that is; what is called a defect lies in no look any more. Where the golden defects do not allow it, nothing is
// written; what the answers are refused for is a *RefusedError. It takes seconds.
func Apply(ctx context.Context, o AnswerOptions) (*Taught, error) {
	if err := o.From.Fits(o.Bundle); err != nil {
		return nil, err
	}
	if err := o.From.strips(); err != nil {
		return nil, err
	}
	t := *o.From
	t.Version, t.From, t.Created, t.By = 0, o.From.Version, o.Now.UTC(), o.By
	t.Looks, t.Defects, t.Answers = slices.Clone(t.Looks), slices.Clone(t.Defects), slices.Clone(t.Answers)
	numbers := slices.Sorted(maps.Keys(o.Answers))
	for _, n := range numbers {
		if err := checkAnswer(n, o.Answers[n], o.Bundle.Classes()); err != nil {
			return nil, err
		}
		if n < 1 || n > len(t.Questions) {
			return nil, refused("there is no question %d; teaching %s has 1 to %d", n, o.From.ID(), len(t.Questions))
		}
		if i := slices.IndexFunc(t.Answers, func(a Answer) bool { return a.Number == n }); i >= 0 {
			return nil, refused("question %d was answered with %s in teaching %s; answer the version before it to change that", n, t.Answers[i].Answer, o.From.ID())
		}
		t.Answers = append(t.Answers, Answer{Number: n, Answer: o.Answers[n], By: o.By, At: o.Now.UTC()})
	}
	// Defects first, so that nothing called normal reaches over them.
	for _, n := range numbers {
		if o.Answers[n] != AnswerNormal {
			t.Defects = append(t.Defects, t.Questions[n-1].Region.Features)
		}
	}
	for _, n := range numbers {
		if o.Answers[n] == AnswerNormal {
			if err := t.allow(&t.Questions[n-1].Region); err != nil {
				return nil, refused("question %d: %v", n, err)
			}
		}
	}
	t.trim()
	return o.finish(ctx, &t)
}

// strips sees that the pictures are still there: the next version shows them too.
func (t *Taught) strips() error {
	for _, p := range t.Pictures {
		if _, err := os.Stat(p.Path); err != nil {
			return refused("the picture %s that teaching %s was learned from cannot be read (%v); the pictures must stay until the questions are answered", p.Path, t.ID(), err)
		}
	}
	return nil
}

// allow takes a region's look for normal, however sure the model is.
func (t *Taught) allow(r *Region) error {
	held := false
	for i := range t.Looks {
		l := &t.Looks[i]
		if inference.Distance(l.Features, r.Features) <= l.Radius {
			l.AtMost, l.Answered, held = 1, AnswerNormal, true
		}
	}
	if held {
		return nil
	}
	p := inference.Prototype{Features: r.Features, Radius: t.Reach, AtMost: 1}
	if p.Radius = kept(p, t.Defects, t.Reach); p.Radius == 0 {
		return errors.New("it looks like a golden defect, like what comes back at a fixed place, or like what was answered a defect; it stays reported")
	}
	if len(t.Looks) == inference.MostPrototypes {
		return fmt.Errorf("there are %d looks already, the most allowed", len(t.Looks))
	}
	t.Looks = append(t.Looks, Look{Prototype: p, Members: 1, Pictures: 1, Answered: AnswerNormal})
	return nil
}

// trim lets no look hold a defect.
func (t *Taught) trim() {
	t.Looks = slices.DeleteFunc(t.Looks, func(l Look) bool { return kept(l.Prototype, t.Defects, t.Reach) == 0 })
	for i := range t.Looks {
		t.Looks[i].Radius = kept(t.Looks[i].Prototype, t.Defects, t.Reach)
	}
}

// finish checks the golden defects again, counts what is reported now, and writes the version.
func (o AnswerOptions) finish(ctx context.Context, t *Taught) (*Taught, error) {
	from := o.Shelf.Work(o.From)
	grounds, err := readGrounds(from, t.Grounds)
	if err != nil {
		return nil, err
	}
	golden, err := goldenDefects(o.Classifier, o.Bundle)
	if err != nil {
		return nil, err
	}
	normal := t.Normal()
	var found [2][]int
	for i, taught := range []struct {
		scales inference.Scales
		normal inference.Normal
	}{{nil, nil}, {t.DetectorScales(), normal}} {
		e := newEye(o.Classifier, t.Threshold, taught.scales)
		found[i], err = setInFound(ctx, e, golden, grounds, taught.normal)
		e.close()
		if err != nil {
			return nil, err
		}
	}
	if t.Golden = checkGolden(golden, grounds, found[0], found[1], normal); t.Golden.fault() != nil {
		return nil, refused("these answers are not taken: %v", t.Golden.fault())
	}
	w := work{t: t, grounds: grounds}
	if w.before, w.after, err = readRegions(from); err != nil {
		return nil, err
	}
	t.After = count(w.after, normal)
	if err := o.Shelf.begin(t); err != nil {
		return nil, err
	}
	w.dir = o.Shelf.Work(t)
	if err := w.write(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(w.dir))
	}
	return t, o.Shelf.save(t)
}

// cropName is the file of a question's crop.
func cropName(number int) string { return filepath.Join("questions", fmt.Sprintf("%02d.png", number)) }
