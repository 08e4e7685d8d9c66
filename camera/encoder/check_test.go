package encoder

import (
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func TestCheckFindsDisagreementsOnce(t *testing.T) {
	const ratio = 2 // lines a count
	steps := func(n int, lines int64, counts inspection.EncoderCount) []advance {
		out := make([]advance, n)
		for i := range out {
			out[i] = advance{lines, counts}
		}
		return out
	}
	join := func(parts ...[]advance) (out []advance) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	good := steps(100, 1024, 512)
	for _, c := range []struct {
		name  string
		steps []advance
		want  []string
	}{
		{"agreement", join(good, good), nil},
		{"agreement at rest and back", join(good, steps(50, 0, 1), steps(50, 0, -1), steps(20, -1024, -512), good), nil},
		{"half a percent", steps(200, 1024, 515), nil},
		{"2 % and back and again", join(steps(200, 1024, 502), good, steps(200, 1024, 522)), []string{
			"the camera takes 2.04 lines a count where 2 are set, +2.0 %",
			"the camera takes 1.962 lines a count where 2 are set, -1.9 %",
		}},
		{"encoder stalls twice", join(good, steps(20, 1024, 1), good, steps(20, 1024, 0), good), []string{
			"the encoder stands at count 51204 while the camera took 4096 lines",
			"the encoder stands at count 102420 while the camera took 4096 lines",
		}},
		{"no trigger", join(good, steps(20, 0, 512), good), []string{
			"the camera took no line over 2048 counts of the encoder",
		}},
		{"jump of the encoder", join(good, steps(1, 1024, 50000), good), []string{"the encoder went 50000 counts while the camera took 1024 lines"}},
		{"jump back", join(good, steps(1, 1024, -50000), good), []string{"the encoder went -50000 counts while the camera took 1024 lines"}},
		{"jump of the lines", join(good, steps(1, 90000, 512), good), []string{"the encoder went 512 counts while the camera took 90000 lines"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := NewCheck(ratio, CheckOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			var lines int64
			var n inspection.EncoderCount
			for i, s := range append([]advance{{}}, c.steps...) {
				lines, n = lines+s.lines, n+s.count
				if f, found := k.Add(start.Add(time.Duration(i)*20*time.Millisecond), lines, n); found {
					got = append(got, f.Text)
					if f.Span.Len() < 0 || f.Span.To < n || f.Kind == "" || f.At.IsZero() {
						t.Errorf("finding %+v at count %d is not whole", f, n)
					}
				}
			}
			if len(got) != len(c.want) {
				t.Fatalf("findings are %q, want %q", got, c.want)
			}
			for i := range got {
				if !strings.Contains(got[i], c.want[i]) {
					t.Errorf("finding is %q, want %q", got[i], c.want[i])
				}
			}
		})
	}
}

func TestCheckOptionsAreRefusedInASentence(t *testing.T) {
	for want, o := range map[string]CheckOptions{
		"a drift of 100 % is not possible; allowed is more than 0 and less than 100": {DriftPercent: 100},
		"each must be at least 1": {Window: -1},
	} {
		if _, err := NewCheck(1, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error is %v, want %q", o, err, want)
		}
	}
	if _, err := NewCheck(0, CheckOptions{}); err == nil || !strings.Contains(err.Error(), "0 lines a count are not possible") {
		t.Errorf("error is %v", err)
	}
}
