package bench

import (
	"math"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func TestLatenciesAreTakenOnce(t *testing.T) {
	var l latencies
	b := inspection.Batch{}
	for i := range 100 {
		b.Defects = append(b.Defects, inspection.Defect{Seen: time.Now().Add(-time.Duration(i+1) * time.Second / 20)})
	}
	b.Defects = append(b.Defects, inspection.Defect{Seen: time.Now().Add(-time.Hour)}, inspection.Defect{Seen: time.Now().Add(time.Hour)})
	l.Recorded(&b)
	p50, p99 := l.take()
	if math.Abs(p50-2550) > 60 || math.Abs(p99-5000) > 60 {
		t.Errorf("of 50 ms to 5 s the median is %g ms and the 99th percentile %g", p50, p99)
	}
	if p50, p99 = l.take(); p50 != 0 || p99 != 0 {
		t.Errorf("what was taken is there again: %g, %g", p50, p99)
	}
	if l.defects() != 102 {
		t.Errorf("%d defects in all; want 102", l.defects())
	}
}
