package appliance

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/encoder"
	"github.com/coilsight/coilsight/inspection"
)

// A wheel that slips: the camera, triggered by the mill's drive, takes more lines than the counter has counts.
func TestLinesThatDriftFromTheCounterAreToldOnce(t *testing.T) {
	c := DefaultConfig()
	c.Encoder.Address = "127.0.0.1:502"
	a := &Appliance{o: Options{Config: c}}
	var err error
	if a.encoder, err = encoder.New(c.Encoder.track()); err != nil {
		t.Fatal(err)
	}
	frames := make(still, 1)
	k, err := a.newCheck(CameraConfig{ID: "top", Address: "10.0.0.5"})
	if err != nil || k == nil {
		t.Fatalf("no check is made: %v", err)
	}
	source := k.watch(frames)
	count := 0.0
	at, lines := time.Now().Add(-time.Minute), inspection.EncoderCount(0)
	run := func(n int, countsPerFrame float64) {
		for range n {
			at, lines = at.Add(20*time.Millisecond), lines+256
			count += countsPerFrame
			a.encoder.Add(at, int64(count))
			frames <- &camera.Frame{Span: inspection.EncoderSpan{From: lines - 256, To: lines}, Arrived: at}
			if _, err := source.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(200, 256)
	if text := k.mismatch(at); text != "" {
		t.Errorf("lines and counts that go together: %s", text)
	}
	run(200, 245)
	if text := k.mismatch(at); !strings.Contains(text, "lines a count where 1 are set") {
		t.Errorf("a drift of 4 %% gives %q", text)
	}
	if text := k.mismatch(at.Add(2 * jumpAlarm)); text != "" {
		t.Errorf("the alarm stays: %s", text)
	}
	if none, err := (&Appliance{o: Options{Config: DefaultConfig()}}).newCheck(CameraConfig{Address: "10.0.0.5"}); none != nil || err != nil || none.mismatch(at) != "" {
		t.Errorf("without a counter there is a check: %v, %v", none, err)
	}
}

// counts are frames with a count of 100 each, and from one on without.
type counts struct {
	device
	pool  *camera.Pool
	until uint64
	n     uint64
	began time.Time
}

func (c *counts) Lost() string { return "" }

func (c *counts) Next(context.Context) (*camera.Frame, error) {
	f := c.pool.Get()
	f.Fit(64, 16)
	f.ID, f.Device, f.Arrived = c.n, time.Duration(c.n+1)*10*time.Millisecond, c.began.Add(time.Duration(c.n)*10*time.Millisecond)
	f.Counter, f.Counted = int64(100*c.n), c.n < c.until
	c.n++
	return f, nil
}

func TestCameraThatStopsToSendCountsIsAnAlarmThatNamesIt(t *testing.T) {
	pool, err := camera.NewPool("top", 8, 64*16)
	if err != nil {
		t.Fatal(err)
	}
	c := &counts{pool: pool, until: 50, began: time.Now()}
	config := DefaultConfig()
	config.Encoder.Source = encoderChunk
	k, err := encoder.NewCounted(c, config.Encoder.track(), &encoder.Scale{})
	if err != nil {
		t.Fatal(err)
	}
	l := &live{a: &Appliance{cameras: []*eye{{id: "simulated"}, {id: "top", side: inspection.Top, device: c, counted: k}}}}
	if found := l.countedConditions(c.began); found != nil {
		t.Errorf("before the first frame: %v", found)
	}
	for range 48 {
		f, err := k.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
	}
	newest := c.began.Add(490 * time.Millisecond)
	if found := l.countedConditions(newest); found != nil {
		t.Errorf("while counts come: %v", found)
	}
	found := l.countedConditions(newest.Add(chunkSilent + 100*time.Millisecond))
	if len(found) != 1 || found[0].Code != "encoder_silent" || found[0].Values["reason"] != "camera top sends no encoder count with its frames" {
		t.Errorf("without counts: %v", found)
	}
	k.Close()
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}
