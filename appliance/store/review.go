package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Review records what a person said of a defect, at the time of this call, beside the model's answer. The
// defect must be at the revision that the person saw (0: any), else it is *inspection.StaleError. The
// grade of the coil stays what it is.
func (s *Store) Review(ctx context.Context, id inspection.DefectID, r inspection.Review, revision int) (d inspection.Defect, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strconv.FormatInt(int64(id), 10)
	err = s.write(ctx, "review of defect "+name, func(ctx context.Context, tx *sql.Tx) error {
		before, owner, err := defectRow(ctx, tx, id)
		if err != nil {
			return err
		}
		if revision != 0 && revision != before.Revision {
			return &inspection.StaleError{Noun: "defect", ID: name, Revision: before.Revision, Presented: revision}
		}
		added, err := tx.ExecContext(ctx, `INSERT INTO reviews (coil, defect, revision, class, reviewer, note, at, model_class, model_conf, model)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			owner.n, int64(id), before.Revision+1, string(r.Class), r.By, r.Note, micros(s.options.Now()), string(before.Class), float64(before.Conf), owner.Model)
		if err != nil {
			return err
		}
		if r.Severity != nil {
			n, err := added.LastInsertId()
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO review_severities (review, severity) VALUES (?, ?)`, n, int(*r.Severity)); err != nil {
				return err
			}
		}
		d, err = s.revised(ctx, tx, id, owner, nil)
		return err
	})
	return d, err
}

// Withdraw takes back the review of a defect that stands, as the person who gave it. What stood before it stands again: an
// earlier review, or the model's answer. The record keeps the review and who took it back. It is
// *inspection.ConflictError where nothing stands that this person gave, and *inspection.StaleError where the
// defect is not at the revision that the person saw (0: any).
func (s *Store) Withdraw(ctx context.Context, id inspection.DefectID, by string, revision int) (d inspection.Defect, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strconv.FormatInt(int64(id), 10)
	err = s.write(ctx, "taking back the review of defect "+name, func(ctx context.Context, tx *sql.Tx) error {
		before, owner, err := defectRow(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case revision != 0 && revision != before.Revision:
			return &inspection.StaleError{Noun: "defect", ID: name, Revision: before.Revision, Presented: revision}
		case before.Review == nil:
			return &inspection.ConflictError{Noun: "defect", ID: name, Reason: "has no review to take back"}
		case before.Review.By != by:
			return &inspection.ConflictError{Noun: "defect", ID: name, Reason: "was reviewed by " + before.Review.By + " last, who alone may take that back; give a review of your own"}
		}
		at := micros(s.options.Now())
		_, err = tx.ExecContext(ctx, `INSERT INTO withdrawals (review, coil, defect, revision, by_whom, at, grading)
			VALUES ((SELECT max(n) FROM standing_reviews WHERE defect = ?1), ?2, ?1, ?3, ?4, ?5, coalesce((SELECT max(n) FROM gradings WHERE coil = ?2), 0))`,
			int64(id), owner.n, before.Revision+1, by, at)
		if err != nil {
			return err
		}
		d, err = s.revised(ctx, tx, id, owner, &withdrawn{*before.Review, inspection.Withdrawal{By: by, At: timeOf(at)}})
		return err
	})
	return d, err
}

// revised raises the revision of a defect and its coil after what a person said, reads the defect and writes the change.
func (s *Store) revised(ctx context.Context, tx *sql.Tx, id inspection.DefectID, owner coil, back *withdrawn) (d inspection.Defect, err error) {
	if _, err := tx.ExecContext(ctx, `UPDATE defects SET revision = revision + 1 WHERE id = ?`, int64(id)); err != nil {
		return d, err
	}
	// The coil's counts of reviews change with it; updated_at is when the line last spoke of it.
	var coilRevision int
	if err := tx.QueryRowContext(ctx, `UPDATE coils SET revision = revision + 1 WHERE n = ? RETURNING revision`, owner.n).Scan(&coilRevision); err != nil {
		return d, err
	}
	if d, _, err = defectRow(ctx, tx, id); err != nil {
		return d, err
	}
	return d, s.change(ctx, tx, "defect.revised", strconv.FormatInt(int64(id), 10), d.Revision, defectChange{d, owner.Model, coilRevision, back})
}

// defectChange is what the change about one defect carries: the defect as it is now.
type defectChange struct {
	inspection.Defect
	Model        string     `json:"model"`
	CoilRevision int        `json:"coil_revision"`
	Withdrawn    *withdrawn `json:"withdrawn,omitempty"` // the review that was taken back
}

