package store

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func randomLook(r *rand.Rand) (l inspection.Look) {
	for i := range l {
		l[i] = int8(r.IntN(255) - 127)
	}
	return l
}

// seenAs is a batch whose pictures have looks, which are appended to all; every seventh has no picture.
func seenAs(r *rand.Rand, coil inspection.CoilID, n int, all *[]inspection.Look) *inspection.Batch {
	b := batch(coil, n, 0)
	for i := range n {
		if i%7 == 3 {
			b.Images, *all = append(b.Images, nil), append(*all, inspection.Look{})
			continue
		}
		c := &inspection.Crop{Pix: make([]byte, 4), Size: 2, Look: randomLook(r), Shows: inspection.PictureSize{Length: 64, Width: 32.5}}
		b.Images, *all = append(b.Images, c), append(*all, c.Look)
	}
	return b
}

// startUnder starts a coil that a model other than the first classifies.
func startUnder(t testing.TB, s *Store, id inspection.CoilID, model string) {
	t.Helper()
	if _, err := s.StartCoil(t.Context(), id, inspection.CoilOrder{}, recipe(1), inspection.Setup{Model: model}, time.Now()); err != nil {
		t.Fatal(err)
	}
}

func TestSimilarDefectsAreThoseThatBruteForceFinds(t *testing.T) {
	s := open(t, t.TempDir())
	r := rand.New(rand.NewPCG(1, 2))
	var looks []inspection.Look // of the defect with the id one more
	model := func(id inspection.DefectID) string {
		return []string{"first v1", "first v1", "second v1", "first v1+taught"}[(id-1)/50]
	}
	for i := range 4 {
		id := inspection.CoilID(fmt.Sprintf("A%d", i))
		startUnder(t, s, id, model(inspection.DefectID(50*i+1)))
		for range 2 { // two parts a coil
			appendTo(t, s, seenAs(r, id, 25, &looks))
		}
		m, err := s.Map(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.CloseCoil(t.Context(), id, m.Strip, inspection.GradeMap(m, recipe(1)), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	said := review(t, s, 60, "hole", "Kim")

	const of = inspection.DefectID(30)
	cosine := func(a, b inspection.Look) float64 {
		var ab, aa, bb float64
		for i := range a {
			x, y := float64(a[i]), float64(b[i])
			ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		}
		return ab / math.Sqrt(aa*bb)
	}
	var want []alike
	for i, l := range looks {
		id := inspection.DefectID(i + 1)
		if id > 50 && model(id) != "second v1" && l != (inspection.Look{}) && cosine(looks[of-1], l) > 0 {
			want = append(want, alike{id, cosine(looks[of-1], l)})
		}
	}
	slices.SortFunc(want, func(a, b alike) int { return cmp.Compare(b.cosine, a.cosine) })
	got, err := s.Similar(t.Context(), of, 12)
	if err != nil || len(got) != 12 {
		t.Fatalf("%d similar ones, %v", len(got), err)
	}
	for i, g := range got {
		if g.Defect.ID != want[i].id || math.Abs(g.Similarity-want[i].cosine) > 1e-9 {
			t.Errorf("place %d is defect %d with %.4f, want %d with %.4f", i, g.Defect.ID, g.Similarity, want[i].id, want[i].cosine)
		}
	}
	// All of them, with what people said.
	all, err := s.Similar(t.Context(), of, 200)
	if err != nil || len(all) != len(want) {
		t.Fatalf("%d of %d, %v", len(all), len(want), err)
	}
	for _, g := range all {
		if g.Defect.ID == said.ID && (g.Defect.Review == nil || g.Defect.Review.By != "Kim") {
			t.Errorf("the review of %d is not told: %+v", said.ID, g.Defect.Review)
		}
	}
	if none, err := s.Similar(t.Context(), 4, 12); err != nil || len(none) != 0 {
		t.Errorf("of a defect without a picture: %v, %v", none, err)
	}
	if _, err := s.Similar(t.Context(), 9999, 12); !isType[*inspection.NotFoundError](err) {
		t.Errorf("of no defect: %v", err)
	}
	item := queueOf(t, s, inspection.QueueQuery{Limit: 1}).Items[0]
	if item.Picture == nil || *item.Picture != (inspection.PictureSize{Length: 64, Width: 32.5}) {
		t.Errorf("the picture of defect %d shows %v", item.Defect.ID, item.Picture)
	}
}

func TestNeighboursLieOnTheSameSideNearestFirst(t *testing.T) {
	s := open(t, t.TempDir())
	graded(t, s, "A1", 40) // 1 mm apart, the sides in turn
	graded(t, s, "A2", 40)
	near, err := s.Neighbours(t.Context(), 21, 6, 12)
	if err != nil {
		t.Fatal(err)
	}
	var ids []inspection.DefectID
	for _, n := range near {
		ids = append(ids, n.Defect.ID)
		if n.Distance != inspection.MM(n.Defect.ID-21) || n.Defect.Coil != "A1" {
			t.Errorf("neighbour %+v", n)
		}
	}
	if want := []inspection.DefectID{19, 23, 17, 25, 15, 27}; !slices.Equal(ids, want) {
		t.Errorf("neighbours %v, want %v", ids, want)
	}
	if some, err := s.Neighbours(t.Context(), 21, 6, 3); err != nil || len(some) != 3 {
		t.Errorf("at most three: %d, %v", len(some), err)
	}
}

// BenchmarkSimilar compares with the newest 200,000 pictures, or passes over as many that another model classified.
func BenchmarkSimilar(b *testing.B) {
	b.Run("same model", func(b *testing.B) { benchmarkSimilar(b, "first v1", 12) })
	b.Run("another model", func(b *testing.B) { benchmarkSimilar(b, "second v1", 0) })
}

func benchmarkSimilar(b *testing.B, model string, want int) {
	s := open(b, b.TempDir())
	r := rand.New(rand.NewPCG(1, 2))
	start(b, s, "A1", inspection.CoilOrder{})
	var looks []inspection.Look
	appendTo(b, s, seenAs(r, "A1", 2, &looks))
	if _, err := s.CloseCoil(b.Context(), "A1", inspection.Strip{Coil: "A1", Length: 10, Width: 10}, inspection.InspectionResult{Grade: inspection.Prime}, time.Now()); err != nil {
		b.Fatal(err)
	}
	startUnder(b, s, "A2", model)
	for range 110 {
		t := batch("A2", 2000, 0)
		for range t.Defects {
			t.Images = append(t.Images, nil)
		}
		appendTo(b, s, t)
		for i := range t.Defects { // a file for each would measure the disk
			t.Defects[i].HasImage = true
			t.Images[i] = &inspection.Crop{Look: randomLook(r)}
		}
		tx, err := s.writer.BeginTx(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := insertPictures(b.Context(), tx, 2, t); err != nil {
			b.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if got, err := s.Similar(b.Context(), 1, 12); err != nil || len(got) != want {
			b.Fatal(len(got), err)
		}
	}
}
