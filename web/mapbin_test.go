package web

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

type mapColumns struct {
	strip    inspection.Strip
	revision uint32
	classes  []string
	ids      []int64
	rects    [4][]float32 // along, across, length, width
	bytes    [5][]byte    // class, severity, side, flags, confidence
}

// decodeMap reads a map as its description says, not as the encoder does.
func decodeMap(t *testing.T, b []byte) (m mapColumns) {
	t.Helper()
	le := binary.LittleEndian
	if len(b) < 40 || string(b[:4]) != "CSM1" || le.Uint32(b[4:]) != 40 {
		t.Fatalf("not a map: %q", b[:min(len(b), 40)])
	}
	n, table := int(le.Uint32(b[8:])), int(le.Uint32(b[12:]))
	if len(b) != 40+29*n+table {
		t.Fatalf("%d bytes for %d defects and %d bytes of classes", len(b), n, table)
	}
	m.strip.Length = inspection.MM(math.Float64frombits(le.Uint64(b[16:])))
	m.strip.Width = inspection.MM(math.Float64frombits(le.Uint64(b[24:])))
	m.revision = le.Uint32(b[32:])
	at := 40
	for range n {
		m.ids = append(m.ids, int64(le.Uint64(b[at:])))
		at += 8
	}
	for c := range m.rects {
		for range n {
			m.rects[c] = append(m.rects[c], math.Float32frombits(le.Uint32(b[at:])))
			at += 4
		}
	}
	for c := range m.bytes {
		m.bytes[c] = b[at : at+n]
		at += n
	}
	if err := json.Unmarshal(b[at:], &m.classes); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMapHoldsEveryDefect(t *testing.T) {
	f := newFixture(t)
	b := f.run(t, "A1")
	w := get(t, f, "/api/v1/coils/A1/map.bin")
	if w.Code != http.StatusOK || w.Header().Get("ETag") == "" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	m := decodeMap(t, w.Body.Bytes())
	if m.strip.Length != 1000 || m.strip.Width != 1500 || m.revision != 2 {
		t.Errorf("strip %+v, revision %d", m.strip, m.revision)
	}
	for i, d := range b.Defects {
		flags := byte(0)
		if d.HasImage {
			flags = 1
		}
		if m.ids[i] != int64(d.ID) || m.rects[0][i] != float32(d.Rect.Along) || m.rects[1][i] != float32(d.Rect.Across) ||
			m.rects[2][i] != float32(d.Rect.Length) || m.rects[3][i] != float32(d.Rect.Width) ||
			m.classes[m.bytes[0][i]] != string(d.Class) || m.bytes[1][i] != byte(d.Severity) || m.bytes[2][i] != byte(i) ||
			m.bytes[3][i] != flags || math.Abs(float64(m.bytes[4][i])/255-float64(d.Conf)) > 0.002 {
			t.Errorf("defect %d of the map differs: %+v", i, d)
		}
	}
	if w := get(t, f, "/api/v1/coils/A1/map.bin", "If-None-Match", w.Header().Get("ETag")); w.Code != http.StatusNotModified {
		t.Errorf("unchanged map: %d", w.Code)
	}
}

func TestMapLeavesOutWhatItsReaderHas(t *testing.T) {
	f := newFixture(t)
	b := f.run(t, "A1")
	for skip := range len(b.Defects) + 1 {
		w := get(t, f, fmt.Sprintf("/api/v1/coils/A1/map.bin?skip=%d", skip))
		if w.Code != http.StatusOK {
			t.Fatalf("skip %d: %d", skip, w.Code)
		}
		m := decodeMap(t, w.Body.Bytes())
		if len(m.ids) != len(b.Defects)-skip || (len(m.ids) > 0 && m.ids[0] != int64(b.Defects[skip].ID)) {
			t.Errorf("skip %d gives the defects %v", skip, m.ids)
		}
	}
	for _, skip := range []int{len(b.Defects) + 1, -1} {
		if w := get(t, f, fmt.Sprintf("/api/v1/coils/A1/map.bin?skip=%d", skip)); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("skip %d: %d, want 422", skip, w.Code)
		}
	}
}

// encode is the map of a coil with the defects given.
func encode(c inspection.Coil, defects []inspection.MapDefect) ([]byte, error) {
	c.Counts.Defects = len(defects)
	e := newMapEncoder(c, 0)
	for _, d := range defects {
		e.add(d)
	}
	return e.bytes()
}

func TestEmptyMapIsAMap(t *testing.T) {
	b, err := encode(inspection.Coil{Revision: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := decodeMap(t, b); len(m.ids) != 0 || m.classes == nil {
		t.Errorf("%+v", m)
	}
}

func TestMapOfTooManyClassesIsRefused(t *testing.T) {
	var defects []inspection.MapDefect
	for i := range 257 {
		defects = append(defects, inspection.MapDefect{Class: inspection.DefectClass(rune('a' + i))})
	}
	if _, err := encode(inspection.Coil{}, defects[:256]); err != nil {
		t.Error(err)
	}
	if _, err := encode(inspection.Coil{}, defects); err == nil {
		t.Error("257 classes in one byte")
	}
}

func TestMapOfAnotherNumberOfDefectsThanCountedIsRefused(t *testing.T) {
	for _, n := range []int{1, 3} {
		e := newMapEncoder(inspection.Coil{Counts: inspection.Counts{Defects: 2}}, 0)
		for range n {
			e.add(inspection.MapDefect{})
		}
		if _, err := e.bytes(); err == nil {
			t.Errorf("%d defects where 2 are counted", n)
		}
	}
}

func FuzzMap(f *testing.F) {
	f.Add(3, int64(7), 12.5, float32(0.5), "hole", "dent", uint8(4), true)
	f.Add(0, int64(-1), math.Inf(1), float32(math.NaN()), "", "\x00\xff", uint8(255), false)
	f.Fuzz(func(t *testing.T, n int, id int64, along float64, conf float32, class, other string, severity uint8, image bool) {
		n = min(max(n, 0), 1000)
		var defects []inspection.MapDefect
		for i := range n {
			d := inspection.MapDefect{ID: inspection.DefectID(id), Class: inspection.DefectClass(class), Conf: conf, Severity: inspection.Severity(severity), HasImage: image}
			if i%2 == 1 {
				d.Class, d.Side = inspection.DefectClass(other), inspection.Bottom
			}
			d.Rect.Along = inspection.MM(along)
			defects = append(defects, d)
		}
		b, err := encode(inspection.Coil{Strip: inspection.Strip{Length: inspection.MM(along)}}, defects)
		if err != nil {
			t.Fatal(err)
		}
		got := decodeMap(t, b)
		for i := range n {
			if got.ids[i] != id || got.bytes[1][i] != severity || got.bytes[2][i] != byte(i%2) || int(got.bytes[0][i]) >= len(got.classes) {
				t.Fatalf("defect %d of %d came back as another", i, n)
			}
		}
	})
}

// BenchmarkMapBin encodes the worst coil of a tinplate line.
func BenchmarkMapBin(b *testing.B) {
	defects := make([]inspection.MapDefect, 200000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encode(inspection.Coil{}, defects); err != nil {
			b.Fatal(err)
		}
	}
}
