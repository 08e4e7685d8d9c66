package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func TestCoilPagesHoldEachCoilOnceNewestFirst(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	var want []inspection.CoilID
	for i := range 25 {
		id := inspection.CoilID(fmt.Sprintf("C%02d", i))
		// Several coils share a time: the key must still tell them apart.
		if _, err := s.StartCoil(ctx, id, inspection.CoilOrder{SteelGrade: fmt.Sprintf("S%d", i%3)}, recipe(1), inspection.Setup{Model: "m"}, at.Add(time.Duration(i/4)*time.Minute)); err != nil {
			t.Fatal(err)
		}
		if i%5 == 0 {
			if _, err := s.CloseCoil(ctx, id, inspection.Strip{}, inspection.InspectionResult{Grade: inspection.Second}, at); err != nil {
				t.Fatal(err)
			}
		}
		want = append(want, id)
	}
	slices.Reverse(want)

	all := func(q inspection.CoilQuery) (ids []inspection.CoilID) {
		t.Helper()
		for {
			page, err := s.Coils(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page.Coils {
				ids = append(ids, c.ID)
			}
			if page.NextCursor == "" {
				return ids
			}
			q.Cursor = page.NextCursor
		}
	}
	for _, limit := range []int{1, 4, 24, 25, 100} {
		if got := all(inspection.CoilQuery{Limit: limit}); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v", limit, got)
		}
	}
	cases := map[string]struct {
		q    inspection.CoilQuery
		want int
	}{
		"state":        {inspection.CoilQuery{States: []inspection.CoilState{inspection.Closed}}, 5},
		"states":       {inspection.CoilQuery{States: []inspection.CoilState{inspection.Closed, inspection.Running}}, 25},
		"grade":        {inspection.CoilQuery{Grades: []inspection.Grade{inspection.Second, inspection.Hold}}, 5},
		"id":           {inspection.CoilQuery{Text: "c1"}, 10},
		"steel grade":  {inspection.CoilQuery{Text: "S1"}, 8},
		"no wildcards": {inspection.CoilQuery{Text: "C_1"}, 0},
		"since":        {inspection.CoilQuery{Since: at.Add(5 * time.Minute)}, 5},
		"until":        {inspection.CoilQuery{Until: at.Add(time.Minute)}, 4},
	}
	for name, c := range cases {
		if got := all(c.q); len(got) != c.want {
			t.Errorf("%s: %d coils %v; want %d", name, len(got), got, c.want)
		}
	}
}

func TestDefectPagesHoldEachDefectOnce(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	start(t, s, "A1", inspection.CoilOrder{})
	start(t, s, "A2", inspection.CoilOrder{})
	for i := range 5 { // the defects of the two coils lie between each other
		appendTo(t, s, batch("A1", 40, inspection.MM(40*i)))
		appendTo(t, s, batch("A2", 7, 0))
	}
	cases := map[string]struct {
		q    inspection.DefectQuery
		want int
	}{
		"all":        {inspection.DefectQuery{}, 200},
		"side":       {inspection.DefectQuery{Side: inspection.Bottom}, 100},
		"class":      {inspection.DefectQuery{Classes: []inspection.DefectClass{"hole"}}, 20},
		"classes":    {inspection.DefectQuery{Classes: []inspection.DefectClass{"hole", "red_iron"}}, 200},
		"none":       {inspection.DefectQuery{Classes: []inspection.DefectClass{"dent"}}, 0},
		"area":       {inspection.DefectQuery{MinArea: 31}, 50},
		"confidence": {inspection.DefectQuery{MinConfidence: 0.2}, 100},
		"severity":   {inspection.DefectQuery{MinSeverity: 4}, 40},
		"together":   {inspection.DefectQuery{Side: inspection.Top, MinSeverity: 4, MinArea: 10}, 15},
	}
	for name, c := range cases {
		for _, limit := range []int{1, 7, 0} {
			q := c.q
			q.Coil, q.Limit = "A1", limit
			var ids []inspection.DefectID
			for {
				page, err := s.Defects(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range page.Defects {
					if d.Coil != "A1" {
						t.Fatalf("%s: a defect of coil %s", name, d.Coil)
					}
					ids = append(ids, d.ID)
				}
				if q.Cursor = page.NextCursor; q.Cursor == "" {
					break
				}
			}
			if len(ids) != c.want || !slices.IsSorted(ids) || len(slices.Compact(ids)) != c.want {
				t.Errorf("%s in pages of %d: %d defects; want %d", name, limit, len(ids), c.want)
			}
		}
	}
	if _, err := s.Defects(ctx, inspection.DefectQuery{Coil: "A9"}); !isType[*inspection.NotFoundError](err) {
		t.Errorf("defects of an unknown coil: %v", err)
	}
}

func TestWhatIsNoCursorIsTheCallersMistake(t *testing.T) {
	s := open(t, t.TempDir())
	start(t, s, "A1", inspection.CoilOrder{})
	for _, cursor := range []string{"x y", "1", "1_2_3", "_", "zzzzzzzzzzzzzzzzzzzzz_1", "+1_1", "01_1"} {
		_, err := s.Coils(t.Context(), inspection.CoilQuery{Cursor: cursor})
		var field *inspection.FieldError
		if !errors.As(err, &field) || field.Field != "cursor" {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for _, c := range []string{"", "1_2", "-1_z", "_", "1__2", "zzzzzzzzzzzz_1"} {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		keys, err := decodeCursor(cursor, 2)
		if err != nil {
			return
		}
		if got := encodeCursor(keys...); got != cursor {
			t.Errorf("%q is read as %v, which is %q", cursor, keys, got)
		}
	})
}
