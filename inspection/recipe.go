package inspection

import (
	"fmt"
	"slices"
)

// Grade is the verdict on a coil.
type Grade string

// Grades, from best to worst.
const (
	Prime  Grade = "prime"  // release as ordered
	Second Grade = "second" // release for lesser use
	Hold   Grade = "hold"   // a person must decide
	Block  Grade = "block"  // must not leave the mill
)

// Grades lists all grades from best to worst.
func Grades() []Grade { return []Grade{Prime, Second, Hold, Block} }

func (g Grade) rank() int { return slices.Index(Grades(), g) }

// Worse is the worse of two grades; an empty grade counts as better than all.
func (g Grade) Worse(o Grade) Grade {
	if o.rank() > g.rank() {
		return o
	}
	return g
}

// Zone is a part of the strip's width.
type Zone string

// Zones of a rule. The edge zones are as wide as the recipe's edge margin.
const (
	WholeWidth Zone = "all"
	EdgeZone   Zone = "edge" // within the edge margin of either edge
	BodyZone   Zone = "body" // outside both margins
)

// Section is a part of the strip's length.
type Section string

// Sections of a rule. Head and tail are as long as the recipe says.
const (
	WholeLength Section = "all"
	HeadSection Section = "head"
	BodySection Section = "body" // between head and tail
	TailSection Section = "tail"
)

// PrimeSide and OtherSide are sides by what they are to the customer: the recipe says which side is prime.
const (
	PrimeSide Side = "prime"
	OtherSide Side = "other"
)

// Recipe says what a coil must be to earn a grade. A version of a recipe never changes.
type Recipe struct {
	Name        string `yaml:"name" json:"name"`
	Version     int    `yaml:"version" json:"version"`
	Description string `yaml:"description" json:"description"`
	// Customers and SteelGrades that the recipe is for; empty is for all. A coil that is announced without a recipe gets the one that
	// names both its customer and its steel grade, else its customer, else its steel grade, else the line's.
	Customers   []string `yaml:"customers" json:"customers,omitempty"`
	SteelGrades []string `yaml:"steel_grades" json:"steel_grades,omitempty"`
	// Prime is the side that the customer will see; empty is the top side.
	Prime Side `yaml:"prime_side" json:"prime_side,omitempty"`
	// Head and Tail are the lengths of these sections.
	Head MM `yaml:"head_mm" json:"head_mm,omitempty"`
	Tail MM `yaml:"tail_mm" json:"tail_mm,omitempty"`
	// EdgeMargin is the width of each edge zone.
	EdgeMargin MM `yaml:"edge_margin_mm" json:"edge_margin_mm"`
	// LongestGap is the longest stretch of one side that may be less than inspected on a prime coil.
	LongestGap MM `yaml:"longest_gap_mm" json:"longest_gap_mm"`
	// GapGrade is the grade of a coil with a longer gap: anything but prime.
	GapGrade Grade `yaml:"gap_grade" json:"gap_grade"`
	// Severity gives the severity of a class, 0 to 4; a class not named here has 1.
	Severity map[DefectClass]Severity `yaml:"severity" json:"severity"`
	Rules    []GradingRule            `yaml:"rules" json:"rules"`
}

// GradingRule lowers a coil's grade to Grade where defects that match are too many.
type GradingRule struct {
	ID string `yaml:"id" json:"id"`
	// Classes that count; empty counts every class.
	Classes []DefectClass `yaml:"classes" json:"classes,omitempty"`
	Side    Side          `yaml:"side" json:"side,omitempty"`       // empty counts both sides together; prime and other are by the recipe
	Zone    Zone          `yaml:"zone" json:"zone,omitempty"`       // empty is WholeWidth
	Section Section       `yaml:"section" json:"section,omitempty"` // empty is WholeLength; a defect belongs where it begins
	// Least severity, size and confidence of a defect that counts; zero sets no limit.
	MinSeverity   Severity `yaml:"min_severity" json:"min_severity,omitempty"`
	MinArea       float64  `yaml:"min_area_mm2" json:"min_area_mm2,omitempty"`
	MinLength     MM       `yaml:"min_length_mm" json:"min_length_mm,omitempty"`
	MinWidth      MM       `yaml:"min_width_mm" json:"min_width_mm,omitempty"`
	MinConfidence float32  `yaml:"min_confidence" json:"min_confidence,omitempty"`
	// Count defects within any stretch of Within (zero: the whole coil) break the rule.
	Count  int   `yaml:"count" json:"count"`
	Within MM    `yaml:"within_mm" json:"within_mm,omitempty"`
	Grade  Grade `yaml:"grade" json:"grade"`
}

