package store

import (
	"reflect"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func TestRollMarksOfACoilAreKeptAndReplaced(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	start(t, s, "A1", inspection.CoilOrder{})
	first := []inspection.RollMark{{Side: inspection.Top, Period: 2100, Diameter: 668.5, Across: 400, Last: 8400, Seen: 4, Possible: 5, Chance: 1e-3, Confidence: 0.999, Rolls: []string{"F7"}}}
	second := append([]inspection.RollMark{}, first[0], inspection.RollMark{Side: inspection.Bottom, Period: 1000, Rolls: []string{}})
	second[0].Seen, second[0].Possible = 5, 6
	for _, c := range []struct{ write, want []inspection.RollMark }{
		{nil, nil}, {first, first}, {nil, first}, {second, second},
	} {
		if err := s.Append(t.Context(), &inspection.Batch{Coil: "A1", Progress: []inspection.Progress{{Side: inspection.Top, To: 1}}, RollMarks: c.write}); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Coil(t.Context(), "A1"); err != nil || !reflect.DeepEqual(got.RollMarks, c.want) {
			t.Fatalf("after %v the coil has %v (%v); want %v", c.write, got.RollMarks, err, c.want)
		}
	}
	if _, err := s.CloseCoil(t.Context(), "A1", inspection.Strip{Coil: "A1", Length: 10_000}, inspection.InspectionResult{Grade: inspection.Prime}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Coil(t.Context(), "A1"); err != nil || len(got.RollMarks) != 2 {
		t.Errorf("the closed coil has %v (%v)", got.RollMarks, err)
	}
	if page, err := s.Coils(t.Context(), inspection.CoilQuery{Limit: 10}); err != nil || len(page.Coils) != 1 || page.Coils[0].RollMarks != nil {
		t.Errorf("the list gives %+v (%v)", page.Coils, err)
	}
}

// A record of the version before the roll marks is opened and takes them.
func TestRecordOfAVersionBeforeRollMarks(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	start(t, s, "OLD", inspection.CoilOrder{})
	for _, q := range []string{`DROP TABLE coil_rolls`, `PRAGMA user_version = 5`} {
		if _, err := s.writer.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if got, err := s.Coil(t.Context(), "OLD"); err != nil || got.RollMarks != nil {
		t.Fatalf("%v, %v", got.RollMarks, err)
	}
	if err := s.Append(t.Context(), &inspection.Batch{Coil: "OLD", RollMarks: []inspection.RollMark{{Side: inspection.Top, Period: 2100, Rolls: []string{}}}}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Coil(t.Context(), "OLD"); err != nil || len(got.RollMarks) != 1 {
		t.Errorf("%v, %v", got.RollMarks, err)
	}
}
