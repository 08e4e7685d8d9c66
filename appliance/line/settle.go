package line

import (
	"math"
	"slices"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// settleTick is how often a silent camera's coils are looked after.
const settleTick = 50 * time.Millisecond

// settle takes the screened frames in order, waits for their verdicts, places the defects on the strip
// and accounts for every encoder count. It ends when every camera has: one that is gone must still let
// coils close.
func (c *cameraLine) settle() {
	tick := time.NewTicker(settleTick)
	defer tick.Stop()
	frames := c.settles
	var ended chan struct{} // looked at once this camera's frames are settled
	for {
		select {
		case <-ended:
			return
		case s, ok := <-frames:
			if !ok {
				c.merge.cutAll()
				frames, ended = nil, c.line.grabsEnded
				continue
			}
			c.settleFrame(s)
			c.idle <- s
		case now := <-tick.C:
			c.account.tick(now)
		}
	}
}

func (c *cameraLine) settleFrame(s *settling) {
	if s.seam || len(s.lost) > 0 {
		c.merge.cutAll()
	}
	for _, l := range s.lost {
		c.account.enter(l.span, l.state, l.cause)
	}
	if !s.hasFrame {
		return
	}
	s.pending.Wait()
	began := time.Now()
	defer func() { c.stats.busy(0, time.Since(began)) }()
	late := 0
	for _, p := range s.regions[:s.n] {
		if !p.ok {
			late++
			p.verdict = inspection.Classification{Class: inspection.Unclassified}
		}
	}
	if late > 0 && s.state == "" {
		s.state, s.cause = inspection.DetectedOnly, "regions were not classified in time"
	}
	c.view.edges.await(c.view.place, s.middle())
	if len(s.blind) > 0 && !c.view.alone() && c.view.edges.elsewhere(c.view.place, s.middle()) {
		s.blind = s.blind[:0] // what it did not see, its neighbours did
		if s.unseen {
			s.state, s.cause = "", ""
		}
	}
	coils := c.account.over(s.span)
	if s.uncoiled && s.state == "" && len(coils) > 0 {
		s.state, s.cause = inspection.DetectedOnly, "the strip was screened before its coil was started"
	}
	c.merge.frame(s, coils)
	for _, p := range s.regions[:s.n] {
		if p.crop != nil {
			c.crops <- p.crop
			p.crop = nil
		}
	}
	c.account.width(s)
	c.account.frame(s, len(coils) > 0)
	c.books.settle(s.state)
	c.stats.settledTo(s.span.To)
	c.stats.settled(time.Since(s.arrived))
}

// accounts knows, coil by coil, up to which encoder count a camera has told what became of the strip.
type accounts struct {
	camera *cameraLine
	coils  map[*coilRun]*account
	buf    []*coilRun
}

// account is one coil as one camera saw it.
type account struct {
	to     inspection.EncoderCount // everything from the head to here is accounted for
	passed bool                    // the recorder has been told that nothing more comes
	gap    *loss                   // open: it may still grow
	grew   bool                    // since the last tick
	sent   inspection.EncoderCount // progress the recorder has been told
	widths float64                 // mm times frames
	frames int
}

// longestOpenGap bounds how long a growing gap is kept back from the record.
const longestOpenGap = inspection.MM(5000)

func newAccounts(c *cameraLine) accounts {
	return accounts{camera: c, coils: map[*coilRun]*account{}}
}

func (a *accounts) of(r *coilRun) *account {
	k := a.coils[r]
	if k == nil {
		k = &account{to: r.head, sent: r.head}
		a.coils[r] = k
	}
	return k
}

// passed reports whether the recorder has been told that nothing more comes of a coil.
func (a *accounts) passed(r *coilRun) bool {
	k := a.coils[r]
	return k != nil && k.passed
}

// over lists the coils under a span.
func (a *accounts) over(s inspection.EncoderSpan) []*coilRun {
	a.buf = a.camera.line.tracker.over(a.buf[:0], s)
	return a.buf
}

// width enters the strip's width in a frame.
func (a *accounts) width(s *settling) {
	if !s.edges.Present {
		return
	}
	operator, drive, _ := a.camera.view.edges.at(s.middle())
	w := drive - operator
	a.camera.stats.width(w)
	for _, r := range a.over(s.span) {
		k := a.of(r)
		k.widths += float64(w)
		k.frames++
	}
}

// frame accounts for a screened frame: its unscreened lines are gaps of their own.
func (a *accounts) frame(s *settling, coiled bool) {
	at := s.span.From
	until := func(to inspection.EncoderCount) {
		if to > at {
			a.enter(inspection.EncoderSpan{From: at, To: to}, s.state, s.cause)
			if coiled && s.state == "" {
				a.camera.stats.inspected(to - at)
			}
			at = to
		}
	}
	for _, b := range s.blind {
		// A count that is screened only in part is not inspected.
		until(s.countAt(b.From, math.Floor))
		if to := s.countAt(b.To, math.Ceil); to > at {
			a.enter(inspection.EncoderSpan{From: at, To: to}, inspection.Incomplete, b.Cause)
			at = to
		}
	}
	until(s.span.To)
}

// middle is the encoder count of the frame's middle.
func (s *settling) middle() inspection.EncoderCount { return s.span.From + s.span.Len()/2 }

// countAt is the encoder count of a line of the frame.
func (s *settling) countAt(y int, round func(float64) float64) inspection.EncoderCount {
	return s.span.From + inspection.EncoderCount(round(float64(y)*float64(s.span.Len())/float64(s.lines)))
}

// enter accounts for a span of the encoder, in order. Strip of a coil that was skipped is unseen.
func (a *accounts) enter(span inspection.EncoderSpan, state inspection.GapState, cause string) {
	t := a.camera.line.tracker
	a.buf = t.all(a.buf[:0])
	for _, r := range a.buf {
		k := a.of(r)
		tail, _ := t.end(r)
		if k.passed || span.To <= r.head {
			continue
		}
		part := span.Intersect(inspection.EncoderSpan{From: r.head, To: tail})
		if skipped := min(span.From, tail); skipped > k.to {
			a.gap(r, k, loss{inspection.EncoderSpan{From: k.to, To: skipped}, inspection.Unseen, "no frame came from the camera"})
			k.to = skipped
		}
		if part.Len() > 0 {
			part.From = max(part.From, k.to)
			if state != "" && part.Len() > 0 {
				a.gap(r, k, loss{part, state, cause})
			}
			k.to = max(k.to, part.To)
			if state == "" {
				a.closeGap(r, k)
			}
		}
		if k.to >= tail {
			a.pass(r, k)
		} else {
			a.progress(r, k)
		}
	}
}

// tick passes coils that ended under a camera that fell silent, and tells the recorder of gaps that
// stopped growing.
func (a *accounts) tick(now time.Time) {
	t := a.camera.line.tracker
	a.buf = t.all(a.buf[:0])
	for _, r := range a.buf {
		k := a.of(r)
		if k.passed {
			continue
		}
		tail, finished := t.end(r)
		switch {
		case tail == openTail:
			if !k.grew {
				a.closeGap(r, k)
			}
			k.grew = false
			a.progress(r, k)
		case k.to >= tail:
			a.pass(r, k)
		case now.Sub(finished) > a.camera.line.opts.LostAfter && a.camera.books.read().InFlight == 0:
			a.rest(r, k, tail)
		}
	}
	for r := range a.coils { // forget coils that are closed
		if k := a.coils[r]; k.passed && !slices.Contains(a.buf, r) {
			delete(a.coils, r)
		}
	}
}

// finishAll accounts for the rest of every coil whose tail is known; the camera has ended.
func (a *accounts) finishAll() {
	t := a.camera.line.tracker
	a.camera.merge.cutAll()
	for _, r := range t.all(nil) {
		k := a.of(r)
		tail, _ := t.end(r)
		if k.passed {
			continue
		}
		if tail == openTail {
			a.closeGap(r, k)
			a.tell(r, k)
			continue
		}
		a.rest(r, k, tail)
	}
}

func (a *accounts) rest(r *coilRun, k *account, tail inspection.EncoderCount) {
	if k.to < tail {
		a.gap(r, k, loss{inspection.EncoderSpan{From: k.to, To: tail}, inspection.Unseen, "no frame came from the camera"})
		k.to = tail
	}
	a.pass(r, k)
}

func (a *accounts) gap(r *coilRun, k *account, l loss) {
	if g := k.gap; g != nil {
		if g.state == l.state && g.cause == l.cause && g.span.To == l.span.From &&
			a.camera.Locator.Length(g.span.Len()) < longestOpenGap {
			g.span.To, k.grew = l.span.To, true
			return
		}
		a.closeGap(r, k)
	}
	k.gap, k.grew = &l, true
}

func (a *accounts) closeGap(r *coilRun, k *account) {
	g := k.gap
	if g == nil {
		return
	}
	k.gap = nil
	a.camera.line.rec.queue <- entry{coil: r, camera: a.camera.index, gaps: []inspection.Gap{{
		Side: a.camera.Side, Camera: a.camera.ID,
		From: a.camera.Locator.Length(g.span.From - r.head), To: a.camera.Locator.Length(g.span.To - r.head),
		State: g.state, Cause: g.cause,
	}}}
}

// progress tells the recorder how far the record is complete, where it is not behind: the next tick tells it again.
func (a *accounts) progress(r *coilRun, k *account) {
	if q := a.camera.line.rec.queue; len(q) <= cap(q)/2 {
		a.tell(r, k)
	}
}

// tell is progress whatever the recorder does: never past a gap or a defect that is still held back.
func (a *accounts) tell(r *coilRun, k *account) {
	to := k.to
	if k.gap != nil {
		to = min(to, k.gap.span.From)
	}
	to = min(to, a.camera.merge.oldest(r))
	if to > k.sent {
		k.sent = to
		a.camera.line.rec.queue <- k.entry(a.camera, r, to)
	}
}

func (k *account) entry(c *cameraLine, r *coilRun, to inspection.EncoderCount) entry {
	e := entry{coil: r, camera: c.index, progress: c.Locator.Length(to - r.head)}
	if k.frames > 0 {
		e.width = inspection.MM(k.widths / float64(k.frames))
	}
	return e
}

func (a *accounts) pass(r *coilRun, k *account) {
	a.camera.merge.cut(r)
	a.closeGap(r, k)
	tail, _ := a.camera.line.tracker.end(r)
	e := k.entry(a.camera, r, tail)
	e.passed = true
	k.passed = true
	a.camera.line.rec.queue <- e
}
