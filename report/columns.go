package report

import (
	"math"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Columns are the names of the columns of a defect, in order, in the workbook as in the text. They are part of the
// interface: one may be added behind the last, none changes.
func Columns() []string {
	return []string{
		"id", "side", "along_m", "across_mm", "length_mm", "width_mm", "area_mm2", "class", "class_ko", "class_en",
		"confidence", "severity", "camera", "seen_at", "review", "reviewed_class", "reviewed_by", "reviewed_at", "note",
		"reviewed_severity",
	}
}

// What a review makes of the model's answer.
const (
	reviewAgreed = "agreed"      // the person gave the model's class
	reviewOther  = "other_class" // the person gave another
	reviewNone   = "no_defect"   // the person saw none
)

func verdictOf(d *inspection.Defect) string {
	switch {
	case d.Review == nil:
		return ""
	case d.Review.Class == d.Class:
		return reviewAgreed
	case d.Review.Class == inspection.NoDefect:
		return reviewNone
	}
	return reviewOther
}

// rowOf appends the values of a defect to row: int64, float64, string, time.Time, or nil for what there is not. recipe is the one that
// its coil ran under, nil where it is not there.
func rowOf(row []any, d *inspection.Defect, n names, recipe *inspection.Recipe) []any {
	class := n.of(d.Class)
	row = append(row,
		int64(d.ID), string(d.Side), rounded(float64(d.Rect.Along)/1000, 4), rounded(float64(d.Rect.Across), 2),
		rounded(float64(d.Rect.Length), 2), rounded(float64(d.Rect.Width), 2), rounded(d.Area, 2),
		string(d.Class), class.Ko, class.En, rounded(float64(d.Conf), 4), int64(d.Severity), string(d.Camera), d.Seen)
	if d.Review == nil {
		return append(row, nil, nil, nil, nil, nil, nil)
	}
	row = append(row, verdictOf(d), string(d.Review.Class), d.Review.By, d.Review.At, textOrNil(d.Review.Note))
	if d.Review.Class == inspection.NoDefect {
		return append(row, nil)
	}
	return append(row, int64(severityUnder(*d.Review, recipe)))
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// rounded keeps so many digits: what is measured to a tenth of a millimetre needs no seventeen.
func rounded(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Round(v*p) / p
}

// inZone turns the times of a row into those of the plant's clock.
func inZone(row []any, zone *time.Location) {
	for i, v := range row {
		if t, ok := v.(time.Time); ok {
			row[i] = t.In(zone)
		}
	}
}
