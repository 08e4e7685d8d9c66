package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"math"

	"github.com/coilsight/coilsight/inspection"
)

// A picture part is what the pictures of consecutive defects show, in one value, as a map part is of their places. It is
// written with the defects and never changes.
//
// Little-endian, for each defect: the strip it shows along and across as float32, then the look. All zero where the
// defect has no picture, or nothing is known of it.
const pictureBytes = 8 + inspection.LookSize

// insertPictures writes the part of a batch whose defects have their ids; none where no picture says anything.
func insertPictures(ctx context.Context, tx *sql.Tx, coil int64, b *inspection.Batch) error {
	var part []byte
	le := binary.LittleEndian
	for i, c := range b.Images {
		if c == nil || !b.Defects[i].HasImage || (c.Look == inspection.Look{} && c.Shows == inspection.PictureSize{}) {
			continue
		}
		if part == nil {
			part = make([]byte, pictureBytes*len(b.Defects))
		}
		at := part[pictureBytes*i:]
		le.PutUint32(at, math.Float32bits(float32(c.Shows.Length)))
		le.PutUint32(at[4:], math.Float32bits(float32(c.Shows.Width)))
		for k, v := range c.Look {
			at[8+k] = byte(v)
		}
	}
	if part == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO picture_parts (first, coil, pictures) VALUES (?, ?, ?)`, int64(b.Defects[0].ID), coil, part)
	return err
}

// pictureOf reads what is known of a defect's picture; zero where nothing is.
func pictureOf(ctx context.Context, q querier, coil int64, id inspection.DefectID) (size inspection.PictureSize, look inspection.Look, err error) {
	var first, owner int64
	var part []byte
	err = q.QueryRowContext(ctx, `SELECT first, coil, pictures FROM picture_parts WHERE first <= ? ORDER BY first DESC LIMIT 1`, int64(id)).Scan(&first, &owner, &part)
	at := (int64(id) - first) * pictureBytes
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return size, look, nil
	case err != nil || owner != coil || at+pictureBytes > int64(len(part)):
		return size, look, err
	}
	b := part[at:]
	mm := func(at int) inspection.MM {
		return inspection.MM(math.Float32frombits(binary.LittleEndian.Uint32(b[at:])))
	}
	size = inspection.PictureSize{Length: mm(0), Width: mm(4)}
	for k := range look {
		look[k] = int8(b[8+k])
	}
	return size, look, nil
}
