package store

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// queue remembers the order of what waits of the coils in the review queue, 8 bytes a defect. A coil that has ended
// changes by reviews alone, and to order two million defects anew for every page would take half a second.
type queue struct {
	mu    sync.Mutex
	coils map[int64]*queuedCoil
}

// coilVersion says of which state of a coil something is known.
type coilVersion struct {
	n        int64
	id       inspection.CoilID
	revision int
	grading  int64 // the newest
	old      bool  // only what decides the grade waits
}

type queuedCoil struct {
	coilVersion
	inspection.CoilQueue
	reviewed []inspection.DefectID // in order
	left     int                   // that nobody reviewed
	byReason map[inspection.QueueReason]int
}

// queueEntry is one that waits, among those of all coils.
type queueEntry struct {
	place int64
	id    inspection.DefectID
	w     inspection.Waiting
	coil  *queuedCoil
}

func (e queueEntry) compare(place int64, id inspection.DefectID) int {
	return cmp.Or(cmp.Compare(e.place, place), cmp.Compare(e.id, id))
}

// ReviewQueue reads one page of what waits for a person. A cursor that is none is *inspection.FieldError, a coil that is
// not known *inspection.NotFoundError, one that has not ended *inspection.ConflictError.
func (s *Store) ReviewQueue(ctx context.Context, q inspection.QueueQuery) (page inspection.QueuePage, err error) {
	after := []int64{-1, 0}
	if q.Cursor != "" {
		if after, err = decodeCursor(q.Cursor, 2); err != nil {
			return page, err
		}
	}
	limit := pageSize(q.Limit)
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	err = s.view(ctx, "reading the review queue", func(db querier) error {
		coils, err := s.queuedCoils(ctx, db, q.Coil)
		if err != nil {
			return err
		}
		page.ByReason = map[inspection.QueueReason]int{}
		for _, c := range coils {
			page.Waiting += c.left
			for r, n := range c.byReason {
				page.ByReason[r] += n
			}
		}
		next := firstOf(coils, q.Reason, after[0], inspection.DefectID(after[1]), limit+1)
		if len(next) > limit {
			next = next[:limit]
			page.NextCursor = encodeCursor(next[limit-1].place, int64(next[limit-1].id))
		}
		page.Items, err = queueItems(ctx, db, next)
		return err
	})
	return page, err
}

// firstOf gives the first n entries of all coils behind a place.
func firstOf(coils []*queuedCoil, reason inspection.QueueReason, place int64, id inspection.DefectID, n int) (out []queueEntry) {
	inOrder := func(a, b queueEntry) int { return a.compare(b.place, b.id) }
	last := int64(math.MaxInt64) // what comes behind it is not among the first
	for _, c := range coils {
		all, taken := c.Waiting, 0
		from := sort.Search(len(all), func(i int) bool {
			return queueEntry{place: all[i].Place(), id: c.ID(all[i])}.compare(place, id) > 0
		})
		for _, w := range all[from:] {
			e := queueEntry{w.Place(), c.ID(w), w, c}
			if taken == n || e.place > last {
				break
			}
			if _, done := slices.BinarySearch(c.reviewed, e.id); !done && w.Has(reason) {
				out = append(out, e)
				taken++
			}
		}
		if len(out) >= n {
			slices.SortFunc(out, inOrder)
			out = out[:n]
			last = out[n-1].place
		}
	}
	slices.SortFunc(out, inOrder)
	return out
}

const ended = `c.state IN ('closed', 'interrupted')`

// queuedCoils are the coils of which defects wait, or the one named, each as it is now.
func (s *Store) queuedCoils(ctx context.Context, q querier, only inspection.CoilID) (out []*queuedCoil, err error) {
	const version = `SELECT c.n, c.id, c.revision, coalesce((SELECT max(n) FROM gradings g WHERE g.coil = c.n), 0), `
	since := micros(s.options.Now().Add(-inspection.QueueDays * 24 * time.Hour))
	from := version + `0 FROM coils c WHERE ended_at >= ?1 AND ` + ended + `
		UNION ALL ` + version + `1 FROM coils c WHERE ended_at < ?1 AND grade IN ('hold', 'block') AND ` + ended + `
			AND NOT EXISTS (SELECT 1 FROM gradings g WHERE g.coil = c.n AND g.asked_by <> '')
			AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.coil = c.n AND d.disposition <> 'held' AND NOT d.pending
				AND d.n = (SELECT max(n) FROM decisions WHERE coil = c.n))`
	var arg any = since
	if only != "" {
		c, err := coilRow(ctx, q, only)
		if err != nil {
			return nil, err
		}
		if c.State != inspection.Closed && c.State != inspection.Interrupted {
			return nil, &inspection.ConflictError{Noun: "coil", ID: string(only), Reason: "is " + string(c.State) + "; its defects wait for a person from its end on"}
		}
		from, arg = version+`0 FROM coils c WHERE c.n = ?1`, c.n
	}
	var now []coilVersion
	err = eachRow(ctx, q, func(scan func(...any) error) error {
		var v coilVersion
		err := scan(&v.n, &v.id, &v.revision, &v.grading, &v.old)
		now = append(now, v)
		return err
	}, from, arg)
	if err != nil {
		return nil, err
	}
	kept := make(map[int64]*queuedCoil, len(now))
	for _, v := range now {
		c := s.queue.coils[v.n]
		if c == nil || c.grading != v.grading || c.old != v.old {
			if c, err = readQueue(ctx, q, v, s.options.ReviewBelow); err != nil {
				return nil, err
			}
		} else if c.revision != v.revision {
			if err := c.readReviewed(ctx, q, v.revision); err != nil {
				return nil, err
			}
		}
		kept[v.n] = c
		out = append(out, c)
	}
	if only != "" { // the others are wanted again; this one is kept where it is one of them
		if s.queue.coils[now[0].n] != nil {
			s.queue.coils[now[0].n] = out[0]
		}
		return out, nil
	}
	s.queue.coils = kept
	return out, nil
}

