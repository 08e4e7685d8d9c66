package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// graded records a closed coil with n defects, every tenth a hole, and gives their ids.
func graded(t *testing.T, s *Store, id inspection.CoilID, n int) []inspection.DefectID {
	t.Helper()
	start(t, s, id, inspection.CoilOrder{})
	b := batch(id, n, 0)
	for range n {
		b.Images = append(b.Images, &inspection.Crop{Pix: make([]byte, 16), Size: 4})
	}
	appendTo(t, s, b)
	m, err := s.Map(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CloseCoil(t.Context(), id, m.Strip, inspection.GradeMap(m, recipe(1)), time.Now()); err != nil {
		t.Fatal(err)
	}
	var ids []inspection.DefectID
	for _, d := range m.Defects {
		ids = append(ids, d.ID)
	}
	return ids
}

func review(t *testing.T, s *Store, id inspection.DefectID, class inspection.DefectClass, by string) inspection.Defect {
	t.Helper()
	d, err := s.Review(t.Context(), id, inspection.Review{Class: class, By: by}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func lastChange(t *testing.T, s *Store) inspection.Change {
	t.Helper()
	page, err := s.Changes(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return page.Changes[len(page.Changes)-1]
}

func TestReviewsAreKeptBesideTheModelsAnswer(t *testing.T) {
	s := open(t, t.TempDir())
	ids := graded(t, s, "A1", 20)
	before, err := s.Defect(t.Context(), ids[0])
	if err != nil || before.Class != "hole" || before.Review != nil {
		t.Fatalf("before: %+v, %v", before, err)
	}
	coilBefore, _ := s.Coil(t.Context(), "A1")

	first := review(t, s, ids[0], "red_iron", "Kim")
	if first.Class != "hole" || first.Conf != before.Conf || first.Revision != 2 || first.Review.Class != "red_iron" || first.Review.At.IsZero() {
		t.Errorf("after the first: %+v, review %+v", first, first.Review)
	}
	second, err := s.Review(t.Context(), ids[0], inspection.Review{Class: inspection.NoDefect, By: "Lee", Note: "물때"}, 2)
	if err != nil || second.Review.Class != inspection.NoDefect || second.Review.By != "Lee" || second.Review.Note != "물때" || second.Revision != 3 {
		t.Errorf("the newest does not stand: %+v, %v", second.Review, err)
	}
	history, err := s.Reviews(t.Context(), ids[0])
	if err != nil || len(history) != 2 {
		t.Fatalf("history %+v, %v", history, err)
	}
	for i, want := range []inspection.DefectClass{"red_iron", inspection.NoDefect} {
		h := history[i]
		if h.Class != want || h.Revision != i+2 || h.ModelClass != "hole" || h.ModelConfidence != before.Conf || h.Model != "first v1" {
			t.Errorf("history[%d]: %+v", i, h)
		}
	}
	c := lastChange(t, s)
	var data struct {
		Coil         inspection.CoilID
		Class        inspection.DefectClass
		Review       inspection.Review
		CoilRevision int `json:"coil_revision"`
	}
	if err := json.Unmarshal(c.Data, &data); err != nil {
		t.Fatal(err)
	}
	if c.Type != "defect.revised" || c.Subject != "1" || c.Revision != 3 || data.Coil != "A1" || data.Class != "hole" || data.Review.Class != inspection.NoDefect || data.CoilRevision != coilBefore.Revision+2 {
		t.Errorf("change %+v with %+v", c, data)
	}
	m, err := s.Map(t.Context(), "A1")
	if err != nil || m.Defects[0].Review == nil || m.Defects[0].Review.By != "Lee" || m.Defects[1].Review != nil {
		t.Errorf("map: %+v, %v", m.Defects[:2], err)
	}
	for filter, want := range map[inspection.ReviewFilter]int{"": 20, inspection.OnlyReviewed: 1, inspection.OnlyUnreviewed: 19} {
		page, err := s.Defects(t.Context(), inspection.DefectQuery{Coil: "A1", Review: filter})
		if err != nil || len(page.Defects) != want {
			t.Errorf("%q: %d defects, %v; want %d", filter, len(page.Defects), err, want)
		}
	}
}

func TestReviewOfWhatHasChangedSinceIsRefused(t *testing.T) {
	s := open(t, t.TempDir())
	ids := graded(t, s, "A1", 3)
	review(t, s, ids[0], "red_iron", "Kim")
	mark := lastChange(t, s).Seq
	_, err := s.Review(t.Context(), ids[0], inspection.Review{Class: "hole", By: "Lee"}, 1)
	var stale *inspection.StaleError
	if !errors.As(err, &stale) || stale.Revision != 2 {
		t.Errorf("a stale review: %v", err)
	}
	if _, err := s.Review(t.Context(), 99, inspection.Review{Class: "hole", By: "Lee"}, 0); !isType[*inspection.NotFoundError](err) {
		t.Errorf("a review of nothing: %v", err)
	}
	if _, err := s.Reviews(t.Context(), 99); !isType[*inspection.NotFoundError](err) {
		t.Errorf("reviews of nothing: %v", err)
	}
	if h, _ := s.Reviews(t.Context(), ids[0]); len(h) != 1 || lastChange(t, s).Seq != mark {
		t.Errorf("what was refused left a trace: %+v", h)
	}
}

func TestGradeChangesOnlyWhenAPersonAsks(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ctx := t.Context()
	ids := graded(t, s, "A1", 11) // holes at 0 and 10
	if _, err := s.Regrade(ctx, "A1", "Kim", 0); !isType[*inspection.ConflictError](err) {
		t.Errorf("regrade without a review: %v", err)
	}
	review(t, s, ids[0], inspection.NoDefect, "Kim")
	review(t, s, ids[10], "red_iron", "Kim")
	review(t, s, ids[10], "red_iron", "Lee")
	c, err := s.Coil(ctx, "A1")
	if err != nil || c.Grade != inspection.Block || c.Counts.Reviewed != 2 || c.Counts.NotInGrade != 2 {
		t.Fatalf("reviewed: grade %s, %+v, %v; want block, 2, 2", c.Grade, c.Counts, err)
	}
	if _, err := s.Regrade(ctx, "A1", "Kim", c.Revision-1); !isType[*inspection.StaleError](err) {
		t.Errorf("regrade of a stale view: %v", err)
	}
	again, err := s.Regrade(ctx, "A1", "Kim", c.Revision)
	if err != nil || again.Grade != inspection.Prime || again.Revision != c.Revision+1 || again.Counts.NotInGrade != 0 || again.Counts.Reviewed != 2 {
		t.Fatalf("regraded: %+v, %v", again, err)
	}
	if res, err := s.Result(ctx, "A1"); err != nil || res.Grade != inspection.Prime || res.RecipeVersion != 1 {
		t.Errorf("result %+v, %v", res, err)
	}
	change := lastChange(t, s)
	var data coilChange
	if err := json.Unmarshal(change.Data, &data); err != nil || change.Type != "coil.regraded" || data.By != "Kim" || data.Grade != inspection.Prime || data.Revision != again.Revision || data.Counts.Reviewed != 2 {
		t.Errorf("change %+v with %+v, %v", change, data, err)
	}
	gradings, err := s.Gradings(ctx, "A1")
	if err != nil || len(gradings) != 2 {
		t.Fatalf("gradings %+v, %v", gradings, err)
	}
	if g := gradings[0]; g.By != "" || g.Reviewed != 0 || g.Result.Grade != inspection.Block || len(g.Result.Trail) != 2 {
		t.Errorf("the line's own grade: %+v", g)
	}
	if g := gradings[1]; g.By != "Kim" || g.Reviewed != 2 || g.Result.Grade != inspection.Prime || g.At.IsZero() {
		t.Errorf("the person's grade: %+v", g)
	}
	review(t, s, ids[10], "hole", "Lee") // one more, on the same defect
	if c, _ := s.Coil(ctx, "A1"); c.Grade != inspection.Prime || c.Counts.Reviewed != 2 || c.Counts.NotInGrade != 1 {
		t.Errorf("after one more review: grade %s, %+v", c.Grade, c.Counts)
	}
	if page, err := s.Coils(ctx, inspection.CoilQuery{}); err != nil || page.Coils[0].Counts.NotInGrade != 1 {
		t.Errorf("in the list: %+v, %v", page.Coils, err)
	}
}

func TestRunningCoilIsReviewedButGradedByTheModelAtItsEnd(t *testing.T) {
	s := open(t, t.TempDir())
	start(t, s, "A1", inspection.CoilOrder{})
	appendTo(t, s, batch("A1", 1, 0))
	review(t, s, 1, inspection.NoDefect, "Kim")
	if _, err := s.Regrade(t.Context(), "A1", "Kim", 0); !isType[*inspection.ConflictError](err) {
		t.Errorf("regrade of a running coil: %v", err)
	}
	m, _ := s.Map(t.Context(), "A1")
	c, err := s.CloseCoil(t.Context(), "A1", m.Strip, inspection.GradeMap(m, recipe(1)), time.Now())
	if err != nil || c.Grade != inspection.Block || c.Counts.NotInGrade != 1 {
		t.Errorf("closed: %+v, %v", c, err)
	}
	if c, err = s.Regrade(t.Context(), "A1", "Kim", 0); err != nil || c.Grade != inspection.Prime {
		t.Errorf("regraded: %+v, %v", c, err)
	}
}

func TestRecordOfTheVersionBeforeGetsItsGradings(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	graded(t, s, "A1", 3)
	start(t, s, "A2", inspection.CoilOrder{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", dsn(filepath.Join(dir, databaseName), ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{`DROP TABLE reviews`, `DROP TABLE gradings`, `PRAGMA user_version = 1`} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReader(t.Context(), dir); err == nil {
		t.Error("a record of an older version was opened for reading")
	}
	s = open(t, dir)
	if g, err := s.Gradings(t.Context(), "A1"); err != nil || len(g) != 1 || g[0].Result.Grade != inspection.Block || g[0].By != "" {
		t.Errorf("gradings %+v, %v", g, err)
	}
	if g, err := s.Gradings(t.Context(), "A2"); err != nil || len(g) != 0 {
		t.Errorf("gradings of a running coil %+v, %v", g, err)
	}
	if d := review(t, s, 1, "red_iron", "Kim"); d.Revision != 2 {
		t.Errorf("reviewed %+v", d)
	}
}

func TestReaderReadsBesideTheAppliance(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ids := graded(t, s, "A1", 7)
	review(t, s, ids[2], "red_iron", "Kim")
	review(t, s, ids[5], inspection.NoDefect, "Kim")
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	labels := func(q LabelQuery) (got []inspection.DefectID) {
		t.Helper()
		for q.Limit = 2; ; {
			page, err := r.Labels(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range page {
				if l.Coil != "A1" || l.Model != "first v1" || (l.Review == nil) != q.Unreviewed {
					t.Errorf("label %+v", l)
				}
				got = append(got, l.ID)
			}
			if len(page) < q.Limit {
				return got
			}
			q.After = page[len(page)-1].ID
		}
	}
	if got := labels(LabelQuery{}); len(got) != 2 || got[0] != ids[2] || got[1] != ids[5] {
		t.Errorf("reviewed: %v", got)
	}
	if got := labels(LabelQuery{Unreviewed: true}); len(got) != 5 {
		t.Errorf("unreviewed: %v", got)
	}
	if got := labels(LabelQuery{Since: time.Now().Add(time.Hour)}); len(got) != 0 {
		t.Errorf("reviewed later: %v", got)
	}
	review(t, s, ids[6], "hole", "Kim") // the appliance goes on
	if got := labels(LabelQuery{}); len(got) != 3 {
		t.Errorf("after one more: %v", got)
	}
	if b, err := r.Image("A1", ids[0]); err != nil || len(b) == 0 {
		t.Errorf("picture of %d bytes, %v", len(b), err)
	}
	if _, err := r.Image("A1", 99); !isType[*inspection.NotFoundError](err) {
		t.Errorf("picture of nothing: %v", err)
	}
	if _, err := r.db.ExecContext(context.Background(), `DELETE FROM reviews`); err == nil {
		t.Error("the reader can write")
	}
}

func TestReaderReadsARecordNobodyHasOpen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	ids := graded(t, s, "A1", 3)
	review(t, s, ids[0], "red_iron", "Kim")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Labels(t.Context(), LabelQuery{Limit: 10}); err != nil || len(got) != 1 {
		t.Errorf("labels %+v, %v", got, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := OpenReader(t.Context(), t.TempDir()); err == nil {
		t.Error("an empty directory was opened")
	}
}