type withdrawn struct {
	Review inspection.Review `json:"review"`
	inspection.Withdrawal
}

// Reviews reads all that people said of a defect, oldest first.
func (s *Store) Reviews(ctx context.Context, id inspection.DefectID) (out []inspection.ReviewRecord, err error) {
	err = s.view(ctx, "listing reviews", func(q querier) error {
		if _, _, err := defectRow(ctx, q, id); err != nil {
			return err
		}
		rows, err := q.QueryContext(ctx, `SELECT r.revision, r.class, r.reviewer, r.note, r.at, r.model_class, r.model_conf, r.model, s.severity, w.by_whom, w.at
			FROM reviews r LEFT JOIN review_severities s ON s.review = r.n LEFT JOIN withdrawals w ON w.review = r.n WHERE r.defect = ? ORDER BY r.n`, int64(id))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var (
				r      inspection.ReviewRecord
				at     int64
				by     sql.NullString
				backAt sql.NullInt64
			)
			if err := rows.Scan(&r.Revision, &r.Class, &r.By, &r.Note, &at, &r.ModelClass, &r.ModelConfidence, &r.Model, &r.Severity, &by, &backAt); err != nil {
				return err
			}
			if by.Valid {
				r.Withdrawn = &inspection.Withdrawal{By: by.String, At: timeOf(backAt.Int64)}
			}
			r.At = timeOf(at)
			out = append(out, r)
		}
		return rows.Err()
	})
	return out, err
}

// attachReviews gives defects of a coil, in order of their ids, the reviews that stand. It asks once for
// all of them: of 200,000 defects people review a few hundred.
func attachReviews(ctx context.Context, q querier, coil int64, defects []inspection.Defect) error {
	if len(defects) == 0 {
		return nil
	}
	rows, err := q.QueryContext(ctx, `SELECT defect, class, reviewer, note, at, (SELECT severity FROM review_severities WHERE review = n)
		FROM standing_reviews WHERE coil = ? AND defect BETWEEN ? AND ? ORDER BY defect, n`,
		coil, int64(defects[0].ID), int64(defects[len(defects)-1].ID))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			id inspection.DefectID
			r  inspection.Review
			at int64
		)
		if err := rows.Scan(&id, &r.Class, &r.By, &r.Note, &at, &r.Severity); err != nil {
			return err
		}
		i, ok := slices.BinarySearchFunc(defects, id, func(d inspection.Defect, id inspection.DefectID) int { return cmp.Compare(d.ID, id) })
		if !ok {
			continue // not selected
		}
		r.At = timeOf(at)
		defects[i].Review = &r // a later row is a newer review
	}
	return rows.Err()
}

// countReviews fills in how many defects of the coils were reviewed, and of how many the grade does not rest on what
// stands: they were reviewed since, or the review that it rests on was taken back.
func countReviews(ctx context.Context, q querier, at map[int64]*coil, keys []any) error {
	in := ` IN (?` + strings.Repeat(", ?", len(keys)-1) + `)`
	const restsOn = `coalesce((SELECT max(reviews_to) FROM gradings g WHERE g.coil = r.coil), 0)`
	err := eachRow(ctx, q, func(scan func(...any) error) error {
		var (
			key              int64
			reviewed, beyond int
		)
		err := scan(&key, &reviewed, &beyond)
		if err == nil {
			at[key].Counts.Reviewed, at[key].Counts.NotInGrade = reviewed, beyond
		}
		return err
	}, `SELECT coil, count(DISTINCT defect), count(DISTINCT CASE WHEN n > `+restsOn+` THEN defect END)
		FROM standing_reviews r WHERE coil`+in+` GROUP BY coil`, keys...)
	if err != nil {
		return err
	}
	return eachRow(ctx, q, func(scan func(...any) error) error {
		var (
			key  int64
			back int
		)
		err := scan(&key, &back)
		if err == nil {
			at[key].Counts.NotInGrade += back
		}
		return err
	}, `SELECT coil, count(DISTINCT defect) FROM withdrawals r WHERE coil`+in+` AND review <= `+restsOn+`
		AND grading >= coalesce((SELECT max(n) FROM gradings g WHERE g.coil = r.coil), 0)
		AND NOT EXISTS (SELECT 1 FROM standing_reviews n WHERE n.defect = r.defect AND n.n > `+restsOn+`) GROUP BY coil`, keys...)
}

