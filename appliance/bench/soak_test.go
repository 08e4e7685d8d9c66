package bench

import (
	"testing"
	"time"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/inspection"
)

func TestSoakChangesCoilsAndTakesSamples(t *testing.T) {
	o := Options{Config: appliance.DefaultConfig(), Work: t.TempDir()}
	told := 0
	r, err := Soak(t.Context(), o, SoakOptions{For: 3500 * time.Millisecond, MBps: 25, Coil: time.Second, Every: time.Second}, func(SoakSample) { told++ })
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Samples) < 2 || told != len(r.Samples) {
		t.Fatalf("%d samples in 3.5 s, %d told; want one a second", len(r.Samples), told)
	}
	last := r.Samples[len(r.Samples)-1]
	if last.Coils < 1 || last.ResidentMB <= 0 || last.HeapMB <= 0 || last.MBPerSecond <= 0 {
		t.Errorf("the last sample is %+v", last)
	}
	if r.Line.UncountedFrames != 0 {
		t.Errorf("%d frames are in no column of the ledger", r.Line.UncountedFrames)
	}
	for _, bad := range []SoakOptions{
		{For: time.Second, MBps: 1, Coil: time.Second, Every: time.Minute},
		{For: time.Minute, MBps: 0, Coil: time.Second, Every: time.Second},
	} {
		if _, err := Soak(t.Context(), o, bad, func(SoakSample) {}); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func TestSpoilSpoilsTheShareThatIsAskedFor(t *testing.T) {
	strip, err := renderSide(t.Context(), inspection.Top, 16)
	if err != nil {
		t.Fatal(err)
	}
	if got := spoil(strip, 0); got != 0 {
		t.Errorf("%g of strip that stays as it is is spoiled", got)
	}
	if got := spoil(strip, 0.03); got < 0.03 || got > 0.045 {
		t.Errorf("%g is spoiled; want 0.03 and at most a patch a frame more", got)
	}
}
