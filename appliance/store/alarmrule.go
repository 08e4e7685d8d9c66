package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/coilsight/coilsight/inspection"
)

// PublishAlarmRules keeps the next version of the alarms' rules, at the time of now, and gives it back. Another version than the next is
// a *inspection.ConflictError: somebody else published meanwhile.
func (s *Store) PublishAlarmRules(ctx context.Context, r inspection.AlarmRules) (inspection.AlarmRules, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rules, err := json.Marshal(r.Rules)
	if err != nil {
		return r, err
	}
	r.At = timeOf(micros(s.options.Now()))
	return r, s.write(ctx, fmt.Sprintf("alarm rules v%d", r.Version), func(ctx context.Context, tx *sql.Tx) error {
		var newest int
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM alarm_rules`).Scan(&newest); err != nil {
			return err
		}
		if r.Version != newest+1 {
			return &inspection.ConflictError{Noun: "alarm rules", ID: fmt.Sprintf("v%d", r.Version), Reason: fmt.Sprintf("are not the next; the newest are v%d", newest)}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO alarm_rules (version, at, by_whom, note, rules) VALUES (?, ?, ?, ?, ?)`,
			r.Version, micros(r.At), r.By, r.Note, string(rules)); err != nil {
			return err
		}
		return s.change(ctx, tx, "alarm_rules.published", "alarm-rules", r.Version, map[string]any{"version": r.Version, "by": r.By, "note": r.Note})
	})
}

// AlarmRules reads the published versions of the alarms' rules, the newest first.
func (s *Store) AlarmRules(ctx context.Context) (out []inspection.AlarmRules, err error) {
	err = s.view(ctx, "reading the alarms' rules", func(q querier) error {
		rows, err := q.QueryContext(ctx, `SELECT version, at, by_whom, note, rules FROM alarm_rules ORDER BY version DESC`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r inspection.AlarmRules
			var at int64
			var text []byte
			if err := rows.Scan(&r.Version, &at, &r.By, &r.Note, &text); err != nil {
				return err
			}
			r.At = timeOf(at)
			if err := json.Unmarshal(text, &r.Rules); err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	return out, err
}