// Regrade judges a coil that has ended anew, by what people said of its defects and under the recipe
// version it ran with. The grades before stay in its history. The coil must be at the revision that the
// person saw (0: any) and stay at it, else it is *inspection.StaleError; without a review that the grade does not rest
// on yet it is *inspection.ConflictError.
func (s *Store) Regrade(ctx context.Context, id inspection.CoilID, by string, revision int) (inspection.Coil, error) {
	const what = "grading again"
	// The line records while a coil of many thousand defects is judged: only the result is written under its lock.
	var judged regrading
	err := s.view(ctx, what, func(q querier) (err error) {
		judged, err = judgeAgain(ctx, q, id, revision)
		return err
	})
	if err != nil {
		return inspection.Coil{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var c inspection.Coil
	err = s.write(ctx, "coil "+string(id)+" cannot be graded again", func(ctx context.Context, tx *sql.Tx) error {
		row, err := coilRow(ctx, tx, id)
		if err != nil {
			return err
		}
		if row.Revision != judged.revision { // somebody reviewed meanwhile
			return &inspection.StaleError{Noun: "coil", ID: string(id), Revision: row.Revision, Presented: judged.revision}
		}
		if err := insertGrading(ctx, tx, row.n, s.options.Now(), by, row.Counts.Reviewed, judged.lastReview, judged.result); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE coils SET grade = ?, result = ? WHERE n = ?`, judged.grade, string(judged.result), row.n); err != nil {
			return err
		}
		c, err = s.changeCoilBy(ctx, tx, id, "coil.regraded", by)
		return err
	})
	return c, err
}

// regrading is a coil's new grade and what it rests on.
type regrading struct {
	revision   int // of the coil
	lastReview int64
	grade      inspection.Grade
	result     []byte
}

func judgeAgain(ctx context.Context, q querier, id inspection.CoilID, revision int) (r regrading, err error) {
	row, err := coilRow(ctx, q, id)
	switch {
	case err != nil:
		return r, err
	case revision != 0 && revision != row.Revision:
		return r, &inspection.StaleError{Noun: "coil", ID: string(id), Revision: row.Revision, Presented: revision}
	case row.State != inspection.Closed && row.State != inspection.Interrupted:
		return r, &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "is " + string(row.State) + "; a coil is graded again after its end"}
	case row.Counts.NotInGrade == 0:
		return r, &inspection.ConflictError{Noun: "coil", ID: string(id), Reason: "has no review that its grade does not rest on already"}
	}
	recipe, err := readRecipe(ctx, q, row.RecipeName, row.RecipeVersion)
	if err != nil {
		return r, err
	}
	m, err := readMap(ctx, q, row)
	if err != nil {
		return r, err
	}
	res := inspection.GradeMap(inspection.Reviewed(m, recipe), recipe)
	r.revision, r.grade = row.Revision, res.Grade
	if r.result, err = json.Marshal(res); err != nil {
		return r, err
	}
	err = q.QueryRowContext(ctx, `SELECT max(n) FROM reviews WHERE coil = ?`, row.n).Scan(&r.lastReview)
	return r, err
}

func insertGrading(ctx context.Context, tx *sql.Tx, coil int64, at time.Time, by string, reviewed int, lastReview int64, result []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO gradings (coil, at, asked_by, reviewed, reviews_to, result) VALUES (?, ?, ?, ?, ?, ?)`,
		coil, micros(at), by, reviewed, lastReview, string(result))
	return err
}

// Gradings reads every grade a coil was given, oldest first.
func (s *Store) Gradings(ctx context.Context, id inspection.CoilID) (out []inspection.Grading, err error) {
	err = s.view(ctx, "listing gradings", func(q querier) error {
		c, err := coilRow(ctx, q, id)
		if err != nil {
			return err
		}
		rows, err := q.QueryContext(ctx, `SELECT at, asked_by, reviewed, result FROM gradings WHERE coil = ? ORDER BY n`, c.n)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var (
				g      inspection.Grading
				at     int64
				result []byte
			)
			if err := rows.Scan(&at, &g.By, &g.Reviewed, &result); err != nil {
				return err
			}
			if err := json.Unmarshal(result, &g.Result); err != nil {
				return err
			}
			g.At = timeOf(at)
			out = append(out, g)
		}
		return rows.Err()
	})
	return out, err
}
