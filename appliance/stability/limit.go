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
			FoundAgain, "share", true, 0.95, "events of the baseline that are found again, by themselves or inside a larger one",
			"on real strip 30 % less light loses one event in eighty and two grey levels of noise one in thirty; one in twenty is more than either",
		},
		{
			ClassAgreement, "share", true, 0.95, "events found again by themselves whose class is the same",
			"on real strip 10 % less light turns one answer in seventy; one in twenty is what noise that can be seen makes",
		},
		{
			NewEvents, "share of the baseline's events", false, 0.05, "events that the baseline did not have, not even as part of a larger one",
			"the counterpart of found_again: one new event for twenty",
		},
		{
			MeanShift, "px", false, 2, "mean distance by which the same event moved, growth at one end left out",
			"a quarter of the detector's block of 8 pixels: more is a shift of camera or encoder, not rounding",
		},
		{
			LargestShift, "px", false, 32, "largest such distance",
			"four blocks: where defects are dense one box jumps by 20 pixels when its neighbour joins it, with nothing but 10 % less light",
		},
		{
			ConfidenceDrift, "", false, 0.05, "mean change of confidence of the same event in the same class",
			"several times the calibration error that a bundle states: confidence would no longer mean what it says",
		},
		{
			ScoreDrift, "share", false, 0.05, "change of the mean detector score of the same events",
			"a threshold 5 % higher makes almost as much, and loses one event of real strip in ten",
		},
		{
			BrightnessDrift, "share", false, 0.05, "change of the pictures' mean grey level",
			"lamps age over months: 5 % between two days is dirt, a lamp or a setting",
		},
		{
			NoiseDrift, "share", false, 0.20, "change of the pictures' noise",
			"two grey levels of added noise make 28 % on real strip, and there one answer in sixteen turns over",
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
