package camera_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/coilsight/coilsight/camera"
)

func TestPoolLendsEachBufferOnceAndTakesItBack(t *testing.T) {
	p, err := camera.NewPool("top", 2, 100)
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.Get(), p.Get()
	if a == nil || b == nil || p.Get() != nil {
		t.Fatal("a pool of two must lend two frames and no third")
	}
	if !a.Fit(10, 10) || !b.Fit(10, 10) || a.Fit(11, 10) {
		t.Fatal("100 bytes hold 10 x 10 pixels and not 11 x 10")
	}
	a.Image.Pix[99], b.Image.Pix[0] = 7, 9
	if a.Image.Pix[99] != 7 || b.Image.Pix[0] != 9 {
		t.Error("two frames share pixels")
	}
	a.Retain()
	a.Release()
	if p.Lent() != 2 {
		t.Error("a retained frame came back with its first release")
	}
	if err := p.Close(); err == nil || !strings.Contains(err.Error(), "2 of its 2 frames are lent") {
		t.Errorf("close while lent: %v", err)
	}
	a.Release()
	b.Release()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestReleasingTwiceIsABugThatShows(t *testing.T) {
	p, err := camera.NewPool("top", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	f := p.Get()
	f.Release()
	defer func() {
		if recover() == nil {
			t.Error("the second release went unnoticed")
		}
	}()
	f.Release()
}

func TestWaitEndsWithItsContext(t *testing.T) {
	p, err := camera.NewPool("top", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	f := p.Get()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Wait(ctx); err == nil {
		t.Error("an ended context still got a frame")
	}
	f.Release()
	if g, err := p.Wait(context.Background()); err != nil || g == nil {
		t.Errorf("a free frame was not lent: %v", err)
	}
}

func TestPoolSharedByManyKeepsItsCount(t *testing.T) {
	p, err := camera.NewPool("top", 4, 16)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				if f := p.Get(); f != nil {
					f.Fit(4, 4)
					f.Image.Pix[0]++
					f.Release()
				}
			}
		})
	}
	wg.Wait()
	if p.Lent() != 0 {
		t.Errorf("%d frames are still lent", p.Lent())
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkPool(b *testing.B) {
	p, err := camera.NewPool("top", 8, 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Get().Release()
	}
}
