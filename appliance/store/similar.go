package store

import (
	"cmp"
	"container/heap"
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// similarAmong bounds how many of the newest pictures are compared: 0.02 s of one processor.
const similarAmong = 200_000

// bundleOf is the bundle in the name of what classified a coil, which what a plant taught follows: it changes verdicts, not
// what the model sees.
func bundleOf(model string) string {
	bundle, _, _ := strings.Cut(model, "+")
	return bundle
}

// Similar gives the defects of other coils whose pictures look most like that of a defect to the model that classified
// it, the most alike first, among the newest similarAmong. There are none where nothing is known of its picture.
func (s *Store) Similar(ctx context.Context, id inspection.DefectID, limit int) (out []inspection.Neighbour, err error) {
	err = s.view(ctx, "looking for similar defects", func(q querier) error {
		_, owner, err := defectRow(ctx, q, id)
		if err != nil {
			return err
		}
		_, look, err := pictureOf(ctx, q, owner.n, id)
		if err != nil || look == (inspection.Look{}) {
			return err
		}
		best, err := mostAlike(ctx, q, owner, look, limit)
		if err != nil {
			return err
		}
		for _, l := range best {
			d, _, err := defectRow(ctx, q, l.id)
			if err != nil {
				return err
			}
			out = append(out, inspection.Neighbour{Defect: d, Similarity: l.cosine})
		}
		return nil
	})
	return out, err
}

// alike is a defect with the cosine between its look and another.
type alike struct {
	id     inspection.DefectID
	cosine float64
}

// leastAlike is a heap with the least of those kept on top.
type leastAlike []alike

func (h leastAlike) Len() int           { return len(h) }
func (h leastAlike) Less(i, j int) bool { return h[i].cosine < h[j].cosine }
func (h leastAlike) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *leastAlike) Push(x any)        { *h = append(*h, x.(alike)) }
func (h *leastAlike) Pop() any          { panic("what is kept is only replaced") }

func mostAlike(ctx context.Context, q querier, owner coil, look inspection.Look, limit int) ([]alike, error) {
	// The pictures of another bundle are passed over unread; each is kilobytes behind its row.
	rows, err := q.QueryContext(ctx, `SELECT p.first, p.pictures FROM picture_parts p CROSS JOIN coils c ON c.n = p.coil
		WHERE p.coil <> ?1 AND substr(c.model || '+', 1, length(?2) + 1) = ?2 || '+' ORDER BY p.first DESC`, owner.n, bundleOf(owner.Model))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var best leastAlike
	length := math.Sqrt(float64(product(look[:], asBytes(look))))
	for seen := 0; seen < similarAmong && rows.Next(); {
		var (
			first int64
			part  sql.RawBytes
		)
		if err := rows.Scan(&first, &part); err != nil {
			return nil, err
		}
		for i := len(part)/pictureBytes - 1; i >= 0 && seen < similarAmong; i-- {
			seen++
			other := part[i*pictureBytes+8 : (i+1)*pictureBytes]
			dot := product(look[:], other)
			if dot <= 0 { // nothing known, or nothing alike
				continue
			}
			cosine := float64(dot) / (length * lengthOf(other))
			switch {
			case len(best) < limit:
				heap.Push(&best, alike{inspection.DefectID(first + int64(i)), cosine})
			case cosine > best[0].cosine:
				best[0] = alike{inspection.DefectID(first + int64(i)), cosine}
				heap.Fix(&best, 0)
			}
		}
	}
	slices.SortFunc(best, func(a, b alike) int { return cmp.Or(cmp.Compare(b.cosine, a.cosine), cmp.Compare(b.id, a.id)) })
	return best, rows.Err()
}

func asBytes(l inspection.Look) []byte {
	b := make([]byte, len(l))
	for i, v := range l {
		b[i] = byte(v)
	}
	return b
}

// product is the inner product of a look and another as it is recorded.
func product(a []int8, b []byte) int32 {
	var sum int32
	b = b[:len(a)]
	for i, v := range a {
		sum += int32(v) * int32(int8(b[i]))
	}
	return sum
}

func lengthOf(b []byte) float64 {
	var sum int32
	for _, v := range b {
		sum += int32(int8(v)) * int32(int8(v))
	}
	return math.Sqrt(float64(sum))
}

// Neighbours gives the defects of the same coil and side that lie nearest to a defect along the strip, at most within
// away from it, the nearest first.
func (s *Store) Neighbours(ctx context.Context, id inspection.DefectID, within inspection.MM, limit int) (out []inspection.Neighbour, err error) {
	err = s.view(ctx, "looking for neighbours", func(q querier) error {
		d, owner, err := defectRow(ctx, q, id)
		if err != nil {
			return err
		}
		middle := d.Rect.Along + d.Rect.Length/2
		var near []inspection.Neighbour
		err = eachMapDefect(ctx, q, owner.n, func(o inspection.MapDefect) {
			away := o.Rect.Along + o.Rect.Length/2 - middle
			if o.ID != id && o.Side == d.Side && away >= -within && away <= within {
				near = append(near, inspection.Neighbour{Defect: inspection.Defect{ID: o.ID}, Distance: away})
			}
		})
		if err != nil {
			return err
		}
		slices.SortFunc(near, func(a, b inspection.Neighbour) int {
			return cmp.Or(cmp.Compare(math.Abs(float64(a.Distance)), math.Abs(float64(b.Distance))), cmp.Compare(a.Defect.ID, b.Defect.ID))
		})
		out = near[:min(len(near), limit)]
		for i := range out {
			if out[i].Defect, _, err = defectRow(ctx, q, out[i].Defect.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
