package web

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/coilsight/coilsight/inspection"
)

// mapLayout describes the map to its readers; encodeMap writes what it says.
const mapLayout = `Little-endian, 29 bytes a defect, each column aligned for a typed array over the body:

| offset | type | content |
|---|---|---|
| 0 | 4 bytes | "CSM1" |
| 4 | uint32 | header length H, 40 |
| 8 | uint32 | number of defects N |
| 12 | uint32 | length of the class table in bytes |
| 16 | float64 | strip length in mm |
| 24 | float64 | strip width in mm |
| 32 | uint32 | revision of the coil |
| 36 | uint32 | 0 |
| H | int64 × N | id |
| H + 8N | float32 × N | along, mm from the head end |
| H + 12N | float32 × N | across, mm from the operator-side edge |
| H + 16N | float32 × N | length in mm |
| H + 20N | float32 × N | width in mm |
| H + 24N | uint8 × N | class: index into the class table |
| H + 25N | uint8 × N | severity, 0 to 4 |
| H + 26N | uint8 × N | side: 0 top, 1 bottom |
| H + 27N | uint8 × N | flags: 1 has a picture, 2 was revised, 4 was reviewed by a person |
| H + 28N | uint8 × N | confidence × 255 |
| H + 29N | JSON | class table: a list of class ids |`

const (
	mapMagic      = "CSM1"
	mapHeader     = 40
	mapDefectSize = 29

	flagImage   = 1
	flagRevised = 2
	flagReview  = 4
)

func encodeMap(m inspection.DefectMap, revision int) ([]byte, error) {
	n := len(m.Defects)
	index, classes := map[inspection.DefectClass]uint8{}, []inspection.DefectClass{}
	for _, d := range m.Defects {
		if _, ok := index[d.Class]; ok {
			continue
		}
		if len(classes) > math.MaxUint8 {
			return nil, fmt.Errorf("defect map of coil %s: more than 256 classes", m.Strip.Coil)
		}
		index[d.Class] = uint8(len(classes))
		classes = append(classes, d.Class)
	}
	table, err := json.Marshal(classes)
	if err != nil {
		return nil, fmt.Errorf("defect map of coil %s: %w", m.Strip.Coil, err)
	}

	le := binary.LittleEndian
	b := make([]byte, mapHeader+n*mapDefectSize, mapHeader+n*mapDefectSize+len(table))
	copy(b, mapMagic)
	le.PutUint32(b[4:], mapHeader)
	le.PutUint32(b[8:], uint32(n))
	le.PutUint32(b[12:], uint32(len(table)))
	le.PutUint64(b[16:], math.Float64bits(float64(m.Strip.Length)))
	le.PutUint64(b[24:], math.Float64bits(float64(m.Strip.Width)))
	le.PutUint32(b[32:], uint32(revision))

	ids, at := b[mapHeader:], mapHeader+8*n
	along, across, length, width := b[at:], b[at+4*n:], b[at+8*n:], b[at+12*n:]
	at += 16 * n
	class, severity, side, flags, conf := b[at:], b[at+n:], b[at+2*n:], b[at+3*n:], b[at+4*n:]
	f32 := func(col []byte, i int, v inspection.MM) { le.PutUint32(col[4*i:], math.Float32bits(float32(v))) }
	for i, d := range m.Defects {
		le.PutUint64(ids[8*i:], uint64(d.ID))
		f32(along, i, d.Rect.Along)
		f32(across, i, d.Rect.Across)
		f32(length, i, d.Rect.Length)
		f32(width, i, d.Rect.Width)
		class[i] = index[d.Class]
		severity[i] = uint8(d.Severity)
		if d.Side == inspection.Bottom {
			side[i] = 1
		}
		if d.HasImage {
			flags[i] |= flagImage
		}
		if d.Revision > 1 {
			flags[i] |= flagRevised
		}
		if d.Review != nil {
			flags[i] |= flagReview
		}
		conf[i] = uint8(math.Round(float64(min(max(d.Conf, 0), 1)) * 255))
	}
	return append(b, table...), nil
}
