package genicam_test

import (
	"context"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/genicam"
	"github.com/coilsight/coilsight/camera/genicam/fake"
)

func TestCameraThatComesBackResumesWithItsSettingsAndAGap(t *testing.T) {
	times := []time.Duration{1500 * time.Millisecond}
	if !testing.Short() {
		times = append(times, 0)
	}
	for _, away := range times {
		t.Run(away.String(), func(t *testing.T) {
			c := start(t, first, "R1", 0)
			s := open(t, genicam.Options{Camera: "top", Address: "R1", Features: plain(100)})
			var id uint64
			for range 50 {
				f := next(t, s)
				id = f.ID
				f.Release()
			}
			c.Kill()
			died := time.Now()
			// What had arrived is still handed on; after that Next waits.
			for waiting := true; waiting; {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				f, err := s.Next(ctx)
				cancel()
				if waiting = err == nil; waiting {
					id = f.ID
					f.Release()
				}
			}
			if away > 0 {
				time.Sleep(time.Until(died.Add(away)))
				st := s.State()
				if st.Streaming || st.Reason == "" || time.Since(st.Since) > away {
					t.Errorf("state %+v", st)
				}
				t.Logf("state while it is away: %s", st.Reason)
			}
			back, err := fake.Start(first, "R1", 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(back.Kill)
			returned := time.Now()
			f := next(t, s)
			defer f.Release()
			took := time.Since(returned)
			t.Logf("away %v, resumed %v after its return, ids %d to %d", returned.Sub(died).Round(time.Millisecond), took.Round(time.Millisecond), id, f.ID)
			if took > 5*time.Second {
				t.Errorf("it resumed after %v", took)
			}
			missed := float64(f.ID - id - 1)
			if want := time.Since(died).Seconds() * 100; missed < 0.5*want || missed > 1.5*want {
				t.Errorf("%g frames are missing after %v at 100 a second", missed, time.Since(died))
			}
			if f.Image.Width != 512 || f.Image.Height != 256 || f.Status != camera.Complete {
				t.Errorf("frame %d: %v %s", f.ID, f.Status, f.Cause)
			}
			ramp(t, f.Image) // the exposure is set again, or the gain would not be one
			st := s.Stats()
			if st.Reconnects != 1 || st.Lost != f.ID-id-1 {
				t.Errorf("stats %+v", st)
			}
			if !s.State().Streaming {
				t.Errorf("state %+v", s.State())
			}
			g := next(t, s)
			defer g.Release()
			continues(t, g, f.ID+1, 256)
		})
	}
}

func TestAnotherCameraInItsPlaceIsNotTaken(t *testing.T) {
	c := start(t, first, "P1", 0)
	s := open(t, genicam.Options{Camera: "top", Address: first, Features: plain(100)})
	next(t, s).Release()
	c.Kill()
	other := start(t, first, "P2", 0)
	want := "Aravis-Fake-P2 at 127.0.0.1 is in the place of Aravis-Fake-P1"
	for end := time.Now().Add(5 * time.Second); s.State().Reason != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("state %+v", s.State())
		}
	}
	other.Kill()
	start(t, first, "P1", 0)
	for s.Stats().Reconnects == 0 {
		next(t, s).Release()
	}
}

func TestSourceClosesWhileItsCameraIsAway(t *testing.T) {
	c := start(t, first, "K1", 0)
	s, err := genicam.Open(t.Context(), genicam.Options{Camera: "top", Address: first, Features: plain(100)})
	if err != nil {
		t.Fatal(err)
	}
	next(t, s).Release()
	c.Kill()
	for s.State().Streaming {
		time.Sleep(10 * time.Millisecond)
	}
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("closed in %v", time.Since(began).Round(time.Millisecond))
}

// TestCameraOfAnotherHostIsRefused lets another program, Aravis's own test tool, hold the camera.
func TestCameraOfAnotherHostIsRefused(t *testing.T) {
	start(t, first, "H1", 0)
	other := exec.CommandContext(t.Context(), "arv-camera-test-0.8", "--name", "Aravis-Fake-H1", "--frequency", "10")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = other.Process.Kill()
		_ = other.Wait()
	}()
	time.Sleep(2500 * time.Millisecond) // it seeks its camera for a second
	s, err := genicam.Open(t.Context(), genicam.Options{Camera: "top", Address: first, Features: plain(50)})
	if err == nil {
		_ = s.Close()
		t.Fatal("two programs control one camera")
	}
	if want := "camera top: Aravis-Fake-H1 at 127.0.0.1 is held by another program or host"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("it says %q; want %q", err, want)
	}
}

// TestNothingLeaks opens and closes, loses and finds cameras, and looks at what is left.
func TestNothingLeaks(t *testing.T) {
	start(t, first, "M1", 0)
	cycle := func() {
		s, err := genicam.Open(t.Context(), genicam.Options{Camera: "top", Address: first, Features: plain(100)})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			next(t, s).Release()
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := genicam.Open(t.Context(), genicam.Options{Camera: "top", Address: first, Features: []genicam.Feature{{Name: "Width", Value: 0}}}); err == nil {
			t.Fatal("a width of 0 was allowed")
		}
	}
	for range 3 {
		cycle()
	}
	runtime.GC()
	fds, rss := descriptors(t), resident(t)
	n := 20
	if testing.Short() {
		n = 5
	}
	for range n {
		cycle()
	}
	runtime.GC()
	if now := descriptors(t); now > fds {
		t.Errorf("%d descriptors are open after %d cycles; %d were before", now, n, fds)
	}
	grown := resident(t) - rss
	if grown > 8<<20 {
		t.Errorf("%d cycles took %d MiB", n, grown>>20)
	}
	t.Logf("%d cycles: %d descriptors, %+.1f MiB", n, descriptors(t), float64(grown)/(1<<20))
}

// TestSoak streams with loss from time to time; its length is COILSIGHT_SOAK (a Go duration), 5 s without.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("streams for seconds")
	}
	length := 5 * time.Second
	if v := soakLength(t); v != 0 {
		length = v
	}
	c := start(t, first, "Z1", 1)
	s := open(t, genicam.Options{Camera: "top", Address: first, Features: plain(100), NoResend: true})
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var frames, id uint64
	var fds int
	var rss int64
	restart := time.Now().Add(20 * time.Second)
	for {
		f, err := s.Next(ctx)
		if err != nil {
			break
		}
		if frames > 0 && f.ID <= id {
			t.Fatalf("frame %d after %d", f.ID, id)
		}
		id = f.ID
		if frames++; frames == 200 {
			fds, rss = descriptors(t), resident(t)
		}
		f.Release()
		if time.Now().After(restart) {
			c.Kill()
			if c, err = fake.Start(first, "Z1", 1); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Kill)
			restart = time.Now().Add(20 * time.Second)
		}
	}
	st := s.Stats()
	grown := resident(t) - rss
	t.Logf("%v: %d frames, last id %d, %+v, descriptors %d -> %d, memory %+.1f MiB", length, frames, id, st, fds, descriptors(t), float64(grown)/(1<<20))
	if descriptors(t) > fds+2 || grown > 16<<20 {
		t.Error("it leaks")
	}
	if st.Completed == 0 || st.Completed+st.Incomplete+st.Lost < id {
		t.Errorf("%d frames of %d are accounted for", st.Completed+st.Incomplete+st.Lost, id+1)
	}
}
