package stability

import (
	"fmt"
	"strconv"
	"strings"
)

// Names of the figures, which are also those of their limits. They are part of what a plant's history holds and
// never change.
const (
	PicturesPresent = "pictures_present"
	FoundAgain      = "found_again"
	ClassAgreement  = "class_agreement"
	NewEvents       = "new_events"
	MeanShift       = "mean_shift"
	LargestShift    = "largest_shift"
	ConfidenceDrift = "confidence_drift"
	ScoreDrift      = "score_drift"
	BrightnessDrift = "brightness_drift"
	NoiseDrift      = "noise_drift"
)

// Limit is what a figure may be.
type Limit struct {
	Figure string
	Unit   string
	// Least says that Value is the least allowed; else it is the most, of the figure without its sign.
	Least  bool
	Value  float64
	Says   string // what the figure is
	Reason string // where the number comes from
}

// Limits are the ones that hold where nobody says otherwise. The same pictures, model and program give 100 %
// and 0 throughout; the room is for pictures of a reference that was recorded anew.
func Limits() []Limit {
	return []Limit{
		{
			PicturesPresent, "share", true, 1, "pictures of the baseline that are there in the same size",
			"a reference that lost a picture is another reference",
		},
		{
			FoundAgain, "share", true, 0.95, "events of the baseline that are found again",
			"the detector's own miss rate on annotated strip is a few per cent: losing one event in twenty is more than its grain of blocks explains",
		},
		{
			ClassAgreement, "share", true, 0.95, "found events whose class is the same",
			"an answer close to the border of two classes may turn over with a little noise; with a calibrated model these are a few in a hundred",
		},
		{
			NewEvents, "share of the baseline's events", false, 0.05, "events that the baseline did not have",
			"the counterpart of found_again: one new event for twenty",
		},
		{
			MeanShift, "px", false, 2, "mean distance between the middles of the same event",
			"a quarter of the detector's block of 8 pixels: more is a shift of camera or encoder, not rounding",
		},
		{
			LargestShift, "px", false, 16, "largest such distance",
			"two blocks, by which a single box may grow at its rim",
		},
		{
			ConfidenceDrift, "", false, 0.05, "mean change of confidence of the same event in the same class",
			"several times the calibration error that a bundle states: confidence would no longer mean what it says",
		},
		{
			ScoreDrift, "share", false, 0.10, "change of the mean detector score of the same events",
			"one tenth of the threshold is the step at which weak defects begin to be lost or found",
		},
		{
			BrightnessDrift, "share", false, 0.05, "change of the pictures' mean grey level",
			"LED lines lose a few per cent a year; 5 % between two days is dirt, a lamp or a setting",
		},
		{
			NoiseDrift, "share", false, 0.20, "change of the pictures' noise",
			"noise goes with the square root of the light: 20 % is what a loss of a third of it makes",
		},
	}
}

// ParseLimits reads changes to the limits, each NAME=VALUE.
func ParseLimits(changes []string) ([]Limit, error) {
	limits := Limits()
	for _, c := range changes {
		name, text, _ := strings.Cut(c, "=")
		v, err := strconv.ParseFloat(text, 64)
		found := false
		for i := range limits {
			l := &limits[i]
			if l.Figure != name {
				continue
			}
			found = true
			if err != nil || !(v >= 0 && v <= 1000) || l.Least && v > 1 {
				most := "1000"
				if l.Least {
					most = "1"
				}
				return nil, fmt.Errorf("limit %s is %q; allowed are 0 to %s", name, text, most)
			}
			l.Value = v
		}
		if !found {
			var known []string
			for _, l := range limits {
				known = append(known, l.Figure)
			}
			return nil, fmt.Errorf("limit %q is not NAME=VALUE of a figure; allowed names are %s", c, strings.Join(known, ", "))
		}
	}
	return limits, nil
}
