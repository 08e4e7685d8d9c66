package inspection

import "time"

// CoilState is a stage in the life of a coil's record.
type CoilState string

// States of a coil.
const (
	Announced   CoilState = "announced"   // ordered, not yet under the cameras
	Running     CoilState = "running"     // between head end and tail end
	Closed      CoilState = "closed"      // tail passed, graded
	Interrupted CoilState = "interrupted" // the appliance stopped in the middle of it
)

// Coil is the record of one coil.
type Coil struct {
	ID       CoilID    `json:"id"`
	State    CoilState `json:"state"`
	Order    CoilOrder `json:"order"`
	Strip    Strip     `json:"strip"`
	Revision int       `json:"revision"`
	// Grade is empty until the coil is closed.
	Grade Grade `json:"grade,omitempty"`
	// Decision is the newest that a person made; the grade above stays the machine's.
	Decision *Decision `json:"decision,omitempty"`
	// RecipeName and RecipeVersion name the immutable recipe the coil runs under.
	RecipeName    string `json:"recipe"`
	RecipeVersion int    `json:"recipe_version"`
	Model         string `json:"model"` // bundle name and version that classified
	// Calibrations are those in force when the coil began; lists of coils leave them out.
	Calibrations []CalibrationRef `json:"calibrations,omitempty"`
	AnnouncedAt  time.Time        `json:"announced_at"`
	StartedAt    *time.Time       `json:"started_at,omitempty"`
	EndedAt      *time.Time       `json:"ended_at,omitempty"`
	Counts       Counts           `json:"counts"`
	Coverage     []Coverage       `json:"coverage,omitempty"`
	// RollMarks are those found so far; lists of coils leave them out.
	RollMarks []RollMark `json:"roll_marks,omitempty"`
}

// Setup is what inspects a coil: the model that classifies and the calibrations in force.
type Setup struct {
	Model        string // bundle name and version
	Calibrations []CalibrationRef
}

// CalibrationRef names a version of a camera's calibration, which never changes.
type CalibrationRef struct {
	Camera  CameraID  `json:"camera"`
	Kind    string    `json:"kind"` // flatfield, geometry, encoder, alignment, area
	Version int       `json:"version"`
	At      time.Time `json:"at"` // when it was made
}

// Counts of a coil's defects.
type Counts struct {
	Defects int                 `json:"defects"`
	Gaps    int                 `json:"gaps"`
	ByClass map[DefectClass]int `json:"by_class,omitempty"`
	BySide  map[Side]int        `json:"by_side,omitempty"`
	// Reviewed is how many defects people reviewed; NotInGrade how many of those since the grade was
	// given, so that it does not rest on what they said.
	Reviewed   int `json:"reviewed,omitempty"`
	NotInGrade int `json:"reviewed_not_in_grade,omitempty"`
}

// Progress is how far along a coil one side has been accounted for, inspected or as a gap.
type Progress struct {
	Side Side
	To   MM
	// Width is the strip's width as measured so far.
	Width MM
}

// Batch is what a line records at once; it becomes durable as a whole or not at all. Images go with
// Defects by index; a nil image means that none was kept.
type Batch struct {
	Coil     CoilID
	Defects  []Defect
	Images   []*Crop
	Gaps     []Gap
	Progress []Progress
	// RollMarks are all that were found on the coil so far; nil where they have not changed.
	RollMarks []RollMark
}

// Crop is a small picture cut out of a frame around a region: Size x Size pixels, corrected.
type Crop struct {
	Pix  []byte
	Size int
	// Shows is how much strip it shows; zero where that is not known.
	Shows PictureSize
	Look  Look
}

// LookSize is the number of bytes of a Look.
const LookSize = 64

// Look is what a model sees in a crop, made small: pictures that look alike to the model have looks of nearly one
// direction. Looks of different models have nothing to do with each other. All zero: there is none.
type Look [LookSize]int8
