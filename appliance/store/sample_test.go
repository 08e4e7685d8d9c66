package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func draw(t *testing.T, s *Store, d inspection.SampleDraw) inspection.Sample {
	t.Helper()
	p, err := s.DrawSample(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func idsOf(defects []inspection.Defect) (ids []inspection.DefectID) {
	for _, d := range defects {
		ids = append(ids, d.ID)
	}
	return ids
}

func TestSampleIsDrawnByClassAndKeptWithItsOrder(t *testing.T) {
	s := open(t, t.TempDir())
	graded(t, s, "A1", 200)
	graded(t, s, "A2", 100)
	start(t, s, "A3", inspection.CoilOrder{})
	lost := batch("A3", 20, 0) // without pictures
	lost.Defects[3].Class = inspection.Unclassified
	appendTo(t, s, lost)

	p := draw(t, s, inspection.SampleDraw{Count: 40, Least: 10, Seed: 1<<63 + 5, By: "Kim"})
	want := []inspection.Stratum{{Class: "hole", Size: 30, Drawn: 10}, {Class: "red_iron", Size: 270, Drawn: 30}}
	if !reflect.DeepEqual(p.Strata, want) || p.WithoutPicture != 19 || p.ID != 1 || p.Since != nil || !slices.Equal(p.Models, []string{"first v1"}) {
		t.Errorf("sample %+v", p)
	}
	got, drawn, err := s.Sample(t.Context(), p.ID)
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("read back %+v, %v; want %+v", got, err, p)
	}
	ids := idsOf(drawn)
	if len(ids) != 40 || slices.IsSorted(ids) {
		t.Errorf("drawn %v", ids)
	}
	holes, coils := 0, map[inspection.CoilID]int{}
	for _, d := range drawn {
		coils[d.Coil]++
		if d.Class == "hole" {
			holes++
		}
		if !d.HasImage || d.Review != nil {
			t.Errorf("drawn %+v", d)
		}
	}
	if holes != 10 || len(coils) != 2 {
		t.Errorf("%d holes of coils %v", holes, coils)
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 40 {
		t.Error("a defect was drawn twice")
	}

	again := draw(t, s, inspection.SampleDraw{Count: 40, Least: 10, Seed: 1<<63 + 5})
	_, same, _ := s.Sample(t.Context(), again.ID)
	if again.ID != 2 || !slices.Equal(idsOf(same), idsOf(drawn)) {
		t.Error("the same seed on the same record drew another sample")
	}
	if list, err := s.Samples(t.Context(), 10); err != nil || len(list) != 2 || list[0].ID != 2 || !reflect.DeepEqual(list[1], p) {
		t.Errorf("samples %+v, %v", list, err)
	}
}

func TestSampleShowsTheReviewsOfItsDefectsAlone(t *testing.T) {
	s := open(t, t.TempDir())
	all := graded(t, s, "A1", 60)
	p := draw(t, s, inspection.SampleDraw{Count: 20, Least: 2, Seed: 3})
	_, drawn, err := s.Sample(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	ids := idsOf(drawn)
	for _, id := range all { // somebody picks what he likes
		if !slices.Contains(ids, id) {
			review(t, s, id, "dent", "Lee")
		}
	}
	_, drawn, _ = s.Sample(t.Context(), p.ID)
	if e := inspection.EstimateRate(p, drawn); e.Reviewed != 0 || e.Open != 20 {
		t.Errorf("reviews of others count: %+v", e)
	}
	for i, d := range drawn[:8] {
		review(t, s, d.ID, "dent", "Lee")
		class := d.Class
		if i < 2 {
			class = inspection.NoDefect
		}
		review(t, s, d.ID, class, "Kim") // the newest stands
	}
	_, drawn, _ = s.Sample(t.Context(), p.ID)
	if e := inspection.EstimateRate(p, drawn); e.Reviewed != 8 || e.Right != 6 || e.Open != 12 {
		t.Errorf("estimate %+v", e)
	}
	if !slices.Equal(idsOf(drawn), ids) {
		t.Error("reviews changed the order")
	}
}

func TestSampleLeavesOutWhatWasSeenBefore(t *testing.T) {
	s := open(t, t.TempDir())
	graded(t, s, "A1", 50)
	start(t, s, "A2", inspection.CoilOrder{})
	b := batch("A2", 30, 0)
	for i := range b.Defects {
		b.Defects[i].Seen = time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)
		b.Images = append(b.Images, &inspection.Crop{Pix: make([]byte, 16), Size: 4})
	}
	appendTo(t, s, b)
	since := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	p := draw(t, s, inspection.SampleDraw{Count: 100, Since: since})
	if p.Size() != 30 || p.Since == nil || !p.Since.Equal(since) {
		t.Errorf("sample %+v", p)
	}
	got, drawn, err := s.Sample(t.Context(), p.ID)
	if err != nil || !reflect.DeepEqual(got, p) || len(drawn) != 30 || drawn[0].Coil != "A2" {
		t.Errorf("read back %+v with %d, %v", got, len(drawn), err)
	}
}

func TestDrawThatIsNotAllowedRecordsNothing(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.DrawSample(t.Context(), inspection.SampleDraw{Count: 10}); !isType[*inspection.FieldError](err) {
		t.Errorf("an empty record: %v", err)
	}
	graded(t, s, "A1", 50)
	for name, d := range map[string]inspection.SampleDraw{
		"none":               {},
		"too many":           {Count: inspection.MostSampled + 1},
		"less than nothing":  {Count: 10, Least: -1},
		"not enough":         {Count: 9, Least: 5},
		"nothing since then": {Count: 10, Since: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := s.DrawSample(t.Context(), d); !isType[*inspection.FieldError](err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := s.Samples(t.Context(), 10); err != nil || len(list) != 0 {
		t.Errorf("recorded all the same: %+v, %v", list, err)
	}
	if _, _, err := s.Sample(t.Context(), 7); !isType[*inspection.NotFoundError](err) {
		t.Errorf("a sample that was never drawn: %v", err)
	}
}

func TestSampleIsDrawnBesideTheAppliance(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	graded(t, s, "A1", 60)
	at := time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)
	p, err := DrawSample(t.Context(), dir, inspection.SampleDraw{Count: 12, Least: 2, Seed: 9, By: "Kim"}, at)
	if err != nil {
		t.Fatal(err)
	}
	got, drawn, err := s.Sample(t.Context(), p.ID)
	if err != nil || !reflect.DeepEqual(got, p) || len(drawn) != 12 || !got.At.Equal(at) || got.By != "Kim" {
		t.Errorf("the appliance sees %+v with %d defects, %v", got, len(drawn), err)
	}
	graded(t, s, "A2", 10) // which goes on
	review(t, s, drawn[0].ID, drawn[0].Class, "Kim")
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, seen, err := r.Sample(t.Context(), p.ID); err != nil || seen[0].Review == nil || seen[0].Review.By != "Kim" {
		t.Errorf("a reader sees %+v, %v", seen, err)
	}
	if _, err := DrawSample(t.Context(), t.TempDir(), inspection.SampleDraw{Count: 1}, at); err == nil {
		t.Error("an empty directory was drawn from")
	}
}

func TestRecordFromBeforeSamplesIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, databaseName)
	db, err := sql.Open("sqlite3", dsn(old, ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range migrations()[:2] {
		if _, err := db.ExecContext(context.Background(), step); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.ExecContext(context.Background(), `PRAGMA user_version = 2`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReader(t.Context(), dir); err == nil {
		t.Error("a reader took a record of another version")
	}
	s := open(t, dir)
	graded(t, s, "A1", 20)
	if p := draw(t, s, inspection.SampleDraw{Count: 5, Least: 1}); p.ID != 1 {
		t.Errorf("sample %+v", p)
	}
	if _, _, err := s.Sample(t.Context(), 2); errors.As(err, new(*inspection.NotFoundError)) == false {
		t.Error(err)
	}
}
