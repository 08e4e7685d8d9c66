package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/appliance/store"
	"github.com/coilsight/coilsight/inspection"
)

// exportPage is how many defects are read at once: a read of a few milliseconds beside the appliance.
const exportPage = 500

func datasetExportCommand() *cobra.Command {
	var s settings
	var o export
	var since string
	var reviewedOnly bool
	c := &cobra.Command{
		Use:   "export --out DIR",
		Short: "Write the pictures that people reviewed, as class folders, COCO and Parquet",
		Long: `Writes into an empty or new folder, while the appliance may go on:

  classes/CLASS/    pictures by the class that a person gave, no_defect included: training takes these
  unknown/          pictures that a person could not give a class
  unreviewed/CLASS/ pictures that nobody reviewed, by the model's class (--include-unreviewed)
  coco.json         the reviewed pictures as COCO; a picture without an annotation shows no defect
  labels.parquet    one row a picture: where it was, what the model said, who said what and when

Of several reviews of a defect the newest counts.`,
		Example: "  coilsight dataset export --data data --out plant --since 2026-03-01",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if reviewedOnly && o.unreviewed {
				return misused("--reviewed-only and --include-unreviewed contradict each other; give one of them")
			}
			var err error
			if o.since, err = parseSince(since); err != nil {
				return err
			}
			cfg, err := s.read()
			if err != nil {
				return err
			}
			return o.run(c.Context(), cfg.Data, c.OutOrStdout())
		},
	}
	s.flags(c)
	c.Flags().StringVar(&o.out, "out", "", "folder to write into; it must be empty or new")
	c.Flags().StringVar(&since, "since", "", "leave out reviews (and defects nobody reviewed) before this day or time: 2026-03-01 or 2026-03-01T06:00:00Z")
	c.Flags().BoolVar(&reviewedOnly, "reviewed-only", false, "write what people reviewed and nothing else, as without --include-unreviewed")
	c.Flags().BoolVar(&o.unreviewed, "include-unreviewed", false, "write the model's own answers too, apart from the others")
	_ = c.MarkFlagRequired("out")
	return c
}

// parseSince reads a day, which begins at midnight here, or a time.
func parseSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, misused("--since is %q; allowed are a day such as 2026-03-01 and a time such as 2026-03-01T06:00:00Z", text)
	}
	return t, nil
}

// export writes labelled pictures.
type export struct {
	out        string
	since      time.Time
	unreviewed bool

	record *store.Reader
	rows   *parquet.GenericWriter[labelRow]
	coco   cocoFile
	counts map[string]int // pictures written, by folder
	lost   int            // pictures that are recorded and not there, or cannot be read
}

// labelRow is a row of labels.parquet. The name of a column that speaks of the model says so; review
// columns are null where nobody reviewed.
type labelRow struct {
	File            string  `parquet:"file"`
	SHA256          string  `parquet:"sha256"`
	Defect          int64   `parquet:"defect_id"`
	Coil            string  `parquet:"coil"`
	Side            string  `parquet:"side"`
	Camera          string  `parquet:"camera"`
	Along           float64 `parquet:"along_mm"`
	Across          float64 `parquet:"across_mm"`
	Length          float64 `parquet:"length_mm"`
	Width           float64 `parquet:"width_mm"`
	Area            float64 `parquet:"area_mm2"`
	SeenAt          int64   `parquet:"seen_at,timestamp(microsecond)"`
	ModelClass      string  `parquet:"model_class"`
	ModelConfidence float32 `parquet:"model_confidence"`
	Model           string  `parquet:"model"`
	Reviewed        bool    `parquet:"reviewed"`
	Class           *string `parquet:"review_class,optional"`
	Reviewer        *string `parquet:"reviewer,optional"`
	ReviewedAt      *int64  `parquet:"reviewed_at,optional,timestamp(microsecond)"`
	Note            *string `parquet:"review_note,optional"`
	Severity        *int32  `parquet:"review_severity,optional"` // null where the person left it to the recipe
}

// rowsInMemory bounds what of the table is held before it is written: 10 MB, while the appliance runs beside.
const rowsInMemory = 50_000

