package inspection

import (
	"encoding/json"
	"fmt"
	"time"
)

// CoilQuery selects coils, newest first. Zero fields select everything.
type CoilQuery struct {
	States []CoilState
	Grades []Grade
	Text   string // part of the coil id or of the steel grade
	Since  time.Time
	Until  time.Time
	// During selects coils that began in one of these stretches; nil: at any time.
	During     []Period
	Recipe     string // its name, every version
	SteelGrade string
	Without    []CoilField // only coils that were recorded without any of these
	// Class and Side select coils with such a defect, in the class that a person gave it last, where one did; what people
	// called no defect is none.
	Class DefectClass
	Side  Side
	// Along selects coils that have ended with such a defect in this one of the TrendBins parts of their length, Across in this
	// part of their width; parts count from 1, and 0 is the whole. The record keeps no sums of both at once.
	Along, Across int
	// Reviewed selects coils with a reviewed defect that the model called so, on Side where that is given.
	Reviewed DefectClass
	Cursor   string // NextCursor of the page before
	Limit    int
}

// CoilField is what a coil may be recorded without, and lists and trends tell coils apart by.
type CoilField string

// Fields of a coil.
const (
	RecipeField     CoilField = "recipe"
	SteelGradeField CoilField = "steel_grade"
)

// Check reports the first thing that is not allowed, as a *FieldError.
func (q CoilQuery) Check() error {
	for field, part := range map[string]int{"along": q.Along, "across": q.Across} {
		if part < 0 || part > TrendBins {
			return &FieldError{Field: field, Reason: fmt.Sprintf("%d is no part of the strip; allowed are 1 to %d", part, TrendBins)}
		}
	}
	if q.Along > 0 && q.Across > 0 {
		return &FieldError{Field: "across", Reason: "along is given too; choose a part of the length or one of the width"}
	}
	return nil
}

// CoilPage is one page of coils. NextCursor is empty on the last.
type CoilPage struct {
	Coils      []Coil
	NextCursor string
}

// DefectQuery selects a coil's defects in order of their ids. Zero fields select everything.
type DefectQuery struct {
	Coil          CoilID
	Side          Side
	Classes       []DefectClass
	MinArea       float64
	MinConfidence float32
	MinSeverity   Severity
	Review        ReviewFilter
	Cursor        string
	Limit         int
}

// ReviewFilter selects defects by whether a person reviewed them.
type ReviewFilter string

// Filters by review; empty selects all.
const (
	OnlyReviewed   ReviewFilter = "reviewed"
	OnlyUnreviewed ReviewFilter = "unreviewed"
)

// DefectPage is one page of defects. NextCursor is empty on the last.
type DefectPage struct {
	Defects    []Defect
	NextCursor string
}

// Change is one entry of the change log: something the MES must know, in commit order.
type Change struct {
	Seq      int64           `json:"seq"`
	Time     time.Time       `json:"time"`
	Type     string          `json:"type"` // coil.opened, coil.closed, coil.graded, defect.batch, inspection.gap, …
	Subject  string          `json:"subject"`
	Revision int             `json:"revision"`
	Data     json.RawMessage `json:"data"`
}

// ChangePage is a stretch of the change log.
type ChangePage struct {
	Changes   []Change `json:"changes"`
	NextAfter int64    `json:"next_after"`     // pass as "after" next time
	HasMore   bool     `json:"has_more"`       // more is there already
	HighWater int64    `json:"high_water_seq"` // newest entry
	Oldest    int64    `json:"oldest_seq"`     // oldest entry still kept
}

// NotFoundError says that what was asked for is not recorded.
type NotFoundError struct {
	Noun string // "coil", "defect", …
	ID   string
}

func (e *NotFoundError) Error() string { return fmt.Sprintf("%s %q is not known", e.Noun, e.ID) }

// ConflictError says that a request does not fit the present state of what it names.
type ConflictError struct {
	Noun, ID, Reason string
}

func (e *ConflictError) Error() string { return fmt.Sprintf("%s %q %s", e.Noun, e.ID, e.Reason) }

// GoneError says that changes after a sequence number are no longer kept.
type GoneError struct {
	After, Oldest int64
}

func (e *GoneError) Error() string {
	return fmt.Sprintf("changes after %d are no longer kept; the oldest is %d: read the coils anew, then go on after %d", e.After, e.Oldest, e.Oldest-1)
}

// StorageFullError says that the disk under What has no room left. What was recorded before stays.
type StorageFullError struct {
	What string
	Err  error
}

func (e *StorageFullError) Error() string {
	return fmt.Sprintf("%s is full: free space on its disk; what is recorded stays", e.What)
}

func (e *StorageFullError) Unwrap() error { return e.Err }
