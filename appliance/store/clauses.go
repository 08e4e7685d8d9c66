package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// clauses collects the conditions of a query.
type clauses struct {
	parts []string
	args  []any
}

func (c *clauses) add(part string, args ...any) {
	c.parts = append(c.parts, part)
	c.args = append(c.args, args...)
}

func (c *clauses) in(column string, values []any) {
	if len(values) > 0 {
		c.add(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
	}
}

// began selects coils that began in [since, until); a zero time is no bound. of is the name of the coils' table with a point, or
// nothing, here and below.
func (c *clauses) began(of string, since, until time.Time) {
	if !since.IsZero() {
		c.add(of+"ordered_at >= ?", micros(since))
	}
	if !until.IsZero() {
		c.add(of+"ordered_at < ?", micros(until))
	}
}

// ordered selects coils of a recipe and a steel grade, where they are given, and without any of some fields.
func (c *clauses) ordered(of, recipe, steelGrade string, without []inspection.CoilField) {
	if recipe != "" {
		c.add(of+"recipe = ?", recipe)
	}
	if steelGrade != "" {
		c.add(of+"steel_grade = ?", steelGrade)
	}
	if slices.Contains(without, inspection.RecipeField) {
		c.add(of + "recipe = ''")
	}
	if slices.Contains(without, inspection.SteelGradeField) {
		c.add(of + "steel_grade = ''")
	}
}

// among selects coils by their keys.
func (c *clauses) among(keys []int64) error {
	b, err := json.Marshal(keys)
	c.add(`n IN (SELECT value FROM json_each(?))`, string(b))
	return err
}

// during selects coils that began in one of the periods; nil selects all.
func (c *clauses) during(periods []inspection.Period) error {
	if periods == nil {
		return nil
	}
	bounds := make([][2]int64, len(periods))
	for i, p := range periods {
		bounds[i] = [2]int64{micros(p.From), micros(p.Until)}
	}
	b, err := json.Marshal(bounds)
	c.add(`EXISTS (SELECT 1 FROM json_each(?) WHERE ordered_at >= value ->> 0 AND ordered_at < value ->> 1)`, string(b))
	return err
}

// withDefect selects coils with a defect of a class, on a side, or both, as people see them: what was recorded, less what
// people called something else, and what they called that.
func (c *clauses) withDefect(class inspection.DefectClass, side inspection.Side) {
	recorded, away, here := "1", fmt.Sprintf("r.class = '%s'", inspection.NoDefect), "FALSE"
	var was, left, came []any
	if class != "" {
		recorded, away, here = "class = ?", "d.class = ? AND r.class <> ?", "d.class <> ? AND r.class = ?"
		was, left, came = []any{string(class)}, []any{string(class), string(class)}, []any{string(class), string(class)}
	}
	if side != "" {
		n := sideNumber(side)
		recorded, away, here = recorded+" AND side = ?", away+" AND d.side = ?", here+" AND d.side = ?"
		was, left, came = append(was, n), append(left, n), append(came, n)
	}
	reviewed := `(SELECT count(*) FROM standing_reviews r JOIN defects d ON d.id = r.defect WHERE r.coil = coils.n AND ` + standing + ` AND `
	c.add(`(SELECT coalesce(sum(counts.n), 0) FROM counts WHERE counts.coil = coils.n AND `+recorded+`) - `+
		reviewed+away+`) + `+reviewed+here+`) > 0`, slices.Concat(was, left, came)...)
}

func (c *clauses) sql() string {
	if len(c.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.parts, " AND ")
}

func texts[T ~string](values []T) []any {
	var out []any
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}
