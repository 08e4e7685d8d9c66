package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// record measures durable defects per second: full batches without pictures, then batches of a tenth of a
// second of 200 events/s with their pictures.
func record(ctx context.Context, o Options, share float64, r *Report) (err error) {
	dir := filepath.Join(o.Work, "record")
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	st, err := store.Open(ctx, dir, store.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	recipe := inspection.Recipe{
		Name: "bench", Version: 1, LongestGap: 1000, GapGrade: inspection.Hold,
		Rules: []inspection.GradingRule{{ID: "any", Count: 1 << 30, Grade: inspection.Second}},
	}
	if _, err := st.StartCoil(ctx, "RECORD", inspection.CoilOrder{}, recipe, inspection.Setup{Model: "bench"}, time.Now()); err != nil {
		return err
	}
	along := inspection.MM(0)
	batch := func(n int, picture *inspection.Crop) *inspection.Batch {
		b := &inspection.Batch{Coil: "RECORD"}
		for range n {
			along += 10
			b.Defects = append(b.Defects, inspection.Defect{
				Coil: "RECORD", Side: inspection.Top, Camera: "bench", Class: "surface_scratch", Conf: 0.9, Severity: 2,
				Rect: inspection.StripRect{Along: along, Across: 100, Length: 20, Width: 4}, Area: 60, Contrast: 2, Seen: time.Now(),
			})
			if picture != nil {
				b.Images = append(b.Images, picture)
			}
		}
		return b
	}
	const full, tenth = 2000, 20
	if r.Record.DefectsPerSecond, err = rate(seconds(share, 3), full, func() error { return st.Append(ctx, batch(full, nil)) }); err != nil {
		return err
	}
	picture := &inspection.Crop{Pix: make([]byte, inference.CropSize*inference.CropSize), Size: inference.CropSize}
	for i := range picture.Pix {
		picture.Pix[i] = byte(100 + i*i%37)
	}
	r.Record.PicturesPerSecond, err = rate(seconds(share, 2), tenth, func() error { return st.Append(ctx, batch(tenth, picture)) })
	return err
}
