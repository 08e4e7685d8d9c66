package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// drawable selects the defects that a sample is drawn from: those that a model classified. One whose picture was
// dropped cannot be reviewed.
const drawable = ` FROM defects d WHERE d.seen >= ? AND d.class <> '` + string(inspection.Unclassified) + `'`

// DrawSample draws a sample of the recorded defects and records which they are. A draw that is not allowed, or
// finds nothing to draw from, is *inspection.FieldError.
func (s *Store) DrawSample(ctx context.Context, d inspection.SampleDraw) (inspection.Sample, error) {
	const what = "drawing a sample"
	var p inspection.Sample
	var drawn []inspection.DefectID
	// The pass over all defects is a read: the line goes on recording. Defects are only added, so that what was
	// picked is still there when the sample is written.
	err := s.view(ctx, what, func(q querier) (err error) {
		p, drawn, err = pick(ctx, q, d)
		return err
	})
	if err != nil {
		return p, err
	}
	p.At = timeOf(micros(s.options.Now()))
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.write(ctx, what, func(ctx context.Context, tx *sql.Tx) error { return insertSample(ctx, tx, &p, drawn) })
	return p, err
}

// DrawSample is Store.DrawSample on the record in dir beside the appliance that has it open. It writes a few
// milliseconds, in which the appliance's own write waits; SQLite sees to that.
func DrawSample(ctx context.Context, dir string, d inspection.SampleDraw, at time.Time) (_ inspection.Sample, err error) {
	r, err := OpenReader(ctx, dir) // which also refuses the record of another version
	if err != nil {
		return inspection.Sample{}, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var p inspection.Sample
	var drawn []inspection.DefectID
	err = r.view(ctx, "drawing a sample", func(q querier) (err error) {
		p, drawn, err = pick(ctx, q, d)
		return err
	})
	if err != nil {
		return p, err
	}
	p.At = timeOf(micros(at))
	abs, err := filepath.Abs(filepath.Join(dir, databaseName))
	if err != nil {
		return p, fmt.Errorf("data directory %s: %w", dir, err)
	}
	db, err := sql.Open("sqlite3", dsn(abs, "_txlock=immediate"))
	if err != nil {
		return p, fmt.Errorf("data directory %s cannot be written: %w", dir, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return p, fmt.Errorf("data directory %s cannot be written: %w", dir, err)
	}
	defer tx.Rollback() // does nothing after the commit
	if err := insertSample(ctx, tx, &p, drawn); err != nil {
		return p, fmt.Errorf("recording a sample: %w", err)
	}
	return p, tx.Commit()
}

// view runs f on one state of the database.
func (r *Reader) view(ctx context.Context, what string, f func(querier) error) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer tx.Rollback() // it has only read
	if err := f(tx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// pick chooses the defects of a sample; its id and time are not set yet.
func pick(ctx context.Context, q querier, d inspection.SampleDraw) (p inspection.Sample, drawn []inspection.DefectID, err error) {
	if err := d.Check(); err != nil {
		return p, nil, err
	}
	since := int64(0)
	if !d.Since.IsZero() {
		since = micros(d.Since)
		p.Since = new(timeOf(since))
	}
	p.By, p.Seed, p.Models = d.By, d.Seed, []string{}
	err = eachRow(ctx, q, func(scan func(...any) error) error {
		var h inspection.Stratum
		var lost int
		err := scan(&h.Class, &h.Size, &lost)
		p.WithoutPicture += lost
		if h.Size > 0 {
			p.Strata = append(p.Strata, h)
		}
		return err
	}, `SELECT d.class, coalesce(sum(d.has_image), 0), coalesce(sum(NOT d.has_image), 0)`+drawable+` GROUP BY d.class ORDER BY d.class`, since)
	if err != nil {
		return p, nil, err
	}
	if len(p.Strata) == 0 {
		return p, nil, &inspection.FieldError{Field: "since", Reason: "no classified defect with a picture is recorded from then on"}
	}
	if err := inspection.Allocate(p.Strata, d.Count, d.Least); err != nil {
		return p, nil, err
	}
	err = eachRow(ctx, q, func(scan func(...any) error) error {
		var m string
		err := scan(&m)
		p.Models = append(p.Models, m)
		return err
	}, `SELECT DISTINCT c.model FROM coils c WHERE EXISTS (SELECT 1`+drawable+` AND d.has_image AND d.coil = c.n) ORDER BY c.model`, since)
	if err != nil {
		return p, nil, err
	}
	drawing := inspection.NewDrawing(p.Strata, rand.NewPCG(d.Seed, sampleStream))
	err = eachRow(ctx, q, func(scan func(...any) error) error {
		var id int64
		var class string
		err := scan(&id, &class)
		drawing.See(inspection.DefectID(id), inspection.DefectClass(class))
		return err
	}, `SELECT d.id, d.class`+drawable+` AND d.has_image ORDER BY d.id`, since)
	return p, drawing.Drawn(), err
}

// sampleStream is the second half of the random generator's seed: any number, always the same.
const sampleStream = 0x5a3c

func eachRow(ctx context.Context, q querier, row func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func insertSample(ctx context.Context, tx *sql.Tx, p *inspection.Sample, drawn []inspection.DefectID) error {
	models, err := json.Marshal(p.Models)
	if err != nil {
		return err
	}
	since := int64(0)
	if p.Since != nil {
		since = micros(*p.Since)
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO samples (at, asked_by, since, seed, without_picture, models) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
		micros(p.At), p.By, since, int64(p.Seed), p.WithoutPicture, string(models)).Scan(&p.ID)
	if err != nil {
		return err
	}
	for _, h := range p.Strata {
		if _, err := tx.ExecContext(ctx, `INSERT INTO sample_strata (sample, class, size, drawn) VALUES (?, ?, ?, ?)`, p.ID, string(h.Class), h.Size, h.Drawn); err != nil {
			return err
		}
	}
	for i, id := range drawn {
		if _, err := tx.ExecContext(ctx, `INSERT INTO sample_defects (sample, n, defect) VALUES (?, ?, ?)`, p.ID, i, int64(id)); err != nil {
			return err
		}
	}
	return nil
}

// Sample reads a sample and its defects as they are now, with the reviews that stand, in the random order in which
// they are to be reviewed.
func (s *Store) Sample(ctx context.Context, id inspection.SampleID) (p inspection.Sample, drawn []inspection.Defect, err error) {
	err = s.view(ctx, "reading a sample", func(q querier) error {
		p, drawn, err = readSample(ctx, q, id)
		return err
	})
	return p, drawn, err
}

// Sample is Store.Sample.
func (r *Reader) Sample(ctx context.Context, id inspection.SampleID) (p inspection.Sample, drawn []inspection.Defect, err error) {
	err = r.view(ctx, "reading a sample", func(q querier) error {
		p, drawn, err = readSample(ctx, q, id)
		return err
	})
	return p, drawn, err
}

func readSample(ctx context.Context, q querier, id inspection.SampleID) (inspection.Sample, []inspection.Defect, error) {
	some, err := samples(ctx, q, `WHERE id = ?`, int64(id))
	if err != nil {
		return inspection.Sample{}, nil, err
	}
	if len(some) == 0 {
		return inspection.Sample{}, nil, &inspection.NotFoundError{Noun: "sample", ID: strconv.FormatInt(int64(id), 10)}
	}
	place := map[inspection.DefectID]int{}
	err = eachRow(ctx, q, func(scan func(...any) error) error {
		var n int
		var defect int64
		err := scan(&n, &defect)
		place[inspection.DefectID(defect)] = n
		return err
	}, `SELECT n, defect FROM sample_defects WHERE sample = ?`, int64(id))
	if err != nil {
		return some[0], nil, err
	}
	var coils []coil
	err = eachRow(ctx, q, func(scan func(...any) error) error {
		var c coil
		err := scan(&c.n, &c.ID)
		coils = append(coils, c)
		return err
	}, `SELECT DISTINCT c.n, c.id FROM sample_defects s JOIN defects d ON d.id = s.defect JOIN coils c ON c.n = d.coil WHERE s.sample = ?`, int64(id))
	if err != nil {
		return some[0], nil, err
	}
	out := make([]inspection.Defect, len(place))
	for _, c := range coils {
		where := clauses{[]string{"coil = ?", "id IN (SELECT defect FROM sample_defects WHERE sample = ?)"}, []any{c.n, int64(id)}}
		defects, err := readDefects(ctx, q, c, where, -1)
		if err != nil {
			return some[0], nil, err
		}
		for _, d := range defects {
			out[place[d.ID]] = d
		}
	}
	return some[0], out, nil
}

// Samples lists the newest samples, the newest first, at most limit.
func (s *Store) Samples(ctx context.Context, limit int) (out []inspection.Sample, err error) {
	err = s.view(ctx, "listing samples", func(q querier) error {
		out, err = samples(ctx, q, `ORDER BY id DESC LIMIT ?`, limit)
		return err
	})
	return out, err
}

func samples(ctx context.Context, q querier, which string, arg any) ([]inspection.Sample, error) {
	var out []inspection.Sample
	err := eachRow(ctx, q, func(scan func(...any) error) error {
		var (
			p               inspection.Sample
			at, since, seed int64
			models          []byte
		)
		if err := scan(&p.ID, &at, &p.By, &since, &seed, &p.WithoutPicture, &models); err != nil {
			return err
		}
		p.At, p.Seed = timeOf(at), uint64(seed)
		if since != 0 {
			p.Since = new(timeOf(since))
		}
		out = append(out, p)
		return json.Unmarshal(models, &out[len(out)-1].Models)
	}, `SELECT id, at, asked_by, since, seed, without_picture, models FROM samples `+which, arg)
	if err != nil {
		return nil, err
	}
	for i := range out {
		err := eachRow(ctx, q, func(scan func(...any) error) error {
			var h inspection.Stratum
			err := scan(&h.Class, &h.Size, &h.Drawn)
			out[i].Strata = append(out[i].Strata, h)
			return err
		}, `SELECT class, size, drawn FROM sample_strata WHERE sample = ? ORDER BY class`, int64(out[i].ID))
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
