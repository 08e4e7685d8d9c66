package line

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// entry is one thing for the record, from the settle stage of one camera. Those of a camera arrive in
// the order of the strip.
type entry struct {
	coil     *coilRun
	camera   int
	defect   *inspection.Defect
	image    *inspection.Crop
	shared   bool // a neighbour of the camera may have seen the defect too
	gaps     []inspection.Gap
	progress inspection.MM
	width    inspection.MM
	passed   bool
}

// recorder writes the entries of all cameras in transactions of FlushEvery, and closes coils.
type recorder struct {
	line  *Line
	queue chan entry
	coils map[*coilRun]*coilRecord
	busy  atomic.Int64 // nanoseconds
}

type coilRecord struct {
	batch    inspection.Batch
	recorded inspection.DefectMap  // all that is durable of the coil: what it is graded by
	progress []inspection.Progress // by camera, newest
	over     []bool                // by camera: nothing more comes of it
	join     joiner
	rolls    RollWatch // nil: nobody looks
	moved    bool
	moves    time.Time // when progress alone was written last
}

const (
	// fullBatch is written at once: one transaction stays within a few ten milliseconds.
	fullBatch = 2000
	// progressEvery bounds how old the durable progress of a flawless coil may be.
	progressEvery = 500 * time.Millisecond
	// A failing record is tried again every retryEvery, after a stop at most lastTries times.
	retryEvery = 500 * time.Millisecond
	lastTries  = 6
)

func newRecorder(l *Line) *recorder {
	return &recorder{line: l, queue: make(chan entry, recordBacklog), coils: map[*coilRun]*coilRecord{}}
}

// run records until the queue is closed and empty. After an error it only empties the queue, so that the
// stages before it can end.
func (r *recorder) run(ctx context.Context) error {
	err := r.record(ctx)
	if err != nil {
		for range r.queue { //nolint:revive // nothing can be done with what is left
		}
	}
	return err
}

func (r *recorder) record(ctx context.Context) error {
	tick := time.NewTicker(r.line.opts.FlushEvery)
	defer tick.Stop()
	for {
		select {
		case e, ok := <-r.queue:
			if !ok {
				return r.end(ctx)
			}
			if err := r.work(func() error { return r.enter(ctx, e) }); err != nil {
				return err
			}
		case <-tick.C:
			if err := r.work(func() error { return r.flushAll(ctx) }); err != nil {
				return err
			}
		}
	}
}

// work adds to busy what f takes.
func (r *recorder) work(f func() error) error {
	began := time.Now()
	defer func() { r.busy.Add(int64(time.Since(began))) }()
	return f()
}