// FieldError is a value that is not allowed: Field is the path to it, Reason one sentence that says
// what is wrong and what is allowed. It is the user's mistake.
type FieldError struct {
	Field  string
	Reason string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// Check reports the first thing in the recipe that is not allowed, as a *FieldError. classes are those
// the model knows; nil skips that test.
func (r Recipe) Check(classes []DefectClass) error {
	bad := func(field, format string, a ...any) error {
		return &FieldError{Field: field, Reason: fmt.Sprintf("recipe %q: ", r.Name) + fmt.Sprintf(format, a...)}
	}
	known := func(c DefectClass) bool {
		return classes == nil || c == Unclassified || c == Unknown || (c != NoDefect && slices.Contains(classes, c))
	}
	switch {
	case r.Name == "":
		return bad("name", "a recipe needs a name")
	case r.Version < 1:
		return bad("version", "%d is not a version; the first is 1", r.Version)
	case r.EdgeMargin < 0:
		return bad("edge_margin_mm", "%g is negative; the least is 0", r.EdgeMargin)
	case r.LongestGap < 0:
		return bad("longest_gap_mm", "%g is negative; the least is 0", r.LongestGap)
	case r.Prime != "" && !r.Prime.Valid():
		return bad("prime_side", "%q is not a side; allowed are top and bottom", r.Prime)
	case !(r.Head >= 0):
		return bad("head_mm", "%g is not possible; the least is 0", r.Head)
	case !(r.Tail >= 0):
		return bad("tail_mm", "%g is not possible; the least is 0", r.Tail)
	case slices.Contains(r.Customers, "") || slices.Contains(r.SteelGrades, ""):
		return bad("customers", "a customer or steel grade has no name; leave the list empty for all")
	case r.GapGrade.rank() < 1:
		return bad("gap_grade", "%q is not allowed; a coil with too long a gap is %s, %s or %s", r.GapGrade, Second, Hold, Block)
	case len(r.Rules) == 0:
		return bad("rules", "there are none; a recipe needs at least one")
	}
	for c, s := range r.Severity {
		if !known(c) {
			return bad("severity."+string(c), "the model does not know class %q; it knows %v", c, classes)
		}
		if s > 4 {
			return bad("severity."+string(c), "%d is not a severity; allowed are 0 to 4", s)
		}
	}
	seen := map[string]bool{}
	for i, q := range r.Rules {
		at := fmt.Sprintf("rules[%d].", i)
		switch {
		case q.ID == "":
			return bad(at+"id", "a rule needs an id")
		case seen[q.ID]:
			return bad(at+"id", "%q is used twice; an id names one rule", q.ID)
		case !slices.Contains([]Side{"", Top, Bottom, PrimeSide, OtherSide}, q.Side):
			return bad(at+"side", "%q is not a side; allowed are top, bottom, prime and other, or none for both", q.Side)
		case !slices.Contains([]Section{"", WholeLength, HeadSection, BodySection, TailSection}, q.Section):
			return bad(at+"section", "%q is not a section; allowed are all, head, body and tail", q.Section)
		case (q.Section == HeadSection && r.Head == 0) || (q.Section == TailSection && r.Tail == 0):
			return bad(at+"section", "the %s is 0 mm long in this recipe; say its length in %s_mm", q.Section, q.Section)
		case !slices.Contains([]Zone{"", WholeWidth, EdgeZone, BodyZone}, q.Zone):
			return bad(at+"zone", "%q is not a zone; allowed are all, edge and body", q.Zone)
		case q.MinArea < 0 || q.MinLength < 0 || q.MinWidth < 0 || q.Within < 0:
			return bad(at+"min_area_mm2", "a size or stretch is negative; the least is 0")
		case q.MinConfidence < 0 || q.MinConfidence > 1:
			return bad(at+"min_confidence", "%g is not a confidence; allowed are 0 to 1", q.MinConfidence)
		case q.MinSeverity > 4:
			return bad(at+"min_severity", "%d is not a severity; allowed are 0 to 4", q.MinSeverity)
		case q.Count < 1:
			return bad(at+"count", "%d defects cannot break a rule; the least is 1", q.Count)
		case q.Grade.rank() < 1:
			return bad(at+"grade", "%q is not allowed; a broken rule gives %s, %s or %s", q.Grade, Second, Hold, Block)
		}
		for j, c := range q.Classes {
			if !known(c) {
				return bad(fmt.Sprintf("%sclasses[%d]", at, j), "the model does not know class %q; it knows %v", c, classes)
			}
		}
		seen[q.ID] = true
	}
	return nil
}

// SeverityOf is the severity the recipe gives to a class.
func (r Recipe) SeverityOf(c DefectClass) Severity {
	if s, ok := r.Severity[c]; ok {
		return s
	}
	return 1
}
