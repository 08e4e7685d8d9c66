package inference

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Request asks for the class of one crop. The sender owns it and may use it again once Done was called.
type Request struct {
	// Crop holds CropSize x CropSize pixels and must not change before Done is called.
	Crop []byte
	// Deadline is when the verdict is worth nothing any more; zero: never.
	Deadline time.Time
	// Done is called exactly once for an accepted request, from a worker of the batcher, and must not
	// block: other crops wait behind it. ok is false where there is no verdict: the request was too old,
	// the model failed, or the batcher stopped.
	Done func(verdict inspection.Classification, ok bool)
}

// BatchOptions bounds a batcher. Zero values stand for the defaults.
type BatchOptions struct {
	MaxBatch int           // crops in a batch; 0: what the classifier holds
	MaxWait  time.Duration // a batch starts at the latest this long after its first crop; 0: 3 ms
	Queue    int           // requests that may wait; 0: 512
	// Failed is told of each batch the model could not run, from a worker; nil: nobody is.
	Failed func(error)
}

const (
	defaultMaxWait = 3 * time.Millisecond
	// defaultQueue holds the worst burst, 200 events/s on both sides with each cut off for a second. At
	// 5,000 crops/s it is worked off in 0.1 s.
	defaultQueue = 512
)

// BatchStats counts what became of the requests. Submitted is the sum of the others once all is done.
type BatchStats struct {
	Submitted  uint64 `json:"submitted"`
	Classified uint64 `json:"classified"`
	Expired    uint64 `json:"expired"` // older than their deadline, or left when the batcher stopped
	Failed     uint64 `json:"failed"`  // the model could not run
	Refused    uint64 `json:"refused"` // not accepted: the queue was full; not in Submitted
	Batches    uint64 `json:"batches"`
	// Busy is how long a slot of the model has worked, the mean over the slots.
	Busy time.Duration `json:"busy_ns"`
}

// batchClassifier is what a Batcher needs of a Classifier.
type batchClassifier interface {
	ClassifyBatch(dst []inspection.Classification, crops [][]byte) ([]inspection.Classification, error)
	Slots() int
	MaxBatch() int
}

// Batcher gathers single crops into batches. It never blocks a sender.
type Batcher struct {
	classifier batchClassifier
	o          BatchOptions
	queue      chan *Request
	gather     chan struct{} // one token: whoever holds it takes from the queue

	mu      sync.Mutex // between Submit and the end of Run
	stopped bool

	submitted, classified, expired, failed, refused, batches atomic.Uint64
	busy                                                     atomic.Int64 // nanoseconds, all slots together
}

// NewBatcher makes a batcher over a classifier, which it does not close.
func NewBatcher(c batchClassifier, o BatchOptions) (*Batcher, error) {
	if o.MaxBatch == 0 {
		o.MaxBatch = c.MaxBatch()
	}
	if o.MaxWait == 0 {
		o.MaxWait = defaultMaxWait
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	switch {
	case o.MaxBatch < 1 || o.MaxBatch > c.MaxBatch():
		return nil, fmt.Errorf("batcher: a batch of %d crops is not possible; allowed are 1 to %d", o.MaxBatch, c.MaxBatch())
	case o.MaxWait < 0 || o.MaxWait > time.Second:
		return nil, fmt.Errorf("batcher: a wait of %s is not possible; allowed are 0 to 1 s", o.MaxWait)
	case o.Queue < o.MaxBatch:
		return nil, fmt.Errorf("batcher: a queue of %d requests is not possible; it must hold a batch of %d", o.Queue, o.MaxBatch)
	}
	b := &Batcher{classifier: c, o: o, queue: make(chan *Request, o.Queue), gather: make(chan struct{}, 1)}
	b.gather <- struct{}{}
	return b, nil
}

// Submit hands a request over. It never blocks and reports false where the queue is full or the batcher
// has stopped; Done is then not called.
func (b *Batcher) Submit(r *Request) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		b.refused.Add(1)
		return false
	}
	select {
	case b.queue <- r:
		b.submitted.Add(1)
		return true
	default:
		b.refused.Add(1)
		return false
	}
}

