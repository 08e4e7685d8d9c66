// Package store keeps what was found: coils, defects, gaps, grades and the change log in one SQLite
// database, the pictures of defects as files beside it. What a call acknowledged survives the end of
// the process and of the power; pictures survive the process, and the power where the options say so.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/coilsight/coilsight/inspection"
)

const (
	databaseName = "coilsight.db"
	lockName     = "coilsight.lock"
	imagesName   = "images"

	// readConnections lets a few slow readers (a map of 200,000 defects) run beside quick ones. Each
	// holds a cache of its own.
	readConnections = 4
)

// Options of a store. The zero value is the ordinary one.
type Options struct {
	// SyncImages makes pictures survive a loss of power too, at one disk flush each. Records always
	// do; a picture that was lost is reported as not there.
	SyncImages bool
	// ReviewBelow is the confidence below which a defect waits for a person by it; 0: none does.
	ReviewBelow float32
	Log         *slog.Logger     // nil: slog.Default()
	Now         func() time.Time // nil: time.Now
}

// Store is the record of one appliance. It is safe for concurrent use. Writes are done one after the
// other and are finished once begun, whatever becomes of their context.
type Store struct {
	dir     string
	options Options
	lock    *os.File
	readers *sql.DB

	mu      sync.Mutex // one writer at a time; guards what follows
	writer  *sql.DB    // a single connection
	inserts inserts
	encoder encoder
	nextID  inspection.DefectID
	closed  bool

	commitMu  sync.Mutex
	committed chan struct{} // closed at the next commit with changes

	imagesLost atomic.Int64
	queue      queue
}

// Open opens the record in dir, making both where they are missing. A directory belongs to one
// process at a time. The caller must Close.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	if err := makeDirectory(filepath.Join(dir, imagesName)); err != nil {
		return nil, fmt.Errorf("data directory %s cannot be used: %w; give a directory that can be written", dir, reason(err))
	}
	lock, err := takeLock(filepath.Join(dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("data directory %s cannot be used: %w", dir, err)
	}
	s := &Store{dir: dir, options: o, lock: lock, committed: make(chan struct{})}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(s.wrap("data directory "+dir+" cannot be used", err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	path := filepath.Join(s.dir, databaseName)
	var err error
	if s.writer, err = sql.Open("sqlite3", dsn(path, "_txlock=immediate")); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if err := migrate(ctx, s.writer); err != nil {
		return err
	}
	if s.readers, err = sql.Open("sqlite3", dsn(path, "_query_only=on")); err != nil {
		return err
	}
	s.readers.SetMaxOpenConns(readConnections)
	s.readers.SetMaxIdleConns(readConnections)
	if err := s.readers.PingContext(ctx); err != nil {
		return err
	}
	if s.inserts, err = prepare(ctx, s.writer); err != nil {
		return err
	}
	var last sql.NullInt64
	err = s.writer.QueryRowContext(ctx, `SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'defects'), 0), coalesce((SELECT max(id) FROM defects), 0))`).Scan(&last)
	s.nextID = inspection.DefectID(last.Int64) + 1
	return err
}

// dsn carries every pragma, so that each pooled connection has them.
func dsn(path, extra string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_journal_mode=WAL&_synchronous=FULL&_foreign_keys=on&_busy_timeout=5000&_cache_size=-16000&" + extra
}

// Close ends the store and frees its directory. It may be called more than once.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	errs = append(errs, s.inserts.close())
	for _, db := range []*sql.DB{s.readers, s.writer} { // the writer last: it folds the log into the database
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// ImagesLost counts pictures that could not be written since the store was opened.
func (s *Store) ImagesLost() int64 { return s.imagesLost.Load() }

// write runs f in one transaction and tells those who wait for changes.
func (s *Store) write(ctx context.Context, what string, f func(context.Context, *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	// A write is short; cutting it in the middle saves nothing.
	ctx = context.WithoutCancel(ctx)
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return s.wrap(what, err)
	}
	if err := f(ctx, tx); err != nil {
		_ = tx.Rollback() // SQLite has rolled back by itself after a full disk
		return s.wrap(what, err)
	}
	if err := tx.Commit(); err != nil {
		_ = tx.Rollback()
		return s.wrap(what, err)
	}
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	close(s.committed)
	s.committed = make(chan struct{})
	return nil
}

// Committed is closed when the next write commits; take it before reading to miss none.
func (s *Store) Committed() <-chan struct{} {
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	return s.committed
}

// wrap says what failed; a full disk becomes its own type, the vocabulary's errors stay what they are.
func (s *Store) wrap(what string, err error) error {
	var db sqlite3.Error
	if errors.As(err, &db) {
		if db.Code == sqlite3.ErrFull || db.SystemErrno == syscall.ENOSPC || db.SystemErrno == syscall.EDQUOT {
			return &inspection.StorageFullError{What: "the data directory " + s.dir, Err: err}
		}
		if db.Code == sqlite3.ErrNotADB || db.Code == sqlite3.ErrCorrupt {
			return fmt.Errorf("%s: %s is not a sound database: %w", what, databaseName, err)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}

func makeDirectory(dir string) error { return os.MkdirAll(dir, 0o750) }

// takeLock keeps a second process out for as long as the file is open.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("%w; give a directory that can be written", reason(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.New("another coilsight has it open; stop that one or give another directory")
		}
		return nil, fmt.Errorf("it cannot be locked: %w", err)
	}
	return f, nil
}

// reason is an error of the file system without the path, which the sentence around it names.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// micros is a time as the database keeps it.
func micros(t time.Time) int64 { return t.UnixMicro() }

func timeOf(us int64) time.Time { return time.UnixMicro(us).UTC() }
