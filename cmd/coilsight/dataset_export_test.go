package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/inspection"
)

// reviewedRecord is an open record of seven defects with pictures and one without. Defects 1 to 5 and 8
// are reviewed, 1 twice.
func reviewedRecord(t *testing.T, dir string) *store.Store {
	t.Helper()
	ctx := t.Context()
	s, err := store.Open(ctx, dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	recipe := inspection.Recipe{Name: "r", Version: 1, GapGrade: inspection.Hold}
	if _, err := s.StartCoil(ctx, "A1", inspection.CoilOrder{}, recipe, inspection.Setup{Model: "first 1.0.0"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	b := &inspection.Batch{Coil: "A1"}
	for i := range 8 {
		b.Defects = append(b.Defects, inspection.Defect{
			Side: inspection.Bottom, Camera: "bottom", Class: "surface_scratch", Conf: 0.75, Area: 12,
			Rect: inspection.StripRect{Along: inspection.MM(100 * i), Across: 40, Length: 8, Width: 2}, Seen: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
		})
		crop := &inspection.Crop{Pix: make([]byte, 64*64), Size: 64}
		for j := range crop.Pix {
			crop.Pix[j] = byte(j*(i+1)) / 2
		}
		if i == 7 {
			crop = nil
		}
		b.Images = append(b.Images, crop)
	}
	if err := s.Append(ctx, b); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		id       inspection.DefectID
		class    inspection.DefectClass
		note     string
		severity *inspection.Severity
	}{
		{1, "hole", "", nil},
		{1, "slag_inclusion", "개재물", new(inspection.Severity(4))},
		{2, inspection.NoDefect, "", nil},
		{3, inspection.Unknown, "", nil},
		{4, "surface_scratch", "", nil},
		{5, "slag_inclusion", "", nil},
		{8, "hole", "", nil},
	} {
		if _, err := s.Review(ctx, r.id, inspection.Review{Class: r.class, By: "Kim", Note: r.note, Severity: r.severity}, 0); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// filesUnder lists files by their paths without the digest.
func filesUnder(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			name, _, _ := strings.Cut(filepath.ToSlash(rel), "-")
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestExportWritesWhatPeopleSaidWhileTheApplianceRuns(t *testing.T) {
	data, out := t.TempDir(), filepath.Join(t.TempDir(), "plant")
	reviewedRecord(t, data)
	code, stdout, stderr := command(t, "dataset", "export", "--data", data, "--out", out)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	want := []string{
		"classes/no_defect/2", "classes/slag_inclusion/1", "classes/slag_inclusion/5", "classes/surface_scratch/4",
		"coco.json", "labels.parquet", "unknown/3",
	}
	if got := filesUnder(t, out); !slices.Equal(got, want) {
		t.Errorf("files %v; want %v", got, want)
	}
	if !strings.Contains(stdout, "5  pictures in") || !strings.Contains(stdout, "1  reviewed defects of the record have no picture") {
		t.Errorf("it says %q", stdout)
	}

	rows, err := parquet.ReadFile[labelRow](filepath.Join(out, "labels.parquet"))
	if err != nil || len(rows) != 5 {
		t.Fatalf("%d rows, %v; want 5", len(rows), err)
	}
	for _, r := range rows {
		picture, err := os.ReadFile(filepath.Join(out, r.File))
		if err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(filepath.Join(data, "images", "A1", strings.TrimPrefix(strings.Split(filepath.Base(r.File), "-")[0], "/")+".png"))
		if err != nil || string(kept) != string(picture) {
			t.Errorf("%s is not the recorded picture: %v", r.File, err)
		}
		digest := sha256.Sum256(picture)
		if sum := hex.EncodeToString(digest[:]); r.SHA256 != sum || !strings.HasSuffix(r.File, "-"+sum[:12]+".png") {
			t.Errorf("%s has digest %s", r.File, sum)
		}
		if r.Coil != "A1" || r.Side != "bottom" || r.ModelClass != "surface_scratch" || r.ModelConfidence != 0.75 || r.Model != "first 1.0.0" || !r.Reviewed || *r.Reviewer != "Kim" || time.Since(time.UnixMicro(*r.ReviewedAt)) > time.Hour {
			t.Errorf("row %+v", r)
		}
		if r.Defect == 5 && r.Severity != nil {
			t.Errorf("row %+v has a severity that nobody gave", r)
		}
		if r.Defect == 1 && (*r.Class != "slag_inclusion" || r.Note == nil || *r.Note != "개재물" || r.Severity == nil || *r.Severity != 4 || r.Along != 0 || r.Across != 40) {
			t.Errorf("row %+v", r)
		}
	}

	var coco struct {
		Images []struct {
			ID            int64
			File          string `json:"file_name"`
			Width, Height int
		}
		Annotations []struct {
			Image    int64      `json:"image_id"`
			Category int        `json:"category_id"`
			Box      [4]float64 `json:"bbox"`
		}
		Categories []struct {
			ID   int
			Name string
		}
	}
	b, err := os.ReadFile(filepath.Join(out, "coco.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &coco); err != nil {
		t.Fatal(err)
	}
	names := map[int]string{}
	for _, c := range coco.Categories {
		names[c.ID] = c.Name
	}
	labels := map[int64]string{}
	for _, a := range coco.Annotations {
		labels[a.Image] = names[a.Category]
		if a.Box != [4]float64{0, 0, 64, 64} {
			t.Errorf("box %v", a.Box)
		}
	}
	if len(coco.Images) != 5 || coco.Images[0].Width != 64 || len(labels) != 4 || labels[1] != "slag_inclusion" || labels[3] != "unknown" || labels[2] != "" {
		t.Errorf("COCO: %d images, labels %v", len(coco.Images), labels)
	}
	for _, im := range coco.Images {
		if _, err := os.Stat(filepath.Join(out, im.File)); err != nil {
			t.Error(err)
		}
	}
}

func TestExportKeepsTheModelsAnswersApart(t *testing.T) {
	data, out := t.TempDir(), filepath.Join(t.TempDir(), "plant")
	reviewedRecord(t, data)
	if err := os.WriteFile(filepath.Join(data, "images", "A1", "7.png"), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := command(t, "dataset", "export", "--data", data, "--out", out, "--include-unreviewed")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	files := filesUnder(t, out)
	if !slices.Contains(files, "unreviewed/surface_scratch/6") || len(files) != 8 {
		t.Errorf("files %v", files)
	}
	if !strings.Contains(stdout, "1  pictures are recorded and gone or damaged") {
		t.Errorf("it says %q", stdout)
	}
	rows, err := parquet.ReadFile[labelRow](filepath.Join(out, "labels.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	last := rows[len(rows)-1]
	if len(rows) != 6 || last.Defect != 6 || last.Reviewed || last.Class != nil || last.Reviewer != nil || last.ReviewedAt != nil {
		t.Errorf("%d rows, the last %+v", len(rows), last)
	}
}

func TestExportThatCannotBeMeantIsRefused(t *testing.T) {
	data, full, out := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "plant")
	reviewedRecord(t, data)
	if err := os.WriteFile(filepath.Join(full, "notes"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tomorrow := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitFailed, "is not empty", []string{"--data", data, "--out", full}},
		{exitFailed, "nothing to export", []string{"--data", data, "--out", out, "--since", tomorrow}},
		{exitFailed, "holds no record", []string{"--data", full, "--out", out}},
		{exitMisused, `--since is "yesterday"`, []string{"--data", data, "--out", out, "--since", "yesterday"}},
		{exitMisused, "contradict", []string{"--data", data, "--out", out, "--reviewed-only", "--include-unreviewed"}},
		{exitMisused, `"out" not set`, []string{"--data", data}},
	} {
		code, _, stderr := command(t, append([]string{"dataset", "export"}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d, %q; want %d and %q", c.args, code, stderr, c.code, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%v left a folder", c.args)
		}
	}
}
