package appliance

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

// startDesk is a desk over a registry in memory: every id but "broken" is the built-in bundle.
func startDesk(t *testing.T) (d *modelDesk, want func(active, shadow string), opened *atomic.Int64) {
	t.Helper()
	var mu sync.Mutex
	active, shadow := "one", ""
	opened = &atomic.Int64{}
	open := func(id string) (*Engine, error) {
		opened.Add(1)
		if id == "broken" {
			return nil, errors.New("model broken: golden crop 3 is off")
		}
		b, err := models.Embedded()
		if err != nil {
			return nil, err
		}
		return NewEngine(b, DefaultConfig().Classifier)
	}
	e, err := open("one")
	if err != nil {
		t.Fatal(err)
	}
	d = newModelDesk("one", e, modelSource{
		wanted: func() (string, string, error) {
			mu.Lock()
			defer mu.Unlock()
			return active, shadow, nil
		},
		open: open,
	}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d, func(a, s string) {
		mu.Lock()
		active, shadow = a, s
		mu.Unlock()
		d.look()
	}, opened
}

func TestModelChangesAtACoilBoundaryAndLosesNoCrop(t *testing.T) {
	d, want, _ := startDesk(t)
	crop := d.engine().Bundle.Golden()[0].Pix
	var handed, answered atomic.Int64
	stop, inFlight := make(chan struct{}), make(chan struct{}, 32)
	var feeding sync.WaitGroup
	feeding.Go(func() {
		for {
			select {
			case <-stop:
				return
			case inFlight <- struct{}{}:
			}
			if d.Submit(crop, time.Time{}, func(_ inspection.Classification, ok bool) {
				if ok {
					answered.Add(1)
				}
				<-inFlight
			}) {
				handed.Add(1)
			} else {
				t.Error("a queue with 32 crops in it is full")
				return
			}
		}
	})
	first := d.engine()
	want("two", "")
	if d.engine() != first || d.Models().Next == "" {
		t.Error("the model changed before a coil began, or none waits")
	}
	d.boundary()
	second := d.engine()
	if second == first {
		t.Error("the model that waited did not take over")
	}
	d.boundary() // nothing waits any more
	for before := handed.Load(); handed.Load() < before+64; {
		time.Sleep(time.Millisecond)
	}
	close(stop)
	feeding.Wait()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if first.Stats().Classified == 0 || second.Stats().Classified == 0 {
		t.Errorf("the first model classified %d crops, the second %d; both must have had some", first.Stats().Classified, second.Stats().Classified)
	}
	if handed.Load() != answered.Load() {
		t.Errorf("%d crops handed in, %d answered", handed.Load(), answered.Load())
	}
}

func TestModelThatDoesNotProveIsRefusedOnce(t *testing.T) {
	d, want, opened := startDesk(t)
	first := d.engine()
	want("broken", "")
	want("broken", "")
	d.boundary()
	if st := d.Models(); d.engine() != first || len(st.Refused) != 1 || st.Refused[0] != "model broken: golden crop 3 is off" {
		t.Errorf("state %+v; want the first model at work and the reason", st)
	}
	if opened.Load() != 2 {
		t.Errorf("a refused model was opened %d times; once is enough", opened.Load()-1)
	}
	want("one", "")
	if st := d.Models(); len(st.Refused) != 0 {
		t.Errorf("the refusal stays after the plant went back: %+v", st)
	}
}

func TestModelThatIsNoLongerWantedDoesNotTakeOver(t *testing.T) {
	d, want, _ := startDesk(t)
	first := d.engine()
	want("two", "")
	want("one", "")
	d.boundary()
	if d.engine() != first || d.Models().Next != "" {
		t.Error("a model took over that was taken back before the coil began")
	}
}

func TestShadowAnswersTheSameCropsAndChangesNothing(t *testing.T) {
	d, want, _ := startDesk(t)
	want("one", "two")
	golden := d.engine().Bundle.Golden()
	got := make([]inspection.Classification, len(golden))
	var answers sync.WaitGroup
	for i, g := range golden {
		answers.Add(1)
		crop := append([]byte(nil), g.Pix...)
		if !d.Submit(crop, time.Time{}, func(c inspection.Classification, ok bool) {
			got[i] = c
			clear(crop) // the line uses the buffer again at once
			answers.Done()
		}) {
			t.Fatal("the queue is full")
		}
	}
	answers.Wait()
	plain, err := d.engine().Classifier.ClassifyBatch(nil, crops(golden[0].Pix, golden[1].Pix))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range plain {
		if got[i].Class != c.Class {
			t.Errorf("crop %d is %s with a shadow and %s without", i, got[i].Class, c.Class)
		}
	}
	s := d.shadow
	want("one", "") // waits for what is under way
	a := s.agreement("active")
	if a.Compared != len(golden) || a.Agreed != a.Compared || a.Skipped != 0 {
		t.Errorf("agreement %+v; want all %d crops compared and agreed: both are the same model", a, len(golden))
	}
	if d.Models().Shadow != nil {
		t.Error("the shadow stays after it was taken off")
	}
}

func TestBusyShadowIsSkippedAndCounted(t *testing.T) {
	d, want, _ := startDesk(t)
	want("one", "two")
	for range shadowCrops {
		<-d.shadow.free // as if all were under way
	}
	var answers sync.WaitGroup
	answers.Add(1)
	if !d.Submit(make([]byte, inference.CropSize*inference.CropSize), time.Time{}, func(inspection.Classification, bool) { answers.Done() }) {
		t.Fatal("the queue is full")
	}
	answers.Wait()
	for range shadowCrops {
		d.shadow.free <- make([]byte, inference.CropSize*inference.CropSize)
	}
	if a := d.Models().Shadow; a.Skipped != 1 || a.Compared != 0 {
		t.Errorf("agreement %s; want one crop skipped", fmt.Sprint(a))
	}
}

func crops(pix ...[]byte) [][]byte { return pix }

func TestShadowIsComparedAnewWithAnotherModel(t *testing.T) {
	d, want, _ := startDesk(t)
	want("one", "three")
	d.shadow.pairs[[2]inspection.DefectClass{"hole", "hole"}] = 5
	want("two", "three")
	if a := d.Models().Shadow; a.Compared != 5 {
		t.Errorf("%d compared before the next coil; want 5", a.Compared)
	}
	d.boundary()
	if a := d.Models().Shadow; a.Compared != 0 || d.shadow.active != "two" {
		t.Errorf("%+v against %s; want an empty table against the new model", a, d.shadow.active)
	}
}
