package accuracy

import (
	"encoding/json"
	"fmt"
)

// Share is N of Of. As JSON it is {"n", "of", "share"}, the share being null where it is of nothing.
type Share struct{ N, Of int }

func (s *Share) count(yes bool) {
	s.Of++
	if yes {
		s.N++
	}
}

// Value is 0 where the share is of nothing.
func (s Share) Value() float64 { return float64(s.N) / float64(max(s.Of, 1)) }

// String is such as "97.65 % (249 of 255)".
func (s Share) String() string {
	if s.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f %% (%d of %d)", 100*s.Value(), s.N, s.Of)
}

// MarshalJSON writes the share beside its counts.
func (s Share) MarshalJSON() ([]byte, error) {
	var v *float64
	if s.Of > 0 {
		x := s.Value()
		v = &x
	}
	return json.Marshal(struct {
		N     int      `json:"n"`
		Of    int      `json:"of"`
		Share *float64 `json:"share"`
	}{s.N, s.Of, v})
}

// UnmarshalJSON reads the counts.
func (s *Share) UnmarshalJSON(data []byte) error {
	var v struct {
		N  int `json:"n"`
		Of int `json:"of"`
	}
	err := json.Unmarshal(data, &v)
	s.N, s.Of = v.N, v.Of
	return err
}

// Mean is of Of values that add up to Sum.
type Mean struct {
	Sum float64
	Of  int
}

func (m *Mean) add(v float64) {
	m.Sum += v
	m.Of++
}

// Value is 0 where the mean is of nothing.
func (m Mean) Value() float64 { return m.Sum / float64(max(m.Of, 1)) }

func (m Mean) String() string {
	if m.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3f", m.Value())
}

// MarshalJSON writes {"mean", "of"}, the mean being null where it is of nothing.
func (m Mean) MarshalJSON() ([]byte, error) {
	var v *float64
	if m.Of > 0 {
		x := m.Value()
		v = &x
	}
	return json.Marshal(struct {
		Mean *float64 `json:"mean"`
		Of   int      `json:"of"`
	}{v, m.Of})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Mean) UnmarshalJSON(data []byte) error {
	var v struct {
		Mean float64 `json:"mean"`
		Of   int     `json:"of"`
	}
	err := json.Unmarshal(data, &v)
	m.Sum, m.Of = v.Mean*float64(v.Of), v.Of
	return err
}
