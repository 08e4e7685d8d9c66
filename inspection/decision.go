package inspection

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Disposition is what a person decides of a coil.
type Disposition string

// Dispositions.
const (
	Released Disposition = "released" // it may go, under the grade of the decision
	Held     Disposition = "held"     // it waits
	Rejected Disposition = "rejected" // it must not go
)

// Dispositions lists them.
func Dispositions() []Disposition { return []Disposition{Released, Held, Rejected} }

// Decision is what a person decided of a coil. It stands beside the machine's grade, which it never replaces. Of several, the newest
// stands.
type Decision struct {
	N           int64       `json:"n"` // number of the decision; never used again
	At          time.Time   `json:"at"`
	By          string      `json:"by"`
	Disposition Disposition `json:"disposition" enum:"released,held,rejected"`
	// Grade is the person's: the machine's, or another one with a reason.
	Grade  Grade  `json:"grade" enum:"prime,second,hold,block"`
	Reason string `json:"reason,omitempty"`
	// MachineGrade stood when it was decided.
	MachineGrade Grade `json:"machine_grade" enum:"prime,second,hold,block"`
	// Pending tells that a second person must confirm it; until then it does not hold.
	Pending     bool       `json:"pending" doc:"A second person must confirm it; until then it does not hold"`
	ConfirmedBy string     `json:"confirmed_by,omitempty"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
}

// maxReason bounds what a person writes, in characters.
const maxReason = 500

// Check reports the first thing in the decision that is not allowed, as a *FieldError.
func (d Decision) Check() error {
	if err := CheckReviewer(d.By); err != nil {
		return err
	}
	reason := utf8.RuneCountInString(strings.TrimSpace(d.Reason))
	switch {
	case !slices.Contains(Dispositions(), d.Disposition):
		return &FieldError{Field: "disposition", Reason: fmt.Sprintf("%q is not known; allowed are %v", d.Disposition, Dispositions())}
	case d.Grade.rank() < 0:
		return &FieldError{Field: "grade", Reason: fmt.Sprintf("%q is not a grade; allowed are %v", d.Grade, Grades())}
	case d.Disposition == Released && d.Grade != Prime && d.Grade != Second:
		return &FieldError{Field: "grade", Reason: fmt.Sprintf("a coil of grade %s cannot be released; give it the grade it goes under, %s or %s, and say why", d.Grade, Prime, Second)}
	case reason == 0 && (d.Grade != d.MachineGrade || d.Disposition == Rejected):
		return &FieldError{Field: "reason", Reason: "is empty; a decision that departs from the machine's grade, or rejects a coil, needs one"}
	case reason > maxReason:
		return &FieldError{Field: "reason", Reason: fmt.Sprintf("has %d characters; allowed are %d", reason, maxReason)}
	}
	return nil
}

// SamePerson tells whether two names are one person's, however they were typed: two eyes must not become four by a capital or a blank.
func SamePerson(a, b string) bool {
	bare := func(name string) string { return strings.Join(strings.Fields(name), "") }
	return strings.EqualFold(bare(a), bare(b))
}

// NeedsSecond tells whether a second person must confirm the decision, where coils of some machine grades need one to be
// released.
func (d Decision) NeedsSecond(grades []Grade) bool {
	return d.Disposition == Released && slices.Contains(grades, d.MachineGrade)
}

// RecipePublished says who published a version of a recipe.
type RecipePublished struct {
	Name    string    `json:"name"`
	Version int       `json:"version"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Note    string    `json:"note,omitempty"`
}

// Fits tells how well a recipe is for a customer's steel grade: 0 is not at all, 1 for all, 2 for the steel grade, 3 for the customer,
// 4 for both.
func (r Recipe) Fits(customer, steelGrade string) int {
	named := func(list []string, s string) (fits, says bool) {
		return len(list) == 0 || slices.Contains(list, s), len(list) > 0
	}
	c, byCustomer := named(r.Customers, customer)
	g, byGrade := named(r.SteelGrades, steelGrade)
	switch {
	case !c || !g:
		return 0
	case byCustomer && byGrade:
		return 4
	case byCustomer:
		return 3
	case byGrade:
		return 2
	}
	return 1
}
