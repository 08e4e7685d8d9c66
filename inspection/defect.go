package inspection

import "time"

// DefectID numbers the defects of an appliance; it grows and is never used again.
type DefectID int64

// Severity orders defects by how much they matter, from 0 (cosmetic) to 4 (critical).
type Severity uint8

// SevereFrom is the severity from which on a person should see a defect, whatever the model is sure of.
const SevereFrom = Severity(3)

// Defect is one recorded imperfection of a coil. A region that crosses frame borders, or that was
// seen in parts, is one defect.
type Defect struct {
	ID       DefectID    `json:"id"`
	Coil     CoilID      `json:"coil"`
	Side     Side        `json:"side"`
	Camera   CameraID    `json:"camera"`
	Rect     StripRect   `json:"rect"`
	Class    DefectClass `json:"class"`
	Conf     float32     `json:"confidence"`
	Severity Severity    `json:"severity"`
	// Area is the area that responded, in mm²; at most that of Rect.
	Area     float64   `json:"area_mm2"`
	Contrast float32   `json:"contrast"` // response over the detection threshold
	Seen     time.Time `json:"seen"`     // arrival of the frame that completed it
	Revision int       `json:"revision"` // 1 when recorded; grows with each change
	HasImage bool      `json:"has_image"`
	// Review is what a person said of it last; nil where nobody did. Class and Conf stay the model's.
	Review *Review `json:"review,omitempty"`
}

// GapState says how far the inspection of a part of the strip got.
type GapState string

// States of a gap.
const (
	DetectedOnly GapState = "detected-only" // screened, but not every region was classified
	Incomplete   GapState = "incomplete"    // the frame arrived damaged, or these lines of it could not be screened
	Underrun     GapState = "underrun"      // no buffer was free, or the camera lost the frame
	Overrun      GapState = "overrun"       // the frame arrived and could not be taken in time
	Unseen       GapState = "unseen"        // no frame came: camera lost, or inspection interrupted
)

// Gap is a part of one side of the strip that was not fully inspected, across the whole width.
type Gap struct {
	Side   Side     `json:"side"`
	Camera CameraID `json:"camera"`
	From   MM       `json:"from_mm"`
	To     MM       `json:"to_mm"`
	State  GapState `json:"state"`
	Cause  string   `json:"cause"`
	// OpenEnd marks the unseen rest of a coil whose true length is not known: To is then the
	// least it can be.
	OpenEnd bool `json:"open_end,omitempty"`
}

// Length of the gap along the strip.
func (g Gap) Length() MM { return g.To - g.From }

// DefectMap is everything a grade rests on: the strip, what was found on it and what was not seen.
type DefectMap struct {
	Strip   Strip
	Defects []Defect
	Gaps    []Gap
}

// MapDefect is what a drawn map shows of a defect.
type MapDefect struct {
	ID       DefectID
	Side     Side
	Rect     StripRect
	Class    DefectClass // the model's, as is Conf
	Conf     float32
	Severity Severity
	HasImage bool
	Revised  bool // changed since it was recorded
	Reviewed bool // by a person
}
