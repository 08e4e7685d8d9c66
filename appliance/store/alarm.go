package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/coilsight/coilsight/inspection"
)

// AppendAlarms adds lines to the alarms' history. Seq is given here.
func (s *Store) AppendAlarms(ctx context.Context, records []inspection.AlarmRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(ctx, "alarms", func(ctx context.Context, tx *sql.Tx) error {
		for _, r := range records {
			values, err := json.Marshal(r.Values)
			if err != nil {
				return err
			}
			until := sql.NullInt64{}
			if r.Until != nil {
				until = sql.NullInt64{Int64: micros(*r.Until), Valid: true}
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO alarms (at, event, key, code, priority, first_out, by_whom, reason, until, about) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				micros(r.At), r.Event, r.Key, r.Code, r.Priority, r.FirstOut, r.By, r.Reason, until, string(values)); err != nil {
				return err
			}
		}
		return nil
	})
}

const alarmColumns = `SELECT n, at, event, key, code, priority, first_out, by_whom, reason, until, about FROM alarms`

// Alarms reads up to limit lines of the alarms' history that are older than before (0: all), the newest first. code, where it is not
// empty, selects one kind.
func (s *Store) Alarms(ctx context.Context, before int64, code string, limit int) ([]inspection.AlarmRecord, error) {
	return s.alarms(ctx, ` WHERE (?1 = 0 OR n < ?1) AND (?2 = '' OR code = ?2) ORDER BY n DESC LIMIT ?3`, before, code, limit)
}

// AlarmsAside reads the newest line of each alarm that was shelved or put out of service and not back.
func (s *Store) AlarmsAside(ctx context.Context) ([]inspection.AlarmRecord, error) {
	return s.alarms(ctx, ` WHERE event IN ('shelved', 'out_of_service') AND n IN (
		SELECT max(n) FROM alarms WHERE event IN ('shelved', 'unshelved', 'out_of_service', 'in_service') GROUP BY key)`)
}

func (s *Store) alarms(ctx context.Context, where string, a ...any) (out []inspection.AlarmRecord, err error) {
	err = s.view(ctx, "reading alarms", func(q querier) error {
		rows, err := q.QueryContext(ctx, alarmColumns+where, a...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r inspection.AlarmRecord
			var at int64
			var until sql.NullInt64
			var about string
			if err := rows.Scan(&r.Seq, &at, &r.Event, &r.Key, &r.Code, &r.Priority, &r.FirstOut, &r.By, &r.Reason, &until, &about); err != nil {
				return err
			}
			r.At = timeOf(at)
			if until.Valid {
				t := timeOf(until.Int64)
				r.Until = &t
			}
			if err := json.Unmarshal([]byte(about), &r.Values); err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	return out, err
}
