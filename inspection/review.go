package inspection

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of what a person writes, in characters.
const (
	maxReviewer = 64
	maxNote     = 500
)

// Review is what a person said of a defect. It stands beside the model's answer, which it never
// replaces; of several, the newest that nobody took back stands.
type Review struct {
	Class DefectClass `json:"class"` // a class of the catalogue, no_defect, or unknown for none of them
	By    string      `json:"by"`
	At    time.Time   `json:"at"`
	Note  string      `json:"note,omitempty"`
	// Severity is the person's; nil: the recipe's of the class.
	Severity *Severity `json:"severity,omitempty"`
}

// SeverityUnder is the severity of a defect that was reviewed so, on a coil that ran under the recipe.
func (r Review) SeverityUnder(recipe Recipe) Severity {
	if r.Severity != nil {
		return *r.Severity
	}
	return recipe.SeverityOf(r.Class)
}

// ReviewRecord is one entry of a defect's history of reviews, with the answer it was given beside.
type ReviewRecord struct {
	Review
	// Revision is the defect's, which the review made.
	Revision        int         `json:"revision"`
	ModelClass      DefectClass `json:"model_class"`
	ModelConfidence float32     `json:"model_confidence"`
	Model           string      `json:"model"` // bundle name and version that classified
	// Withdrawn is who took the review back; what stood before it stands again. Nil: nobody did.
	Withdrawn *Withdrawal `json:"withdrawn,omitempty"`
}

// Withdrawal is who took a review back, and when.
type Withdrawal struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Grading is one entry of a coil's history of grades; the newest stands.
type Grading struct {
	At time.Time `json:"at"`
	// By is who asked for it; empty is the line itself, at the end of the coil.
	By string `json:"by,omitempty"`
	// Reviewed is how many reviewed defects the grade rests on. The line's own rests on the model alone.
	Reviewed int              `json:"reviewed"`
	Result   InspectionResult `json:"result"`
}

// ReviewClasses are the answers a person may give where the model has the classes given.
func ReviewClasses(catalogue []DefectClass) []DefectClass {
	var out []DefectClass
	for _, c := range catalogue {
		if c != Unclassified && c != NoDefect && c != Unknown {
			out = append(out, c)
		}
	}
	return append(out, NoDefect, Unknown)
}

// Check reports the first thing in the review that is not allowed, as a *FieldError. classes are those
// of the catalogue.
func (r Review) Check(classes []DefectClass) error {
	if allowed := ReviewClasses(classes); !slices.Contains(allowed, r.Class) {
		return &FieldError{Field: "class", Reason: fmt.Sprintf("%q is not a class of the model; allowed are %v", r.Class, allowed)}
	}
	if err := CheckReviewer(r.By); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(r.Note); n > maxNote {
		return &FieldError{Field: "note", Reason: fmt.Sprintf("the note has %d characters; allowed are %d", n, maxNote)}
	}
	switch {
	case r.Severity == nil:
	case r.Class == NoDefect:
		return &FieldError{Field: "severity", Reason: fmt.Sprintf("%s has no severity, and %d was given; leave it out", NoDefect, *r.Severity)}
	case *r.Severity > 4:
		return &FieldError{Field: "severity", Reason: fmt.Sprintf("%d is not a severity; allowed are 0 to 4, and none for the recipe's of the class", *r.Severity)}
	}
	return nil
}

// CheckReviewer reports a name that is not allowed, as a *FieldError.
func CheckReviewer(by string) error {
	if n := utf8.RuneCountInString(strings.TrimSpace(by)); n < 1 || n > maxReviewer {
		return &FieldError{Field: "by", Reason: fmt.Sprintf("%q is not a name; allowed are 1 to %d characters that are not all spaces", by, maxReviewer)}
	}
	return nil
}

// Reviewed is the map as people see it: a reviewed defect has the class the person gave, at full
// confidence and with the severity of the review; one reviewed as no_defect is absent. The others have the severity that r gives
// their class, which may not be the recipe they were found under.
func Reviewed(m DefectMap, r Recipe) DefectMap {
	out := DefectMap{Strip: m.Strip, Gaps: m.Gaps, Defects: make([]Defect, 0, len(m.Defects))}
	for _, d := range m.Defects {
		if d.Review == nil {
			d.Severity = r.SeverityOf(d.Class)
		} else {
			if d.Review.Class == NoDefect {
				continue
			}
			d.Class, d.Conf, d.Severity = d.Review.Class, 1, d.Review.SeverityUnder(r)
		}
		out.Defects = append(out.Defects, d)
	}
	return out
}

// StaleError says that a record has changed since the caller read it.
type StaleError struct {
	Noun, ID  string
	Revision  int // of the record
	Presented int // by the caller
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("%s %q is at revision %d, not %d: read it anew, then decide again", e.Noun, e.ID, e.Revision, e.Presented)
}