func (o *export) run(ctx context.Context, data string, say io.Writer) (err error) {
	if o.record, err = store.OpenReader(ctx, data); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.record.Close()) }()
	if err := o.prepare(ctx); err != nil {
		return err
	}
	table, err := os.Create(filepath.Join(o.out, "labels.parquet"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, table.Close()) }()
	o.rows = parquet.NewGenericWriter[labelRow](table, parquet.Compression(&parquet.Snappy),
		parquet.MaxRowsPerRowGroup(rowsInMemory))
	o.counts = map[string]int{}
	if err := o.each(ctx, false); err != nil {
		return err
	}
	if o.unreviewed {
		if err := o.each(ctx, true); err != nil {
			return err
		}
	}
	if err := o.rows.Close(); err != nil {
		return fmt.Errorf("labels.parquet: %w", err)
	}
	if err := o.coco.write(filepath.Join(o.out, "coco.json")); err != nil {
		return err
	}
	return o.report(ctx, say)
}

// prepare makes the folder. One that holds anything is refused: a picture whose class has changed since
// would stand in two class folders.
func (o *export) prepare(ctx context.Context) error {
	entries, err := os.ReadDir(o.out)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("folder %s is not empty; give one that is empty or new", o.out)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("folder %s cannot be written: %w", o.out, err)
	}
	first, err := o.record.Labels(ctx, store.LabelQuery{Since: o.since, Limit: 1})
	if err == nil && len(first) == 0 && o.unreviewed {
		first, err = o.record.Labels(ctx, store.LabelQuery{Since: o.since, Unreviewed: true, Limit: 1})
	}
	if err != nil {
		return err
	}
	if len(first) == 0 {
		return errors.New("there is nothing to export: no defect with a picture was reviewed in that time")
	}
	return os.MkdirAll(o.out, 0o750)
}

func (o *export) each(ctx context.Context, unreviewed bool) error {
	q := store.LabelQuery{Since: o.since, Unreviewed: unreviewed, Limit: exportPage}
	for {
		page, err := o.record.Labels(ctx, q)
		if err != nil {
			return err
		}
		for _, l := range page {
			if err := o.one(l); err != nil {
				return err
			}
		}
		if len(page) < exportPage {
			return nil
		}
		q.After = page[len(page)-1].ID
	}
}

// one writes the picture and the row of one defect.
func (o *export) one(l store.Label) error {
	folder, err := folderOf(l)
	if err != nil {
		return err
	}
	picture, err := o.record.Image(l.Coil, l.ID)
	var missing *inspection.NotFoundError
	if err != nil && !errors.As(err, &missing) {
		return err
	}
	width, height, ok := sizeOf(picture)
	if !ok {
		o.lost++
		return nil
	}
	digest := sha256.Sum256(picture)
	sum := hex.EncodeToString(digest[:])
	file := filepath.ToSlash(filepath.Join(folder, fmt.Sprintf("%d-%s.png", l.ID, sum[:12])))
	path := filepath.Join(o.out, filepath.FromSlash(file))
	if o.counts[folder] == 0 {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
	}
	if err := os.WriteFile(path, picture, 0o640); err != nil {
		return err
	}
	o.counts[folder]++
	row := labelRow{
		File: file, SHA256: sum, Defect: int64(l.ID), Coil: string(l.Coil), Side: string(l.Side), Camera: string(l.Camera),
		Along: float64(l.Rect.Along), Across: float64(l.Rect.Across), Length: float64(l.Rect.Length), Width: float64(l.Rect.Width),
		Area: l.Area, SeenAt: l.Seen.UnixMicro(), ModelClass: string(l.Class), ModelConfidence: l.Conf, Model: l.Model,
	}
	if r := l.Review; r != nil {
		class, at := string(r.Class), r.At.UnixMicro()
		row.Reviewed, row.Class, row.Reviewer, row.ReviewedAt = true, &class, &r.By, &at
		if r.Note != "" {
			row.Note = &r.Note
		}
		if r.Severity != nil {
			severity := int32(*r.Severity)
			row.Severity = &severity
		}
		o.coco.add(l, file, width, height)
	}
	if _, err := o.rows.Write([]labelRow{row}); err != nil {
		return fmt.Errorf("labels.parquet: %w", err)
	}
	return nil
}

