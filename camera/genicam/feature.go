package genicam

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// Kind is what values a feature takes.
type Kind string

// Kinds of features.
const (
	Boolean     Kind = "boolean"
	Integer     Kind = "integer"
	Float       Kind = "float"
	Enumeration Kind = "enumeration"
	String      Kind = "string"
	Command     Kind = "command"
)

// Feature is a setting by its SFNC or vendor name, as a configuration or a command line gives it: Value is
// a bool, an int, int64, uint64 or float64, or a string, which is read as the feature's kind demands. A
// command is executed by true.
type Feature struct {
	Name  string
	Value any
}

// FeatureInfo is what a camera says of one of its features.
type FeatureInfo struct {
	Name        string   `json:"name"`
	Category    string   `json:"category,omitempty"`
	Kind        Kind     `json:"kind"`
	Value       any      `json:"value,omitempty"` // bool, int64, float64 or string; nil: cannot be read
	Unit        string   `json:"unit,omitempty"`
	Description string   `json:"description,omitempty"`
	Available   bool     `json:"available"` // in the camera's present state
	Readable    bool     `json:"readable"`
	Writable    bool     `json:"writable"`
	Bounded     bool     `json:"bounded"` // Min and Max are told
	Min         float64  `json:"min,omitempty"`
	Max         float64  `json:"max,omitempty"`
	Increment   float64  `json:"increment,omitempty"` // of integers above 1; 0: any
	Entries     []string `json:"entries,omitempty"`   // of an enumeration: those available now
}

type categorised struct{ category, name string }

// Allowed says in words which values the feature takes.
func (f FeatureInfo) Allowed() string {
	switch f.Kind {
	case Boolean:
		return "true and false"
	case Command:
		return "true, which executes it"
	case Enumeration:
		return strings.Join(f.Entries, ", ")
	case Integer, Float:
		what := "whole numbers"
		if f.Kind == Float {
			what = "numbers"
		}
		if f.Bounded {
			what = number(f.Min) + " to " + number(f.Max)
		}
		if f.Increment > 0 {
			what += " in steps of " + number(f.Increment)
		}
		return what
	}
	return "texts"
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// convert turns a wanted value into one of the feature's kind: bool, int64, float64, string, or nil for a
// command to execute. ok is false where the camera does not allow it.
func (f FeatureInfo) convert(value any) (v any, ok bool) {
	text := strings.TrimSpace(fmt.Sprint(value))
	switch f.Kind {
	case Boolean:
		b, err := strconv.ParseBool(strings.ToLower(text))
		return b, err == nil
	case Command:
		b, err := strconv.ParseBool(strings.ToLower(text))
		return nil, err == nil && b
	case Enumeration:
		if b, is := value.(bool); is { // YAML reads a bare On and Off as booleans
			text = map[bool]string{true: "On", false: "Off"}[b]
		}
		for _, e := range f.Entries {
			if e == text {
				return text, true
			}
		}
		return nil, false
	case Integer:
		n, err := strconv.ParseInt(text, 0, 64)
		if err != nil {
			x, ferr := strconv.ParseFloat(text, 64)
			if ferr != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
				return nil, false
			}
			n = int64(x)
		}
		if f.Bounded && (float64(n) < f.Min || float64(n) > f.Max) {
			return nil, false
		}
		if f.Bounded && f.Increment > 0 && (n-int64(f.Min))%int64(f.Increment) != 0 {
			return nil, false
		}
		return n, true
	case Float:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || f.Bounded && (x < f.Min || x > f.Max) {
			return nil, false
		}
		return x, true
	}
	return fmt.Sprint(value), true
}

// set writes one feature after checking it against what the camera says of it. A refusal is a
// *inspection.FieldError whose Field is "camera ID".
func (h *handle) set(id inspection.CameraID, f Feature) error {
	refuse := func(format string, a ...any) error {
		return &inspection.FieldError{Field: "camera " + string(id), Reason: fmt.Sprintf(format, a...)}
	}
	info, ok := h.feature(f.Name)
	switch {
	case !ok:
		return refuse("it has no feature %s", f.Name)
	case !info.Available:
		return refuse("%s %v is not possible; the feature is not available as the camera is set", f.Name, f.Value)
	case !info.Writable:
		return refuse("%s %v is not possible; the feature is read-only and is %v", f.Name, f.Value, info.Value)
	}
	v, ok := info.convert(f.Value)
	if !ok {
		return refuse("%s %v is not possible; allowed are %s", f.Name, f.Value, info.Allowed())
	}
	if err := h.write(f.Name, v); err != nil {
		return fmt.Errorf("camera %s: %s %v was not taken: %w", id, f.Name, f.Value, err)
	}
	if info.Kind != Integer && info.Kind != Enumeration {
		return nil // a camera rounds numbers to what its clock can make
	}
	if now, _ := h.feature(f.Name); now.Readable && now.Value != v {
		return refuse("%s %v was not taken; the camera keeps %v", f.Name, f.Value, now.Value)
	}
	return nil
}
