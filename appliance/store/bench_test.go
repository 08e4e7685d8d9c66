package store

import (
	"context"
	"database/sql"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

// BenchmarkAppend writes batches as the line does in 100 ms at its floor and at its aim.
func BenchmarkAppend(b *testing.B) {
	for name, n := range map[string]int{"2000 a batch": 2000, "10000 a batch": 10000} {
		b.Run(name, func(b *testing.B) {
			s := open(b, b.TempDir())
			start(b, s, "A1", inspection.CoilOrder{})
			defects := batch("A1", n, 0)
			b.ReportAllocs()
			for b.Loop() {
				appendTo(b, s, defects)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "defects/s")
		})
	}
}

// BenchmarkAppendPictures writes what 100 ms of the worst line give with a picture each, whose look and size are kept or
// not known.
func BenchmarkAppendPictures(b *testing.B) {
	for name, shows := range map[string]inspection.PictureSize{"looks": {Length: 64, Width: 64}, "no looks": {}} {
		b.Run(name, func(b *testing.B) { appendPictures(b, shows) })
	}
}

func appendPictures(b *testing.B, shows inspection.PictureSize) {
	s := open(b, b.TempDir())
	start(b, s, "A1", inspection.CoilOrder{})
	defects := batch("A1", 20, 0)
	for i := range defects.Defects {
		c := &inspection.Crop{Pix: make([]byte, 128*128), Size: 128, Shows: shows}
		noise := uint32(i + 1)
		for p := range c.Pix { // like steel: a grey with a few bits of noise
			noise = noise*1664525 + 1013904223
			c.Pix[p] = 110 + byte(noise>>28)
		}
		defects.Images = append(defects.Images, c)
	}
	b.ReportAllocs()
	for b.Loop() {
		appendTo(b, s, defects)
	}
	b.ReportMetric(20*float64(b.N)/b.Elapsed().Seconds(), "pictures/s")
}

// BenchmarkLooks adds the looks of 2000 defects to their transaction.
func BenchmarkLooks(b *testing.B) {
	s := open(b, b.TempDir())
	start(b, s, "A1", inspection.CoilOrder{})
	defects := batch("A1", 2000, 0)
	appendTo(b, s, defects)
	for i := range defects.Defects {
		defects.Defects[i].HasImage = true
		defects.Images = append(defects.Images, &inspection.Crop{Shows: inspection.PictureSize{Length: 64, Width: 64}})
	}
	for with, name := range []string{"without", "with"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				err := s.write(b.Context(), "looks", func(ctx context.Context, tx *sql.Tx) error {
					for i := range defects.Defects {
						defects.Defects[i].ID = s.nextID + inspection.DefectID(i)
					}
					s.nextID += inspection.DefectID(len(defects.Defects))
					if err := s.insertDefects(ctx, tx, 1, defects.Defects); err != nil || with == 0 {
						return err
					}
					return insertPictures(ctx, tx, 1, defects)
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(2000*float64(b.N)/b.Elapsed().Seconds(), "defects/s")
		})
	}
}

// worst is a store with a coil of 200,000 defects, the worst that a tinplate line gives.
func worst(b *testing.B) *Store {
	s := open(b, b.TempDir())
	start(b, s, "A1", inspection.CoilOrder{})
	for i := range 20 {
		appendTo(b, s, batch("A1", 10000, inspection.MM(10000*i)))
	}
	b.ReportAllocs()
	return s
}

// BenchmarkMap reads what a coil is graded by.
func BenchmarkMap(b *testing.B) {
	s := worst(b)
	for b.Loop() {
		if m, err := s.Map(b.Context(), "A1"); err != nil || len(m.Defects) != 200000 {
			b.Fatal(len(m.Defects), err)
		}
	}
}

// BenchmarkMapDefects reads what a coil's map is drawn by.
func BenchmarkMapDefects(b *testing.B) {
	s := worst(b)
	for b.Loop() {
		n := 0
		err := s.MapDefects(b.Context(), "A1", func(inspection.Coil) {}, func(inspection.MapDefect) { n++ })
		if err != nil || n != 200000 {
			b.Fatal(n, err)
		}
	}
}
