package inspection

import "time"

// StabilityConditions are what a pass of a reference coil depends on besides its pictures.
type StabilityConditions struct {
	Model     string  `json:"model"`   // bundle name and version
	Program   string  `json:"program"` // version
	Threshold float32 `json:"threshold"`
	Provider  string  `json:"provider"`
}

// StabilityFigure is one measure of a check against its limit.
type StabilityFigure struct {
	Name string `json:"name"`
	// Measured keeps its sign; absent where nothing was left to measure it on, which does not pass.
	Measured *float64 `json:"measured,omitempty"`
	Limit    float64  `json:"limit"`
	Least    bool     `json:"least"` // Limit is the least allowed, else the most
	Unit     string   `json:"unit"`
	Pass     bool     `json:"pass"`
}

// StabilityChange is something that was not the same when the baseline was made.
type StabilityChange struct {
	What   string `json:"what"`
	Before string `json:"before"`
	Now    string `json:"now"`
}

// StabilityClass counts the baseline's events of a class.
type StabilityClass struct {
	Class    DefectClass `json:"class"`
	Baseline int         `json:"baseline"`
	Found    int         `json:"found"`
	Same     int         `json:"same_class"`
}

// StabilityCheck is a pass of a reference coil against its baseline.
type StabilityCheck struct {
	Name       string              `json:"name"` // of the baseline
	At         time.Time           `json:"at"`
	BaselineAt time.Time           `json:"baseline_at"`
	Pass       bool                `json:"pass"`
	Figures    []StabilityFigure   `json:"figures"`
	Changed    []StabilityChange   `json:"changed"` // what was not the same as at the baseline
	Conditions StabilityConditions `json:"conditions"`
	Reference  string              `json:"reference"`
	Events     int                 `json:"events"` // of the baseline
	Found      int                 `json:"found"`  // of them
	New        int                 `json:"new"`
	Classes    []StabilityClass    `json:"classes"`
	// Few says that the baseline has too few events for its shares to be fine: one event is more than the
	// room that the limits leave.
	Few bool `json:"few_events"`
}

// StabilityHistory is what the checks of a plant gave, the newest first.
type StabilityHistory struct {
	Checks []StabilityCheck `json:"checks"`
	// Unreadable counts lines of the histories that are no result: written while a disk was full, say.
	Unreadable int `json:"unreadable"`
}
