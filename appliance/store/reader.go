package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Reader reads a record beside the appliance that writes it, without its lock. It never writes. It is
// safe for concurrent use.
type Reader struct {
	dir string
	db  *sql.DB
}

// OpenReader opens the record in dir for reading. The caller must Close.
func OpenReader(ctx context.Context, dir string) (*Reader, error) {
	path := filepath.Join(dir, databaseName)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("data directory %s holds no record: %w; give the directory of an appliance", dir, reason(err))
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: abs}).EscapedPath()+"?mode=ro&_query_only=on&_busy_timeout=5000")
	if err != nil {
		return nil, fmt.Errorf("data directory %s cannot be read: %w", dir, err)
	}
	r := &Reader{dir, db}
	var version int
	err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	if known := len(migrations()); err == nil && version != known {
		err = fmt.Errorf("its database has version %d, this program reads %d: start the appliance of this version on it once", version, known)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("data directory %s cannot be read: %w", dir, err), r.Close())
	}
	return r, nil
}

// Close ends the reading.
func (r *Reader) Close() error { return r.db.Close() }

// LabelQuery selects labelled defects in order of their ids.
type LabelQuery struct {
	// Since leaves out reviews before it and, of defects without one, those seen before it.
	Since time.Time
	// Unreviewed selects the defects that nobody reviewed, in place of those that somebody did.
	Unreviewed bool
	After      inspection.DefectID // the last of the page before
	Limit      int
}

// Label is a defect with the model that classified it.
type Label struct {
	inspection.Defect
	Model string
}

// Labels reads one page of defects that have a picture. A page is a read of its own, so that a long
// export does not hold up the appliance's write-ahead log.
func (r *Reader) Labels(ctx context.Context, q LabelQuery) (_ []Label, err error) {
	from := `SELECT d.id, c.id, c.n, c.model FROM defects d JOIN coils c ON c.n = d.coil
		WHERE d.id > ? AND d.has_image AND d.id NOT IN (SELECT defect FROM standing_reviews) AND d.seen >= ? ORDER BY d.id LIMIT ?`
	if !q.Unreviewed {
		from = `SELECT d.id, c.id, c.n, c.model FROM standing_reviews r JOIN defects d ON d.id = r.defect JOIN coils c ON c.n = d.coil
			WHERE d.id > ? AND d.has_image GROUP BY d.id HAVING max(r.at) >= ? ORDER BY d.id LIMIT ?`
	}
	since := int64(0)
	if !q.Since.IsZero() {
		since = micros(q.Since)
	}
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("reading labels: %w", err)
	}
	defer tx.Rollback() // it has only read
	type key struct {
		id    inspection.DefectID
		owner coil
	}
	var keys []key
	rows, err := tx.QueryContext(ctx, from, int64(q.After), since, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("reading labels: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var k key
		if err := rows.Scan(&k.id, &k.owner.ID, &k.owner.n, &k.owner.Model); err != nil {
			return nil, fmt.Errorf("reading labels: %w", err)
		}
		keys = append(keys, k)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading labels: %w", err)
	}
	out := make([]Label, 0, len(keys))
	for _, k := range keys {
		one, err := readDefects(ctx, tx, k.owner, clauses{[]string{"id = ?"}, []any{int64(k.id)}}, 1)
		if err != nil {
			return nil, fmt.Errorf("reading defect %d: %w", k.id, err)
		}
		out = append(out, Label{one[0], k.owner.Model})
	}
	return out, nil
}

// WithoutImage counts the reviewed defects that have no picture.
func (r *Reader) WithoutImage(ctx context.Context) (n int, err error) {
	err = r.db.QueryRowContext(ctx, `SELECT count(DISTINCT d.id) FROM standing_reviews r JOIN defects d ON d.id = r.defect WHERE NOT d.has_image`).Scan(&n)
	if err != nil {
		err = fmt.Errorf("counting labels: %w", err)
	}
	return n, err
}

// Image reads the picture (PNG) of a defect; *inspection.NotFoundError where it was lost.
func (r *Reader) Image(coil inspection.CoilID, id inspection.DefectID) ([]byte, error) {
	b, err := os.ReadFile(imagePath(r.dir, coil, id))
	if errors.Is(err, fs.ErrNotExist) || (err == nil && len(b) == 0) {
		return nil, &inspection.NotFoundError{Noun: "picture of defect", ID: fmt.Sprint(id)}
	}
	return b, err
}