// sizeOf is the size of a picture in pixels; not ok where it is none.
func sizeOf(picture []byte) (width, height int, ok bool) {
	c, err := png.DecodeConfig(bytes.NewReader(picture))
	return c.Width, c.Height, err == nil
}

// folderOf is where a picture goes. Training takes folders of classes that it knows, so that what is
// unknown to a person stands beside them.
func folderOf(l store.Label) (string, error) {
	class, root := l.Class, "unreviewed"
	if l.Review != nil {
		class, root = l.Review.Class, "classes"
		if class == inspection.Unknown {
			return "unknown", nil
		}
	}
	if class == "" || strings.ContainsAny(string(class), `/\`) || !filepath.IsLocal(string(class)) {
		return "", fmt.Errorf("defect %d: class %q cannot be the name of a folder", l.ID, class)
	}
	return filepath.Join(root, string(class)), nil
}

func (o *export) report(ctx context.Context, say io.Writer) error {
	var folders []string
	total := 0
	for f, n := range o.counts {
		folders = append(folders, f)
		total += n
	}
	slices.Sort(folders)
	for _, f := range folders {
		fmt.Fprintf(say, "%7d  %s\n", o.counts[f], filepath.ToSlash(f))
	}
	fmt.Fprintf(say, "%7d  pictures in %s\n", total, o.out)
	without, err := o.record.WithoutImage(ctx)
	if err != nil {
		return err
	}
	if without > 0 {
		fmt.Fprintf(say, "%7d  reviewed defects of the record have no picture and are left out\n", without)
	}
	if o.lost > 0 {
		fmt.Fprintf(say, "%7d  pictures are recorded and gone or damaged, and are left out\n", o.lost)
	}
	return nil
}

// cocoFile is the COCO object-detection format. A crop is cut around its defect, at the strip's edge not
// in its middle, and the record keeps the defect's place on the strip alone: the box of an annotation is
// the whole picture, and rect_mm is the measured one.
type cocoFile struct {
	images      []cocoImage
	annotations []cocoAnnotation
	classes     []inspection.DefectClass
}

type cocoImage struct {
	ID       int64  `json:"id"`
	File     string `json:"file_name"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	Captured string `json:"date_captured"`
	Coil     string `json:"coil"`
}

type cocoAnnotation struct {
	ID       int64                `json:"id"`
	Image    int64                `json:"image_id"`
	Category int                  `json:"category_id"`
	Box      [4]int               `json:"bbox"`
	Area     int                  `json:"area"`
	Crowd    int                  `json:"iscrowd"`
	Rect     inspection.StripRect `json:"rect_mm"`
	Reviewer string               `json:"reviewer"`
}

type cocoCategory struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Super string `json:"supercategory"`
}

func (f *cocoFile) add(l store.Label, file string, width, height int) {
	id := int64(l.ID)
	f.images = append(f.images, cocoImage{id, file, width, height, l.Seen.UTC().Format(time.RFC3339), string(l.Coil)})
	if l.Review.Class == inspection.NoDefect {
		return
	}
	category := slices.Index(f.classes, l.Review.Class)
	if category < 0 {
		category = len(f.classes)
		f.classes = append(f.classes, l.Review.Class)
	}
	f.annotations = append(f.annotations, cocoAnnotation{
		ID: id, Image: id, Category: category + 1, Box: [4]int{0, 0, width, height}, Area: width * height,
		Rect: l.Rect, Reviewer: l.Review.By,
	})
}

func (f *cocoFile) write(path string) error {
	categories := make([]cocoCategory, 0, len(f.classes))
	for i, c := range f.classes {
		categories = append(categories, cocoCategory{i + 1, string(c), "surface defect"})
	}
	b, err := json.MarshalIndent(map[string]any{
		"info":   map[string]string{"description": "Defects of rolled strip as people reviewed them", "version": "1"},
		"images": append([]cocoImage{}, f.images...), "annotations": append([]cocoAnnotation{}, f.annotations...), "categories": categories,
	}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o640)
}
