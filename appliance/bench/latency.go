package bench

import (
	"sync"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// latencyStep is how finely latencies are told apart, latencySteps how many steps there are: 10 s.
const (
	latencyStep  = 100 * time.Microsecond
	latencySteps = 100_000
)

// latencies watches defects become durable. What it holds does not grow.
type latencies struct {
	mu     sync.Mutex
	counts [latencySteps]uint32
	n      int // since the last take
	total  int
}

// Recorded implements line.Observer.
func (l *latencies) Recorded(b *inspection.Batch) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range b.Defects {
		l.counts[min(max(0, int(now.Sub(d.Seen)/latencyStep)), latencySteps-1)]++
	}
	l.n, l.total = l.n+len(b.Defects), l.total+len(b.Defects)
}

// take gives the median and the 99th percentile in ms since the last call, and forgets what they are of.
// Without a defect both are 0.
func (l *latencies) take() (p50, p99 float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := 0
	for i, c := range l.counts {
		for _, q := range []struct {
			to    *float64
			above int
		}{{&p50, l.n / 2}, {&p99, l.n * 99 / 100}} {
			if seen <= q.above && q.above < seen+int(c) {
				*q.to = float64(i) * latencyStep.Seconds() * 1000
			}
		}
		seen += int(c)
	}
	l.counts, l.n = [latencySteps]uint32{}, 0
	return p50, p99
}

// defects is how many there were in all.
func (l *latencies) defects() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

func (*latencies) CoilChanged(inspection.Coil)                                                 {}
func (*latencies) RecordFailing(error)                                                         {}
func (*latencies) Screened(inspection.CameraID, inspection.EncoderSpan, *inspection.Screening) {}