// Stats counts the requests so far.
func (b *Batcher) Stats() BatchStats {
	return BatchStats{
		Submitted: b.submitted.Load(), Classified: b.classified.Load(), Expired: b.expired.Load(),
		Failed: b.failed.Load(), Refused: b.refused.Load(), Batches: b.batches.Load(),
		Busy: time.Duration(b.busy.Load() / int64(max(1, b.classifier.Slots()))),
	}
}

// Run classifies until ctx ends, with one worker for each slot of the classifier. Requests that still
// wait then are answered without a verdict. It returns nil.
func (b *Batcher) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	for range b.classifier.Slots() {
		workers.Go(func() { b.work(ctx) })
	}
	workers.Wait()
	b.mu.Lock()
	b.stopped = true
	b.mu.Unlock()
	for {
		select {
		case r := <-b.queue:
			b.expired.Add(1)
			r.Done(unclassified(), false)
		default:
			return nil
		}
	}
}

func unclassified() inspection.Classification {
	return inspection.Classification{Class: inspection.Unclassified}
}

func (b *Batcher) work(ctx context.Context) {
	var (
		batch    = make([]*Request, 0, b.o.MaxBatch)
		crops    = make([][]byte, 0, b.o.MaxBatch)
		verdicts = make([]inspection.Classification, 0, b.o.MaxBatch)
		timer    = time.NewTimer(time.Hour)
	)
	defer timer.Stop()
	for {
		// One worker gathers at a time: two would split a thin stream into half batches.
		select {
		case <-b.gather:
		case <-ctx.Done():
			return
		}
		batch = b.take(ctx, batch[:0], timer)
		b.gather <- struct{}{}
		if len(batch) == 0 {
			return
		}
		batch, crops = b.drop(batch, crops[:0])
		if len(batch) > 0 {
			verdicts = b.classify(batch, crops, verdicts[:0])
			// Whom a verdict woke runs now, in about 0.05 ms. Else it waits in the middle of the next batch until the
			// runtime takes this worker's processor away, 1 to 2 ms later.
			runtime.Gosched()
		}
	}
}

// take waits for a request and gathers those that follow, until the batch is full or the first has waited
// long enough. It returns none when ctx ends.
func (b *Batcher) take(ctx context.Context, batch []*Request, timer *time.Timer) []*Request {
	if ctx.Err() != nil { // a select between this and a waiting request would toss a coin
		return batch
	}
	select {
	case r := <-b.queue:
		batch = append(batch, r)
	case <-ctx.Done():
		return batch
	}
	timer.Reset(b.o.MaxWait)
	for len(batch) < b.o.MaxBatch {
		select {
		case r := <-b.queue:
			batch = append(batch, r)
		case <-timer.C:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

// drop answers the requests that are too old and returns the others with their crops.
func (b *Batcher) drop(batch []*Request, crops [][]byte) ([]*Request, [][]byte) {
	now, kept := time.Now(), batch[:0]
	for _, r := range batch {
		if !r.Deadline.IsZero() && now.After(r.Deadline) {
			b.expired.Add(1)
			r.Done(unclassified(), false)
			continue
		}
		kept, crops = append(kept, r), append(crops, r.Crop)
	}
	return kept, crops
}

func (b *Batcher) classify(batch []*Request, crops [][]byte, verdicts []inspection.Classification) []inspection.Classification {
	began := time.Now()
	verdicts, err := b.classifier.ClassifyBatch(verdicts, crops)
	b.busy.Add(int64(time.Since(began)))
	b.batches.Add(1)
	if err != nil {
		b.failed.Add(uint64(len(batch)))
		if b.o.Failed != nil {
			b.o.Failed(err)
		}
		for _, r := range batch {
			r.Done(unclassified(), false)
		}
		return verdicts
	}
	b.classified.Add(uint64(len(batch)))
	for i, r := range batch {
		r.Done(verdicts[i], true)
	}
	return verdicts
}
