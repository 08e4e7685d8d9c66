package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// change writes an entry of the change log within the transaction of what it tells of. As there is one
// writer, sequence numbers are given in commit order: a reader that has seen n will never see less.
func (s *Store) change(ctx context.Context, tx *sql.Tx, kind, subject string, revision int, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_, err = tx.StmtContext(ctx, s.inserts.change).ExecContext(ctx, micros(s.options.Now()), kind, subject, revision, string(b))
	return err
}

// bounds are the oldest entry kept and the newest ever written; oldest is newest + 1 where none is kept.
func bounds(ctx context.Context, q querier) (oldest, newest int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT coalesce((SELECT min(seq) FROM changes), w.seq + 1), w.seq
		FROM (SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0) AS seq) w`).Scan(&oldest, &newest)
	return oldest, newest, err
}

// Changes reads entries with a sequence number greater than after, at most limit (1 to 1000; 0 for
// 500). It is *inspection.GoneError where entries after it are no longer kept.
func (s *Store) Changes(ctx context.Context, after int64, limit int) (inspection.ChangePage, error) {
	if limit <= 0 {
		limit = 500
	}
	limit = min(limit, 1000)
	page := inspection.ChangePage{NextAfter: after}
	err := s.view(ctx, "reading changes", func(q querier) error {
		var err error
		if page.Oldest, page.HighWater, err = bounds(ctx, q); err != nil {
			return err
		}
		if after < page.Oldest-1 {
			return &inspection.GoneError{After: after, Oldest: page.Oldest}
		}
		if after > page.HighWater {
			return &inspection.FieldError{Field: "query.after", Reason: fmt.Sprintf("%d was never given; the newest is %d", after, page.HighWater)}
		}
		rows, err := q.QueryContext(ctx, `SELECT seq, time, type, subject, revision, data FROM changes WHERE seq > ? ORDER BY seq LIMIT ?`, after, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var (
				c    inspection.Change
				at   int64
				data string
			)
			if err := rows.Scan(&c.Seq, &at, &c.Type, &c.Subject, &c.Revision, &data); err != nil {
				return err
			}
			c.Time, c.Data = timeOf(at), json.RawMessage(data)
			page.Changes = append(page.Changes, c)
			page.NextAfter = c.Seq
		}
		page.HasMore = page.NextAfter < page.HighWater
		return rows.Err()
	})
	return page, err
}

// SetCursor acknowledges entries up to acked for a consumer, registering it at first sight. Going back
// is a *inspection.ConflictError unless rewind is set.
func (s *Store) SetCursor(ctx context.Context, consumer string, acked int64, rewind bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(ctx, "cursor of consumer "+consumer, func(ctx context.Context, tx *sql.Tx) error {
		oldest, newest, err := bounds(ctx, tx)
		if err != nil {
			return err
		}
		if acked < 0 || acked > newest {
			return &inspection.FieldError{Field: "body.acked_seq", Reason: fmt.Sprintf("%d is not allowed; allowed are 0 to %d, the newest change", acked, newest)}
		}
		before, err := cursorOf(ctx, tx, consumer)
		var unknown *inspection.NotFoundError
		if err != nil && !errors.As(err, &unknown) {
			return err
		}
		if err == nil && acked < before {
			if !rewind {
				return &inspection.ConflictError{Noun: "consumer", ID: consumer, Reason: fmt.Sprintf("has acknowledged %d already; going back to %d needs rewind", before, acked)}
			}
			if acked < oldest-1 {
				return &inspection.GoneError{After: acked, Oldest: oldest}
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO consumers (name, acked, updated_at) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET acked = excluded.acked, updated_at = excluded.updated_at`, consumer, acked, micros(s.options.Now()))
		return err
	})
}

// Cursor reads how far a consumer has acknowledged.
func (s *Store) Cursor(ctx context.Context, consumer string) (int64, error) {
	acked, err := cursorOf(ctx, s.readers, consumer)
	if err != nil {
		err = s.wrap("reading a cursor", err)
	}
	return acked, err
}

func cursorOf(ctx context.Context, q querier, consumer string) (acked int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT acked FROM consumers WHERE name = ?`, consumer).Scan(&acked)
	if errors.Is(err, sql.ErrNoRows) {
		err = &inspection.NotFoundError{Noun: "consumer", ID: consumer}
	}
	return acked, err
}

// PruneChanges cuts away entries written before a time that every registered consumer has
// acknowledged, and says how many.
func (s *Store) PruneChanges(ctx context.Context, before time.Time) (n int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.write(ctx, "pruning the change log", func(ctx context.Context, tx *sql.Tx) error {
		// From the oldest on without a break: the log never has a hole.
		res, err := tx.ExecContext(ctx, `DELETE FROM changes WHERE seq <= (SELECT coalesce(min(acked), 9223372036854775807) FROM consumers)
			AND seq < coalesce((SELECT min(seq) FROM changes WHERE time >= ?), 9223372036854775807)`, micros(before))
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}
