package store

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// drawn reads a coil's map.
func drawn(t *testing.T, s *Store, id inspection.CoilID) (c inspection.Coil, out []inspection.MapDefect) {
	t.Helper()
	err := s.MapDefects(t.Context(), id, func(now inspection.Coil) { c = now }, func(d inspection.MapDefect) { out = append(out, d) })
	if err != nil {
		t.Fatal(err)
	}
	return c, out
}

// shown is what a map must show of recorded defects.
func shown(defects []inspection.Defect) (out []inspection.MapDefect) {
	short := func(v inspection.MM) inspection.MM { return inspection.MM(float32(v)) }
	for _, d := range defects {
		r := d.Rect
		out = append(out, inspection.MapDefect{
			ID: d.ID, Side: d.Side, Class: d.Class, Conf: d.Conf, Severity: d.Severity, HasImage: d.HasImage,
			Rect:    inspection.StripRect{Along: short(r.Along), Across: short(r.Across), Length: short(r.Length), Width: short(r.Width)},
			Revised: d.Revision > 1, Reviewed: d.Review != nil,
		})
	}
	return out
}

// twoCoils records two coils whose defects lie between each other, with pictures and reviews.
func twoCoils(t *testing.T, s *Store) {
	t.Helper()
	start(t, s, "A1", inspection.CoilOrder{})
	start(t, s, "A2", inspection.CoilOrder{})
	for i := range 5 {
		b := batch("A1", 40, inspection.MM(40*i)+0.1)
		b.Images = make([]*inspection.Crop, 40)
		b.Images[i] = crop(byte(i))
		b.Defects[7].Class = inspection.DefectClass(strings.Repeat("결함", 100)) // longer than a byte counts
		appendTo(t, s, b)
		appendTo(t, s, batch("A2", 7, 0))
		for _, d := range []int{3, 20, 3} {
			if _, err := s.Review(t.Context(), b.Defects[d].ID, inspection.Review{Class: "hole", By: "Kim"}, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestMapShowsWhatIsRecorded(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	twoCoils(t, s)
	check := func(when string) {
		t.Helper()
		for _, id := range []inspection.CoilID{"A1", "A2"} {
			m, err := s.Map(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			c, got := drawn(t, s, id)
			if want := shown(m.Defects); !slices.Equal(got, want) {
				t.Errorf("%s: the map of coil %s shows %v\nwant %v", when, id, got, want)
			}
			if now, err := s.Coil(t.Context(), id); err != nil || !reflect.DeepEqual(c, now) {
				t.Errorf("%s: the map is of coil %+v, want %+v, %v", when, c, now, err)
			}
		}
	}
	check("as recorded")

	// A record of the version before has no parts, or those from before it was taken back.
	for _, q := range []string{`DELETE FROM map_parts WHERE first > 50`, `PRAGMA user_version = 3`} {
		if _, err := s.writer.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	check("from an earlier version")
	appendTo(t, s, batch("A2", 3, 0))
	check("and goes on")
	if err := s.MapDefects(t.Context(), "A9", nil, nil); !isType[*inspection.NotFoundError](err) {
		t.Errorf("map of an unknown coil: %v", err)
	}
}

func FuzzPart(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendPart(nil, inspection.MapDefect{Class: "hole", Side: inspection.Bottom, HasImage: true, Conf: 0.5, Severity: 4}))
	f.Add(appendPart(nil, inspection.MapDefect{Class: "hole"})[:25])
	f.Add(make([]byte, 22))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := partReader{map[string]inspection.DefectClass{}}
		var again []byte
		err := r.each(1, b, func(d inspection.MapDefect) { again = appendPart(again, d) })
		if err == nil && len(again) > len(b) {
			t.Errorf("%d bytes came back as %d", len(b), len(again))
		}
	})
}