// flushAll writes what was gathered, and with it what came while the last transaction was written: however slow the disk,
// the next transaction takes all that waits.
func (r *recorder) flushAll(ctx context.Context) error {
	for range len(r.queue) {
		e, ok := <-r.queue
		if !ok {
			break // the end is seen again where the queue is read next
		}
		if err := r.enter(ctx, e); err != nil {
			return err
		}
	}
	for c := range r.coils {
		if err := r.flush(ctx, c, false); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) end(ctx context.Context) error {
	for c, k := range r.coils {
		k.join.release(func(int) inspection.MM { return math.MaxFloat64 }, k.add)
		if err := r.flush(ctx, c, true); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) enter(ctx context.Context, e entry) error {
	k := r.coils[e.coil]
	if k == nil {
		n := len(r.line.cameras)
		k = &coilRecord{
			progress: make([]inspection.Progress, n), over: make([]bool, n), batch: inspection.Batch{Coil: e.coil.id},
			join: joiner{cameras: r.line.cameras},
		}
		for i, c := range r.line.cameras {
			k.progress[i].Side = c.Side
		}
		if r.line.opts.Rolls != nil {
			k.rolls = r.line.opts.Rolls()
		}
		r.coils[e.coil] = k
	}
	switch {
	case e.defect == nil:
	case e.shared:
		k.join.hold(e)
	default:
		k.add(e)
	}
	k.batch.Gaps = append(k.batch.Gaps, e.gaps...)
	if p := &k.progress[e.camera]; e.progress > p.To {
		p.To, p.Width = e.progress, e.width
		k.moved = true
	}
	k.over[e.camera] = k.over[e.camera] || e.passed
	if len(k.join.held) > 0 {
		k.join.release(k.told, k.add)
	}
	switch {
	case !slices.Contains(k.over, false):
		return r.closeCoil(ctx, e.coil)
	case len(k.batch.Defects) >= fullBatch:
		return r.flush(ctx, e.coil, false)
	}
	return nil
}

// add takes a defect into the next transaction.
func (k *coilRecord) add(e entry) {
	k.batch.Defects = append(k.batch.Defects, *e.defect)
	k.batch.Images = append(k.batch.Images, e.image)
}

// watchRolls shows the defects of the batch to the watch; what they changed is recorded with them.
func (k *coilRecord) watchRolls() {
	if k.rolls == nil {
		return
	}
	changed := false
	for i := range k.batch.Defects {
		changed = k.rolls.Add(&k.batch.Defects[i]) || changed
	}
	if changed {
		k.batch.RollMarks = k.rolls.Findings()
	}
}

// told is how far a camera has told all that it has of the coil.
func (k *coilRecord) told(camera int) inspection.MM {
	if k.over[camera] {
		return math.MaxFloat64
	}
	return k.progress[camera].To
}

// bySide appends how far the record of each side is complete: as far as that of all its cameras, and not past a defect
// that is held back.
func (k *coilRecord) bySide(dst []inspection.Progress) []inspection.Progress {
	for i, p := range k.progress {
		if at, held := k.join.oldest(i); held {
			p.To = min(p.To, at)
		}
		j := slices.IndexFunc(dst, func(q inspection.Progress) bool { return q.Side == p.Side })
		if j < 0 {
			dst = append(dst, p)
			continue
		}
		dst[j].To, dst[j].Width = min(dst[j].To, p.To), max(dst[j].Width, p.Width)
	}
	return dst
}

// flush makes what a coil has gathered durable. Progress alone waits for progressEvery, unless now.
func (r *recorder) flush(ctx context.Context, c *coilRun, now bool) error {
	k := r.coils[c]
	b := &k.batch
	if len(b.Defects) == 0 && len(b.Gaps) == 0 {
		if !k.moved || (!now && time.Since(k.moves) < progressEvery) {
			return nil
		}
	}
	b.Progress = k.bySide(b.Progress[:0])
	k.watchRolls()
	if err := r.persist("defects of coil "+string(c.id), func(try int) error {
		if try > 0 { // the disk may be full: pictures go before records
			b.Images = nil
		}
		return r.line.opts.Log.Append(ctx, b)
	}); err != nil {
		return err
	}
	k.moved, k.moves = false, time.Now()
	k.recorded.Defects = append(k.recorded.Defects, b.Defects...)
	k.recorded.Gaps = append(k.recorded.Gaps, b.Gaps...)
	r.line.opts.Observer.Recorded(b)
	k.batch = inspection.Batch{Coil: c.id}
	return nil
}

// persist tries until it succeeds. Meanwhile the queues fill, and what cannot be taken becomes a gap:
// nothing that was settled is dropped.
func (r *recorder) persist(what string, write func(try int) error) error {
	for try := 0; ; try++ {
		err := write(try)
		var conflict *inspection.ConflictError
		if errors.As(err, &conflict) {
			// The coil was closed meanwhile; trying again would hold up all others.
			r.line.opts.Logger.Error("record refused", "what", what, "error", err)
			return nil
		}
		if err == nil {
			if try > 0 {
				r.line.opts.Observer.RecordFailing(nil)
			}
			return nil
		}
		r.line.opts.Observer.RecordFailing(err)
		r.line.opts.Logger.Error("record failing", "what", what, "try", try+1, "error", err)
		if try >= lastTries && r.line.mayGiveUp() {
			return fmt.Errorf("%s could not be recorded: %w", what, err)
		}
		time.Sleep(retryEvery)
	}
}

func (r *recorder) closeCoil(ctx context.Context, c *coilRun) error {
	if err := r.flush(ctx, c, true); err != nil {
		return err
	}
	k := r.coils[c]
	tail, _ := r.line.tracker.end(c)
	strip := inspection.Strip{Coil: c.id, Length: r.line.cameras[0].Locator.Length(tail - c.head)}
	for _, side := range inspection.Sides() {
		if slices.ContainsFunc(r.line.cameras, func(k *cameraLine) bool { return k.Side == side }) {
			strip.Sides = append(strip.Sides, side)
		}
	}
	measured := 0
	for _, p := range k.progress {
		if p.Width > 0 {
			strip.Width += p.Width
			measured++
		}
	}
	if measured > 0 {
		strip.Width /= inspection.MM(measured)
	}
	k.recorded.Strip = strip
	result := inspection.GradeMap(k.recorded, c.recipe)
	var closed inspection.Coil
	if err := r.persist("result of coil "+string(c.id), func(int) error {
		var err error
		closed, err = r.line.opts.Log.CloseCoil(ctx, c.id, strip, result, time.Now().UTC())
		return err
	}); err != nil {
		return err
	}
	delete(r.coils, c)
	r.line.tracker.close(c)
	r.line.opts.Observer.CoilChanged(closed)
	return nil
}