// readQueue orders the defects of a coil.
func readQueue(ctx context.Context, q querier, v coilVersion, below float32) (*queuedCoil, error) {
	c, err := coilRow(ctx, q, v.id)
	if err != nil {
		return nil, err
	}
	res, recipe, err := judgedBy(ctx, q, c)
	if err != nil {
		return nil, err
	}
	defects := make([]inspection.MapDefect, 0, c.Counts.Defects)
	if err := eachMapDefect(ctx, q, c.n, func(d inspection.MapDefect) { defects = append(defects, d) }); err != nil {
		return nil, err
	}
	out := &queuedCoil{coilVersion: v, CoilQueue: inspection.NewCoilQueue(c.Strip, defects, res, recipe, below)}
	if v.old {
		n := sort.Search(len(out.Waiting), func(i int) bool { return !out.Waiting[i].Has(inspection.DecidesGrade) })
		out.Waiting = slices.Clone(out.Waiting[:n])
	}
	return out, out.readReviewed(ctx, q, v.revision)
}

// judgedBy reads what a coil was graded by: the result that stands, and the recipe.
func judgedBy(ctx context.Context, q querier, c coil) (res inspection.InspectionResult, r inspection.Recipe, err error) {
	var result []byte
	if err = q.QueryRowContext(ctx, `SELECT coalesce(result, '{}') FROM coils WHERE n = ?`, c.n).Scan(&result); err != nil {
		return res, r, err
	}
	if err = json.Unmarshal(result, &res); err != nil {
		return res, r, err
	}
	r, err = readRecipe(ctx, q, c.RecipeName, c.RecipeVersion)
	return res, r, err
}

// readReviewed reads which defects of the coil people reviewed, and counts the others.
func (c *queuedCoil) readReviewed(ctx context.Context, q querier, revision int) (err error) {
	if c.reviewed, err = reviewedDefects(ctx, q, c.n); err != nil {
		return err
	}
	c.revision, c.left = revision, 0
	counts := make([]int, 1<<len(inspection.QueueReasons()))
	for _, w := range c.Waiting {
		if _, done := slices.BinarySearch(c.reviewed, c.ID(w)); !done {
			c.left++
			counts[int(w)&(len(counts)-1)]++
		}
	}
	c.byReason = map[inspection.QueueReason]int{}
	for set, n := range counts {
		if n > 0 {
			for _, r := range inspection.Waiting(set).Reasons() {
				c.byReason[r] += n
			}
		}
	}
	return nil
}

// queueItems reads the defects of a page with what their coils' grades rest on.
func queueItems(ctx context.Context, q querier, entries []queueEntry) ([]inspection.QueueItem, error) {
	items := make([]inspection.QueueItem, len(entries))
	at, ofCoil := map[inspection.DefectID]int{}, map[*queuedCoil][]any{}
	for i, e := range entries {
		at[e.id] = i
		items[i].Reasons, items[i].Rules, items[i].Worst = e.w.Reasons(), []inspection.DecidedRule{}, e.coil.Worst
		ofCoil[e.coil] = append(ofCoil[e.coil], int64(e.id))
	}
	for queued, ids := range ofCoil {
		c, err := coilRow(ctx, q, queued.id)
		if err != nil {
			return nil, err
		}
		res, recipe, err := judgedBy(ctx, q, c)
		if err != nil {
			return nil, err
		}
		best, err := bestGrade(ctx, q, c, recipe)
		if err != nil {
			return nil, err
		}
		defects, err := readDefects(ctx, q, c, clauses{[]string{"id IN (?" + strings.Repeat(", ?", len(ids)-1) + ")"}, ids}, len(ids))
		if err != nil {
			return nil, err
		}
		for _, d := range defects {
			item := &items[at[d.ID]]
			item.Defect, item.Grade, item.Best = d, c.Grade, best
			item.CanChange = inspection.CanChange(d, c.Strip, best, item.Worst, recipe)
			for _, o := range res.Trail {
				if o.Broken && slices.Contains(o.Defects, d.ID) {
					item.Rules = append(item.Rules, inspection.DecidedRule{Rule: o.Rule, Grade: o.Grade, Measured: o.Measured, Limit: o.Limit})
				}
			}
			size, _, err := pictureOf(ctx, q, c.n, d.ID)
			if err != nil {
				return nil, err
			}
			if size != (inspection.PictureSize{}) {
				item.Picture = &size
			}
		}
	}
	return items, nil
}

// bestGrade is the grade that a coil keeps whatever is said of what nobody reviewed yet.
func bestGrade(ctx context.Context, q querier, c coil, r inspection.Recipe) (inspection.Grade, error) {
	m := inspection.DefectMap{Strip: c.Strip}
	var err error
	if m.Gaps, err = readGaps(ctx, q, c.n); err != nil {
		return "", err
	}
	if c.Counts.Reviewed > 0 {
		where := clauses{[]string{"id IN (SELECT defect FROM standing_reviews WHERE coil = ?)"}, []any{c.n}}
		if m.Defects, err = readDefects(ctx, q, c, where, c.Counts.Reviewed); err != nil {
			return "", err
		}
	}
	return inspection.BestGrade(m, r), nil
}
