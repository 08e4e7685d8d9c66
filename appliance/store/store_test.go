package store

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/coilsight/coilsight/inspection"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDirectory); dir != "" {
		appendUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, Options{ReviewBelow: inspection.DefaultReviewBelow, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func recipe(version int) inspection.Recipe {
	return inspection.Recipe{
		Name: "hot strip", Version: version, LongestGap: 500, GapGrade: inspection.Hold,
		Severity: map[inspection.DefectClass]inspection.Severity{"hole": 4, "red_iron": 1},
		Rules:    []inspection.GradingRule{{ID: "holes", Classes: []inspection.DefectClass{"hole"}, Count: 1, Grade: inspection.Block}},
	}
}

func start(t testing.TB, s *Store, id inspection.CoilID, o inspection.CoilOrder) inspection.Coil {
	t.Helper()
	c, err := s.StartCoil(t.Context(), id, o, recipe(1), inspection.Setup{Model: "first v1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// batch makes n defects along from a place on the strip, every tenth a hole.
func batch(coil inspection.CoilID, n int, from inspection.MM) *inspection.Batch {
	b := &inspection.Batch{Coil: coil}
	for i := range n {
		side, class := inspection.Top, inspection.DefectClass("red_iron")
		if i%2 == 1 {
			side = inspection.Bottom
		}
		if i%10 == 0 {
			class = "hole"
		}
		b.Defects = append(b.Defects, inspection.Defect{
			Side: side, Camera: inspection.CameraID(side), Class: class, Conf: float32(i%100) / 100, Severity: inspection.Severity(i % 5),
			Rect: inspection.StripRect{Along: from + inspection.MM(i), Across: inspection.MM(i % 1500), Length: 4.5, Width: 2.25},
			Area: float64(i%50) + 1, Contrast: 1.5, Seen: time.Date(2026, 3, 1, 8, 0, 0, 123000, time.UTC),
		})
	}
	to := from + inspection.MM(n)
	b.Progress = []inspection.Progress{{Side: inspection.Top, To: to, Width: 1500}, {Side: inspection.Bottom, To: to - 10, Width: 1500}}
	return b
}

func appendTo(t testing.TB, s *Store, b *inspection.Batch) {
	t.Helper()
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func isType[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

func TestCoilFromAnnouncementToGrade(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	order := inspection.CoilOrder{Width: 1500, Thickness: 2.5, Length: 1000, SteelGrade: "S235", Recipe: "hot strip"}
	c, created, err := s.Announce(ctx, "A1", order)
	if err != nil || !created || c.State != inspection.Announced || c.Order != order || c.Revision != 1 {
		t.Fatalf("announced %+v, created %v, %v", c, created, err)
	}
	if c, created, err = s.Announce(ctx, "A1", order); err != nil || created || c.Revision != 1 {
		t.Fatalf("announced again: revision %d, created %v, %v; want 1, false", c.Revision, created, err)
	}
	order.SteelGrade = "S355"
	if c, _, err = s.Announce(ctx, "A1", order); err != nil || c.Revision != 2 || c.Order != order {
		t.Fatalf("announced anew: %+v, %v", c, err)
	}
	c = start(t, s, "A1", inspection.CoilOrder{Length: 900})
	if c.State != inspection.Running || c.Order.Length != 900 || c.Order.SteelGrade != "S355" || c.StartedAt == nil || c.Model != "first v1" {
		t.Fatalf("started %+v", c)
	}

	b := batch("A1", 100, 0)
	b.Gaps = []inspection.Gap{{Side: inspection.Top, Camera: "top", From: 20, To: 30, State: inspection.Overrun, Cause: "burst"}}
	appendTo(t, s, b)
	appendTo(t, s, batch("A1", 50, 100))
	running, err := s.Coil(ctx, "A1")
	if err != nil {
		t.Fatal(err)
	}
	if n := running.Counts; n.Defects != 150 || n.Gaps != 1 || n.ByClass["hole"] != 15 || n.BySide[inspection.Bottom] != 75 {
		t.Errorf("counts while running: %+v", n)
	}
	if running.Strip.Length != 150 || running.Strip.Width != 1500 || running.Revision != c.Revision+2 {
		t.Errorf("strip %+v, revision %d while running", running.Strip, running.Revision)
	}
	if _, err := s.Result(ctx, "A1"); !isType[*inspection.NotFoundError](err) {
		t.Errorf("result of a running coil: %v", err)
	}

	m, err := s.Map(ctx, "A1")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Defects) != 150 || len(m.Gaps) != 1 || m.Gaps[0] != b.Gaps[0] {
		t.Fatalf("map has %d defects, gaps %+v", len(m.Defects), m.Gaps)
	}
	if m.Defects[7] != b.Defects[7] {
		t.Errorf("read %+v\nwrote %+v", m.Defects[7], b.Defects[7])
	}
	strip := inspection.Strip{Coil: "A1", Length: 160, Width: 1498.5, Sides: inspection.Sides()}
	res := inspection.GradeMap(inspection.DefectMap{Strip: strip, Defects: m.Defects, Gaps: m.Gaps}, recipe(1))
	at := time.Date(2026, 3, 1, 8, 10, 0, 0, time.UTC)
	closed, err := s.CloseCoil(ctx, "A1", strip, res, at)
	if err != nil {
		t.Fatal(err)
	}
	if closed.State != inspection.Closed || closed.Grade != inspection.Block || !reflect.DeepEqual(closed.Strip, strip) || !closed.EndedAt.Equal(at) || len(closed.Coverage) != 2 {
		t.Errorf("closed %+v", closed)
	}
	got, err := s.Result(ctx, "A1")
	if err != nil || got.Grade != inspection.Block || len(got.Trail) != 2 || !slices.Equal(got.Trail[1].Defects, res.Trail[1].Defects) {
		t.Errorf("result %+v, %v", got, err)
	}
}

func TestCoilIDRunsOnce(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	start(t, s, "A1", inspection.CoilOrder{})
	again := func() error {
		_, err := s.StartCoil(ctx, "A1", inspection.CoilOrder{}, recipe(1), inspection.Setup{Model: "m"}, time.Now())
		return err
	}
	if err := again(); !isType[*inspection.ConflictError](err) {
		t.Errorf("start of a running coil: %v", err)
	}
	if _, _, err := s.Announce(ctx, "A1", inspection.CoilOrder{}); !isType[*inspection.ConflictError](err) {
		t.Errorf("announcement of a running coil: %v", err)
	}
	if _, err := s.CloseCoil(ctx, "A1", inspection.Strip{}, inspection.InspectionResult{Grade: inspection.Prime}, time.Now()); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"start":  again(),
		"append": s.Append(ctx, batch("A1", 1, 0)),
		"close": func() error {
			_, err := s.CloseCoil(ctx, "A1", inspection.Strip{}, inspection.InspectionResult{}, time.Now())
			return err
		}(),
	} {
		if !isType[*inspection.ConflictError](err) {
			t.Errorf("%s of a closed coil: %v", name, err)
		}
	}
	if err := s.Append(ctx, batch("A2", 1, 0)); !isType[*inspection.NotFoundError](err) {
		t.Errorf("batch of an unknown coil: %v", err)
	}
}

func TestCoilIDMustBeTheNameOfAFolder(t *testing.T) {
	s := open(t, t.TempDir())
	for _, id := range []inspection.CoilID{"", ".", "..", ".hidden", "a/b", `a\b`, "a b", "a\x00", "ü", inspection.CoilID(strings.Repeat("a", 65))} {
		if _, _, err := s.Announce(t.Context(), id, inspection.CoilOrder{}); !isType[*inspection.FieldError](err) {
			t.Errorf("announced %q: %v", id, err)
		}
		if _, err := s.StartCoil(t.Context(), id, inspection.CoilOrder{}, recipe(1), inspection.Setup{Model: "m"}, time.Now()); !isType[*inspection.FieldError](err) {
			t.Errorf("started %q: %v", id, err)
		}
	}
	for _, id := range []inspection.CoilID{"a", "A-1_2.x", "-", "0", inspection.CoilID(strings.Repeat("a", 64))} {
		if _, _, err := s.Announce(t.Context(), id, inspection.CoilOrder{}); err != nil {
			t.Error(err)
		}
	}
}

func TestRecipeVersionNeverChanges(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	for _, r := range []inspection.Recipe{recipe(1), recipe(1), recipe(2)} {
		if err := s.SaveRecipe(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	changed := recipe(1)
	changed.LongestGap = 9000
	if err := s.SaveRecipe(ctx, changed); !isType[*inspection.ConflictError](err) {
		t.Errorf("changed version: %v", err)
	}
	if _, err := s.StartCoil(ctx, "A1", inspection.CoilOrder{}, changed, inspection.Setup{Model: "m"}, time.Now()); !isType[*inspection.ConflictError](err) {
		t.Errorf("start under a changed version: %v", err)
	}
	if _, err := s.Coil(ctx, "A1"); !isType[*inspection.NotFoundError](err) {
		t.Errorf("the failed start left a coil: %v", err)
	}
	newest, err := s.Recipe(ctx, "hot strip", 0)
	if err != nil || newest.Version != 2 {
		t.Errorf("newest is v%d, %v", newest.Version, err)
	}
	if r, err := s.Recipe(ctx, "hot strip", 1); err != nil || r.LongestGap != 500 || r.Severity["hole"] != 4 {
		t.Errorf("v1 is %+v, %v", r, err)
	}
	if _, err := s.Recipe(ctx, "hot strip", 3); !isType[*inspection.NotFoundError](err) {
		t.Errorf("v3: %v", err)
	}
	if all, err := s.Recipes(ctx); err != nil || len(all) != 2 {
		t.Errorf("%d recipes, %v", len(all), err)
	}
}

func TestDefectIDsAreNeverUsedAgain(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	start(t, s, "A1", inspection.CoilOrder{})
	b := batch("A1", 3, 0)
	appendTo(t, s, b)
	if b.Defects[0].ID != 1 || b.Defects[2].ID != 3 {
		t.Fatalf("first ids %d to %d", b.Defects[0].ID, b.Defects[2].ID)
	}
	if _, err := s.writer.ExecContext(t.Context(), `DELETE FROM defects`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	b = batch("A1", 1, 3)
	appendTo(t, s, b)
	if b.Defects[0].ID != 4 {
		t.Errorf("id %d after a restart; want 4", b.Defects[0].ID)
	}
}

func crop(seed byte) *inspection.Crop {
	c := &inspection.Crop{Pix: make([]byte, 32*32), Size: 32}
	for i := range c.Pix {
		c.Pix[i] = byte(i)*7 + seed
	}
	return c
}

func TestPictureIsKeptAsItWas(t *testing.T) {
	s := open(t, t.TempDir())
	start(t, s, "A1", inspection.CoilOrder{})
	b := batch("A1", 2, 0)
	b.Images = []*inspection.Crop{crop(3), nil}
	appendTo(t, s, b)
	if !b.Defects[0].HasImage || b.Defects[1].HasImage {
		t.Fatalf("has_image %v, %v; want true, false", b.Defects[0].HasImage, b.Defects[1].HasImage)
	}
	r, err := s.Image(t.Context(), b.Defects[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if g, ok := img.(*image.Gray); !ok || !bytes.Equal(g.Pix, b.Images[0].Pix) {
		t.Error("the picture differs from what was written")
	}
	for _, id := range []inspection.DefectID{b.Defects[1].ID, 99} {
		if _, err := s.Image(t.Context(), id); !isType[*inspection.NotFoundError](err) {
			t.Errorf("picture of defect %d: %v", id, err)
		}
	}
}

func TestPictureThatCannotBeWrittenDoesNotHoldUpTheRecord(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	start(t, s, "A1", inspection.CoilOrder{})
	// A file where the coil's folder should be stops every picture, for root too.
	if err := os.WriteFile(filepath.Join(dir, imagesName, "A1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := batch("A1", 3, 0)
	b.Images = []*inspection.Crop{crop(1), {Pix: make([]byte, 3), Size: 32}, crop(2)}
	appendTo(t, s, b)
	c, err := s.Coil(t.Context(), "A1")
	if err != nil || c.Counts.Defects != 3 {
		t.Fatalf("%d defects recorded, %v; want 3", c.Counts.Defects, err)
	}
	for _, d := range b.Defects {
		if d.HasImage {
			t.Errorf("defect %d claims a picture", d.ID)
		}
	}
	if s.ImagesLost() != 3 {
		t.Errorf("%d pictures counted as lost; want 3", s.ImagesLost())
	}
}

func TestCoilNamesTheCalibrationsItRanUnder(t *testing.T) {
	s := open(t, t.TempDir())
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	want := []inspection.CalibrationRef{
		{Camera: "top", Kind: "flatfield", Version: 3, At: at}, {Camera: "top", Kind: "geometry", Version: 1, At: at.Add(time.Hour)},
	}
	if _, err := s.StartCoil(t.Context(), "A1", inspection.CoilOrder{}, recipe(1), inspection.Setup{Model: "m", Calibrations: want}, time.Now()); err != nil {
		t.Fatal(err)
	}
	start(t, s, "A2", inspection.CoilOrder{})
	for id, want := range map[inspection.CoilID][]inspection.CalibrationRef{"A1": want, "A2": nil} {
		c, err := s.Coil(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(c.Calibrations, want) {
			t.Errorf("coil %s ran under %+v; want %+v", id, c.Calibrations, want)
		}
	}
}
