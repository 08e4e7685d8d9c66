package encoder

import (
	"errors"
	"math"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coilsight/coilsight/inspection"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func after(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func newTrack(t testing.TB, o Options) *Track {
	t.Helper()
	if o.MaxPerSecond == 0 {
		o.MaxPerSecond = 50_000
	}
	tr, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// poll adds a reading each 20 ms, n of them from a moment on, of a counter that makes perPoll counts between two.
func poll(tr *Track, from, n int, raw, perPoll int64) (next int, last int64) {
	for range n {
		tr.Add(after(from), raw)
		from, raw = from+20, raw+perPoll
	}
	return from, raw - perPoll
}

func TestCountIsLinearBetweenReadings(t *testing.T) {
	tr := newTrack(t, Options{})
	poll(tr, 0, 10, 5000, 200)
	for ms, want := range map[int]float64{0: 0, 10: 100, 20: 200, 35: 350, 180: 1800} {
		if got, what := tr.At(after(ms)); what != Known || math.Abs(got-want) > 1e-6 {
			t.Errorf("after %d ms: %v, %v; want %v", ms, got, what, want)
		}
	}
	if _, what := tr.At(after(181)); what != Later {
		t.Errorf("a moment that no reading has reached is %v", what)
	}
	if _, what := tr.At(after(-1)); what != Unknown {
		t.Errorf("a moment before the first reading is %v", what)
	}
}

func TestCounterThatBeginsAnewGoesOn(t *testing.T) {
	for bits, raw := range map[int]int64{16: 1<<16 - 500, 32: 1<<32 - 500} {
		for _, reverse := range []bool{false, true} {
			tr := newTrack(t, Options{Bits: bits, Reverse: reverse})
			step := int64(200)
			if reverse {
				raw, step = 500, -200
			}
			mask := int64(1)<<bits - 1
			for i := range 10 {
				tr.Add(after(20*i), (raw+int64(i)*step)&mask)
			}
			if got, what := tr.At(after(180)); what != Known || got != 1800 {
				t.Errorf("%d bits, reverse %v: %v, %v; want 1800", bits, reverse, got, what)
			}
		}
	}
}

func TestOneWrongReadingIsLeftOut(t *testing.T) {
	tr := newTrack(t, Options{})
	next, raw := poll(tr, 0, 10, 0, 200)
	tr.Add(after(next), 900_000)
	poll(tr, next+20, 5, raw+400, 200)
	if got, what := tr.At(after(next)); what != Known || math.Abs(got-float64(raw)-200) > 1e-6 {
		t.Errorf("at the wrong reading: %v, %v; want %d", got, what, raw+200)
	}
	if s := tr.State(after(next + 110)); s.Outliers != 1 || s.Jumps != 0 || s.Motion != Running {
		t.Errorf("state %+v, want one outlier", s)
	}
}

func TestCounterThatWasSetDoesNotMoveTheStrip(t *testing.T) {
	tr := newTrack(t, Options{})
	next, raw := poll(tr, 0, 50, 0, 200)
	poll(tr, next, 50, 7_000_000, 200) // somebody set it
	count, what := tr.At(after(next + 500))
	if want := float64(raw) + 200*26; what != Known || math.Abs(count-want) > 10 {
		t.Errorf("after the jump: %v, %v; want about %v", count, what, want)
	}
	if _, what := tr.At(after(next - 5)); what != Unknown {
		t.Errorf("within the jump: %v; want that it is not known", what)
	}
	if s := tr.State(after(next + 990)); s.Jumps != 1 || s.Outliers != 0 {
		t.Errorf("state %+v, want one jump", s)
	}
}

func TestMotionIsTold(t *testing.T) {
	tr := newTrack(t, Options{})
	if s := tr.State(after(0)); s.Motion != Silent {
		t.Errorf("before the first reading: %v", s.Motion)
	}
	at, raw := poll(tr, 0, 30, 0, 200)
	if s := tr.State(after(at)); s.Motion != Running || math.Abs(s.PerSecond-10_000) > 1 {
		t.Errorf("running: %+v", s)
	}
	for i := range 30 { // it trembles
		tr.Add(after(at+20*i), raw+int64(i%2))
	}
	at += 600
	if s := tr.State(after(at)); s.Motion != Standing {
		t.Errorf("standing: %+v", s)
	}
	at, _ = poll(tr, at, 30, raw, -100)
	if s := tr.State(after(at)); s.Motion != Backwards || s.PerSecond > -4000 {
		t.Errorf("backwards: %+v", s)
	}
	if s := tr.State(after(at + 600)); s.Motion != Silent {
		t.Errorf("silent: %+v", s)
	}
}

func TestSilenceIsNotMotion(t *testing.T) {
	tr := newTrack(t, Options{})
	at, raw := poll(tr, 0, 10, 0, 200)
	poll(tr, at+2000, 10, raw+20_000, 200)
	if _, what := tr.At(after(at + 1000)); what != Unknown {
		t.Errorf("within a silence: %v; want that it is not known", what)
	}
	if got, what := tr.At(after(at + 2000)); what != Known || got != float64(raw)+20_000 {
		t.Errorf("after it: %v, %v; want that the strip passed", got, what)
	}
}

func TestBadOptionsAreNamed(t *testing.T) {
	for name, err := range map[string]error{
		"bits":           Options{Bits: 24, MaxPerSecond: 1}.Check(),
		"max_per_second": Options{}.Check(),
		"silent":         Options{MaxPerSecond: 1, Silent: time.Hour}.Check(),
		"address":        ModbusOptions{Address: "nowhere", Bits: 32, Every: 20 * time.Millisecond}.Check(),
		"register":       ModbusOptions{Address: "a:502", Bits: 32, Register: 0xffff, Every: 20 * time.Millisecond}.Check(),
		"every_ms":       ModbusOptions{Address: "a:502", Bits: 16}.Check(),
	} {
		var field *inspection.FieldError
		if !errors.As(err, &field) || field.Field != name {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func BenchmarkTrack(b *testing.B) {
	tr := newTrack(b, Options{})
	poll(tr, 0, kept, 0, 200)
	at := after(20*kept - 3000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tr.Add(after(20*(kept+i)), int64(200*(kept+i)))
		tr.At(at)
	}
}
