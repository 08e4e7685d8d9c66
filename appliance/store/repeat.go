package store

import (
	"context"

	"github.com/coilsight/coilsight/inspection"
)

// mostRepeats bounds the answer of Repeats: a roll of 500 mm leaves as many marks on 800 m.
const mostRepeats = 500

// Repeats gives the defects of the same coil that repeat with one along the strip, itself among them, in order along the strip; none
// where it does not repeat.
func (s *Store) Repeats(ctx context.Context, id inspection.DefectID) (out []inspection.Defect, err error) {
	err = s.view(ctx, "looking for repeats", func(q querier) error {
		_, owner, err := defectRow(ctx, q, id)
		if err != nil {
			return err
		}
		var all []inspection.MapDefect
		if err := eachMapDefect(ctx, q, owner.n, func(d inspection.MapDefect) { all = append(all, d) }); err != nil {
			return err
		}
		ids := inspection.RepeatsOf(all, id)
		for _, n := range ids[:min(len(ids), mostRepeats)] {
			d, _, err := defectRow(ctx, q, n)
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}
