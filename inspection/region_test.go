package inspection

import "testing"

func TestWhatStandsOutIsNotRejected(t *testing.T) {
	rejected, hole := Classification{Class: NoDefect, Confidence: 0.9}, Classification{Class: "hole", Confidence: 0.6}
	for _, c := range []struct {
		name   string
		score  float32
		answer Classification
		want   Classification
	}{
		{"a faint region may be plain strip", 19, rejected, rejected},
		{"one that no good strip gives may not", 20, rejected, Classification{Class: Unknown}},
		{"a defect's class stands", 40, hole, hole},
		{"what was not classified stays so", 40, Classification{Class: Unclassified}, Classification{Class: Unclassified}},
	} {
		if got := (RegionOfInterest{Score: c.score}).Verdict(c.answer); got != c.want {
			t.Errorf("%s: %+v; want %+v", c.name, got, c.want)
		}
	}
}
