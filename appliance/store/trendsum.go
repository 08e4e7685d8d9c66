package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// What trends need of a coil is kept in one row a side from its end on, so that a month of coils is some thousand rows and
// not some million defects. The sums are of the model's answers and never change; reviews, which are few, are taken in when
// the trends are read.
//
// The packed sums hold for each class: the length of its name and the name; the number of defects; those along in
// inspection.TrendBins bins, and those across. All numbers are uvarints.

func packSums(b []byte, classes []inspection.ClassSums) []byte {
	for i := range classes {
		c := &classes[i]
		b = append(binary.AppendUvarint(b, uint64(len(c.Class))), c.Class...)
		b = binary.AppendUvarint(b, uint64(c.Defects))
		for _, bins := range [...]*[inspection.TrendBins]int{&c.Along, &c.Across} {
			for _, n := range bins {
				b = binary.AppendUvarint(b, uint64(n))
			}
		}
	}
	return b
}

var errSums = errors.New("the sums for trends are cut short")

// unpackSums appends packed sums. Names are taken from those seen before, where they are there.
func unpackSums(b []byte, to []inspection.ClassSums, names map[string]inspection.DefectClass) ([]inspection.ClassSums, error) {
	short := false
	next := func() int {
		n, used := binary.Uvarint(b)
		if used <= 0 {
			short = true
			return 0
		}
		b = b[used:]
		return int(n)
	}
	for len(b) > 0 {
		n := next()
		if short || n > len(b) {
			return to, errSums
		}
		class, ok := names[string(b[:n])]
		if !ok {
			class = inspection.DefectClass(b[:n])
			names[string(class)] = class
		}
		b = b[n:]
		c := inspection.ClassSums{Class: class, Defects: next()}
		for _, bins := range [...]*[inspection.TrendBins]int{&c.Along, &c.Across} {
			for i := range bins {
				bins[i] = next()
			}
		}
		if short {
			return to, errSums
		}
		to = append(to, c)
	}
	return to, nil
}

// binsOf are the bins of a defect's middle. Places are those of the map, in single precision, wherever they are read from.
func binsOf(r inspection.StripRect, length, width inspection.MM) (along, across int) {
	single := func(v inspection.MM) inspection.MM { return inspection.MM(float32(v)) }
	return inspection.TrendBin(single(r.Along)+single(r.Length)/2, length), inspection.TrendBin(single(r.Across)+single(r.Width)/2, width)
}

// insertSums adds a coil up that has ended.
func insertSums(ctx context.Context, tx *sql.Tx, n int64, strip inspection.Strip, coverage []inspection.Coverage) error {
	sides := map[inspection.Side]*inspection.SideSums{}
	for _, side := range inspection.Sides() {
		sides[side] = new(inspection.SideSums)
	}
	err := eachMapDefect(ctx, tx, n, func(d inspection.MapDefect) {
		along, across := binsOf(d.Rect, strip.Length, strip.Width)
		sides[d.Side].Count(d.Class, along, across, 1)
	})
	if err != nil {
		return err
	}
	for _, c := range coverage {
		classes := sides[c.Side].Classes
		slices.SortFunc(classes, func(a, b inspection.ClassSums) int { return b.Defects - a.Defects })
		_, err := tx.ExecContext(ctx, `INSERT INTO trend_sums (coil, side, length, inspected, screened, defects) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`,
			n, sideNumber(c.Side), float64(c.Length), float64(c.Inspected), float64(c.Length-c.Missed), packSums([]byte{}, classes))
		if err != nil {
			return err
		}
	}
	return nil
}

// writeSums gives coils their sums that ended under a version before these, or under one that the record was taken back to.
func writeSums(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT `+coilColumns+` FROM coils
		WHERE state IN (?, ?) AND NOT EXISTS (SELECT 1 FROM trend_sums WHERE coil = coils.n)`, inspection.Closed, inspection.Interrupted)
	if err != nil {
		return err
	}
	defer rows.Close()
	var missing []coil
	for rows.Next() {
		c, err := scanCoil(rows)
		if err != nil {
			return err
		}
		missing = append(missing, c)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, c := range missing {
		if err := insertSums(ctx, tx, c.n, c.Strip, c.Coverage); err != nil {
			return err
		}
	}
	return nil
}
