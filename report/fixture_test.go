package report_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/report"
)

func classes() []report.Class {
	return []report.Class{
		{ID: "no_defect", Ko: "결함 없음", En: "no defect"},
		{ID: "hole", Ko: "홀", En: "hole"},
		{ID: "edge_crack", Ko: "에지 크랙", En: "edge crack"},
		{ID: "slag_inclusion", Ko: "슬래그 개재물", En: "slag inclusion"},
		{ID: "finishing_roll_printing", Ko: "사상 롤 마크", En: "finishing roll printing"},
		{ID: "surface_scratch", Ko: "표면 스크래치", En: "surface scratch"},
		{ID: "red_iron", Ko: "적철", En: "red iron"},
		{ID: "iron_sheet_ash", Ko: "철분 재", En: "iron sheet ash"},
		{ID: "oxide_scale_of_plate_system", Ko: "판 스케일", En: "oxide scale of plate system"},
		{ID: "oxide_scale_of_temperature_system", Ko: "온도 스케일", En: "oxide scale of temperature system"},
		{ID: "unknown", Ko: "알 수 없음", En: "unknown"},
	}
}

func recipe() inspection.Recipe {
	return inspection.Recipe{
		Name: "hot-strip", Version: 3, Description: "Hot-rolled strip", EdgeMargin: 15, LongestGap: 1000, GapGrade: inspection.Hold,
		Severity: map[inspection.DefectClass]inspection.Severity{"hole": 4, "edge_crack": 3, "slag_inclusion": 3, "surface_scratch": 2, "finishing_roll_printing": 2},
		Rules: []inspection.GradingRule{
			{ID: "hole", Classes: []inspection.DefectClass{"hole"}, MinConfidence: 0.6, Count: 1, Grade: inspection.Block},
			{ID: "edge-cracks", Classes: []inspection.DefectClass{"edge_crack"}, MinConfidence: 0.6, Count: 3, Within: 50000, Grade: inspection.Hold},
			{ID: "inclusions", Classes: []inspection.DefectClass{"slag_inclusion"}, Zone: inspection.BodyZone, MinLength: 20, Count: 5, Within: 20000, Grade: inspection.Hold},
			{ID: "scratches", Classes: []inspection.DefectClass{"surface_scratch"}, Zone: inspection.BodyZone, MinLength: 50, Count: 10, Within: 50000, Grade: inspection.Second},
			{ID: "scale", Classes: []inspection.DefectClass{"red_iron", "iron_sheet_ash", "oxide_scale_of_plate_system", "oxide_scale_of_temperature_system"}, MinArea: 2000, Count: 20, Within: 50000, Grade: inspection.Second},
			{ID: "density", Count: 60, Within: 10000, Grade: inspection.Hold},
		},
	}
}

func about() report.About {
	seoul := time.FixedZone("Asia/Seoul", 9*3600)
	return report.About{Classes: classes(), Recipes: []inspection.Recipe{recipe()}, Zone: seoul, Version: "1.2.3", Printed: time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC)}
}

func newStore(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.SaveRecipe(t.Context(), recipe()); err != nil {
		t.Fatal(err)
	}
	return s
}

var began = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func start(t testing.TB, s *store.Store, id inspection.CoilID) {
	t.Helper()
	setup := inspection.Setup{Model: "steel-surface 1.3.0", Calibrations: []inspection.CalibrationRef{
		{Camera: "top", Kind: "flatfield", Version: 4, At: began.Add(-time.Hour)}, {Camera: "bottom", Kind: "geometry", Version: 2, At: began.Add(-time.Hour)},
	}}
	order := inspection.CoilOrder{Width: 1500, Thickness: 2.5, Length: 400_000, SteelGrade: "SS400 강판"}
	if _, err := s.StartCoil(t.Context(), id, order, recipe(), setup, began); err != nil {
		t.Fatal(err)
	}
}

func finish(t testing.TB, s *store.Store, id inspection.CoilID) {
	t.Helper()
	m, err := s.Map(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CloseCoil(t.Context(), id, m.Strip, inspection.GradeMap(m, recipe()), began.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
}

// frac is the fractional part of i times step: a spread without a pattern.
func frac(i int, step float64) inspection.MM {
	_, f := math.Modf(float64(i) * step)
	return inspection.MM(f)
}

// batch is n defects on a strip of 400 m by 1,500 mm, every third of the first 150 with a picture, and so many gaps.
func batch(id inspection.CoilID, n, gaps int) *inspection.Batch {
	const length, width = 400_000, 1500
	all := classes()[1:]
	b := &inspection.Batch{Coil: id, Progress: []inspection.Progress{{Side: inspection.Top, To: length, Width: width}, {Side: inspection.Bottom, To: length, Width: width}}}
	for i := range n {
		class := all[i%len(all)].ID
		b.Defects = append(b.Defects, inspection.Defect{
			Side: inspection.Sides()[i%2], Camera: inspection.CameraID(inspection.Sides()[i%2]), Class: class, Conf: float32(0.5 + frac(i, 0.3819)/2),
			Severity: recipe().SeverityOf(class), Area: float64(5 + i%200), Contrast: 2, Seen: began.Add(time.Duration(i) * 250 * time.Millisecond),
			Rect: inspection.StripRect{Along: frac(i, 0.618034) * (length - 100), Across: frac(i, 0.414214) * (width - 30), Length: 2 + 60*frac(i, 0.236), Width: 1 + 20*frac(i, 0.7321)},
		})
		var crop *inspection.Crop
		if i%3 == 0 && i < 150 {
			crop = &inspection.Crop{Pix: make([]byte, 224*224), Size: 224}
			for k := range crop.Pix {
				x, y := k%224-112, k/224-112
				crop.Pix[k] = byte(150 + k*7919%31)
				if x*x+y*y*(1+i%5) < 900 {
					crop.Pix[k] = 40
				}
			}
		}
		b.Images = append(b.Images, crop)
	}
	for i := range gaps {
		at := frac(i, 0.618034) * (length - 4000)
		g := inspection.Gap{Side: inspection.Sides()[i%2], Camera: inspection.CameraID(inspection.Sides()[i%2]), From: at, To: at + 100 + 3000*frac(i, 0.37), State: inspection.Overrun, Cause: "screening is late"}
		if i%3 == 0 {
			g.State, g.Cause = inspection.DetectedOnly, "burst"
		}
		b.Gaps = append(b.Gaps, g)
	}
	return b
}

func run(t testing.TB, s *store.Store, id inspection.CoilID, defects, gaps int) *inspection.Batch {
	t.Helper()
	start(t, s, id)
	b := batch(id, defects, gaps)
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return b
}

func review(t testing.TB, s *store.Store, d inspection.DefectID, class inspection.DefectClass, by string) {
	t.Helper()
	if _, err := s.Review(t.Context(), d, inspection.Review{Class: class, By: by}, 0); err != nil {
		t.Fatal(fmt.Errorf("defect %d: %w", d, err))
	}
}
