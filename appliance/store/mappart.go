package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"math"

	"github.com/coilsight/coilsight/inspection"
)

// A map part is what a map shows of consecutive defects of a coil, in one value: SQLite gives 200,000 rows in 150 ms at
// best and the same in parts in 10. It is written with the rows that it repeats and never changes; what changes of a
// defect is its reviews, which stand beside.
//
// Little-endian, for each defect: along, across, length, width and confidence as float32; severity; bits, 1 for the bottom
// side and 2 for a picture; the length of the class as uvarint, and the class.
const (
	partBottom = 1
	partImage  = 2
)

// defectsAPart bounds the parts that a record of an earlier version is given.
const defectsAPart = 10_000

func appendPart(b []byte, d inspection.MapDefect) []byte {
	le := binary.LittleEndian
	for _, v := range [...]inspection.MM{d.Rect.Along, d.Rect.Across, d.Rect.Length, d.Rect.Width} {
		b = le.AppendUint32(b, math.Float32bits(float32(v)))
	}
	b = le.AppendUint32(b, math.Float32bits(d.Conf))
	bits := byte(0)
	if d.Side == inspection.Bottom {
		bits |= partBottom
	}
	if d.HasImage {
		bits |= partImage
	}
	b = binary.AppendUvarint(append(b, byte(d.Severity), bits), uint64(len(d.Class)))
	return append(b, d.Class...)
}

// partReader takes parts of a coil apart.
type partReader struct {
	classes map[string]inspection.DefectClass
}

var errPart = errors.New("a part of the map is cut short")

// each gives the defects of a part, whose ids count up from first.
func (r *partReader) each(first inspection.DefectID, b []byte, each func(inspection.MapDefect)) error {
	const fixed = 22
	for id := first; len(b) > 0; id++ {
		if len(b) < fixed {
			return errPart
		}
		mm := func(at int) inspection.MM {
			return inspection.MM(math.Float32frombits(binary.LittleEndian.Uint32(b[at:])))
		}
		d := inspection.MapDefect{
			ID: id, Side: sideOf(int(b[21] & partBottom)), HasImage: b[21]&partImage != 0, Severity: inspection.Severity(b[20]),
			Rect: inspection.StripRect{Along: mm(0), Across: mm(4), Length: mm(8), Width: mm(12)},
			Conf: math.Float32frombits(binary.LittleEndian.Uint32(b[16:])),
		}
		n, used := binary.Uvarint(b[fixed:])
		b = b[fixed+max(used, 0):]
		if used <= 0 || n > uint64(len(b)) {
			return errPart
		}
		class, ok := r.classes[string(b[:n])]
		if !ok {
			class = inspection.DefectClass(b[:n])
			r.classes[string(class)] = class
		}
		d.Class, b = class, b[n:]
		each(d)
	}
	return nil
}

// insertPart writes the part of defects whose ids follow each other.
func insertPart(ctx context.Context, tx *sql.Tx, n int64, defects []inspection.Defect) error {
	if len(defects) == 0 {
		return nil
	}
	var b []byte
	for i := range defects {
		d := &defects[i]
		b = appendPart(b, inspection.MapDefect{
			Side: d.Side, Rect: d.Rect, Class: d.Class, Conf: d.Conf, Severity: d.Severity, HasImage: d.HasImage,
		})
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO map_parts (first, coil, defects) VALUES (?, ?, ?)`, int64(defects[0].ID), n, b)
	return err
}

// writeParts gives the defects of a record of an earlier version their parts.
func writeParts(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM map_parts`); err != nil {
		return err
	}
	var coils []int64
	rows, err := tx.QueryContext(ctx, `SELECT n FROM coils ORDER BY n`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return err
		}
		coils = append(coils, n)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, n := range coils {
		for after := inspection.DefectID(0); ; {
			page, err := readDefects(ctx, tx, coil{n: n}, clauses{[]string{"coil = ?", "id > ?"}, []any{n, int64(after)}}, defectsAPart)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].ID
			// Where another coil's defects lie between, a new part begins.
			for from, i := 0, 1; i <= len(page); i++ {
				if i < len(page) && page[i].ID == page[i-1].ID+1 {
					continue
				}
				if err := insertPart(ctx, tx, n, page[from:i]); err != nil {
					return err
				}
				from = i
			}
		}
	}
	return nil
}

// MapDefects gives start a coil and then each its defects in order of their ids, all of one moment and without
// holding them. It is *inspection.NotFoundError for an unknown coil.
func (s *Store) MapDefects(ctx context.Context, id inspection.CoilID, start func(inspection.Coil), each func(inspection.MapDefect)) error {
	return s.view(ctx, "reading a defect map", func(q querier) error {
		c, err := coilRow(ctx, q, id)
		if err != nil {
			return err
		}
		reviewed, err := reviewedDefects(ctx, q, c.n)
		if err != nil {
			return err
		}
		start(c.Coil)
		return eachPart(ctx, q, c.n, func(d inspection.MapDefect) {
			if len(reviewed) > 0 && reviewed[0] == d.ID {
				d.Revised, d.Reviewed, reviewed = true, true, reviewed[1:]
			}
			each(d)
		})
	})
}

// eachPart gives the defects of a coil out of its parts, in order of their ids.
func eachPart(ctx context.Context, q querier, n int64, each func(inspection.MapDefect)) error {
	rows, err := q.QueryContext(ctx, `SELECT first, defects FROM map_parts WHERE coil = ? ORDER BY first`, n)
	if err != nil {
		return err
	}
	defer rows.Close()
	r := partReader{map[string]inspection.DefectClass{}}
	for rows.Next() {
		var (
			first int64
			part  sql.RawBytes
		)
		if err := rows.Scan(&first, &part); err != nil {
			return err
		}
		if err := r.each(inspection.DefectID(first), part, each); err != nil {
			return err
		}
	}
	return rows.Err()
}

// reviewedDefects are the defects of a coil that people reviewed, in order of their ids.
func reviewedDefects(ctx context.Context, q querier, coil int64) (ids []inspection.DefectID, err error) {
	rows, err := q.QueryContext(ctx, `SELECT DISTINCT defect FROM reviews WHERE coil = ? ORDER BY defect`, coil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id inspection.DefectID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
