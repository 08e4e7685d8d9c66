package web

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/coilsight/coilsight/inspection"
)

// mapLayout describes the map to its readers; mapEncoder writes what it says.
const mapLayout = `Little-endian, 29 bytes a defect, in order of their ids; each column aligned for a typed array over the body:

| offset | type | content |
|---|---|---|
| 0 | 4 bytes | "CSM1" |
| 4 | uint32 | header length H, 40 |
| 8 | uint32 | number of defects N: those of the coil but for the first ones that were skipped |
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

// mapEncoder writes a coil's defects into the columns of its map, one by one.
type mapEncoder struct {
	coil    inspection.Coil
	body    []byte
	room    int // defects that it holds
	skip    int // defects that are still left out
	n       int // defects that were added
	index   map[inspection.DefectClass]uint8
	classes []inspection.DefectClass
	err     error
}

// newMapEncoder makes room for as many defects as the coil counts, but for the first ones that are skipped.
func newMapEncoder(c inspection.Coil, skip int) *mapEncoder {
	n := max(0, c.Counts.Defects-skip)
	const table = 1024 // bytes: a catalogue has a few dozen classes
	e := &mapEncoder{
		coil: c, room: n, skip: skip, body: make([]byte, mapHeader+n*mapDefectSize, mapHeader+n*mapDefectSize+table),
		index: map[inspection.DefectClass]uint8{}, classes: []inspection.DefectClass{},
	}
	le := binary.LittleEndian
	copy(e.body, mapMagic)
	le.PutUint32(e.body[4:], mapHeader)
	le.PutUint32(e.body[8:], uint32(n))
	le.PutUint64(e.body[16:], math.Float64bits(float64(c.Strip.Length)))
	le.PutUint64(e.body[24:], math.Float64bits(float64(c.Strip.Width)))
	le.PutUint32(e.body[32:], uint32(c.Revision))
	return e
}

func (e *mapEncoder) add(d inspection.MapDefect) {
	if e.skip > 0 {
		e.skip--
		return
	}
	i, n := e.n, e.room
	e.n++
	if i >= n || e.err != nil {
		return // bytes tells
	}
	class, ok := e.index[d.Class]
	if !ok {
		if len(e.classes) > math.MaxUint8 {
			e.err = fmt.Errorf("defect map of coil %s: more than 256 classes", e.coil.ID)
			return
		}
		class = uint8(len(e.classes))
		e.index[d.Class] = class
		e.classes = append(e.classes, d.Class)
	}
	le := binary.LittleEndian
	le.PutUint64(e.body[mapHeader+8*i:], uint64(d.ID))
	rects, bytes := e.body[mapHeader+8*n+4*i:], e.body[mapHeader+24*n+i:]
	for column, v := range [...]inspection.MM{d.Rect.Along, d.Rect.Across, d.Rect.Length, d.Rect.Width} {
		le.PutUint32(rects[4*n*column:], math.Float32bits(float32(v)))
	}
	bytes[0], bytes[n] = class, uint8(d.Severity)
	if d.Side == inspection.Bottom {
		bytes[2*n] = 1
	}
	if d.HasImage {
		bytes[3*n] |= flagImage
	}
	if d.Revised {
		bytes[3*n] |= flagRevised
	}
	if d.Reviewed {
		bytes[3*n] |= flagReview
	}
	bytes[4*n] = uint8(math.Round(float64(min(max(d.Conf, 0), 1)) * 255))
}

// bytes is the map, once every defect was added.
func (e *mapEncoder) bytes() ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	if e.n != e.room || e.skip > 0 {
		return nil, fmt.Errorf("defect map of coil %s: %d defects are counted, and %d more or fewer recorded", e.coil.ID, e.coil.Counts.Defects, e.n-e.room-e.skip)
	}
	table, err := json.Marshal(e.classes)
	if err != nil {
		return nil, fmt.Errorf("defect map of coil %s: %w", e.coil.ID, err)
	}
	binary.LittleEndian.PutUint32(e.body[12:], uint32(len(table)))
	return append(e.body, table...), nil
}
