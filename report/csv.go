package report

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// byteOrderMark makes Excel read the text as UTF-8. Without it Excel on a Korean Windows takes it for code page 949 and
// shows no Hangul.
const byteOrderMark = "\ufeff"

// WriteCSV writes the defects of a coil as comma-separated text (RFC 4180), in UTF-8 with a byte order mark, times in
// UTC. It holds a page of them at a time and writes each page out. What it returns may come after a part was written.
func WriteCSV(ctx context.Context, w io.Writer, r Rows, id inspection.CoilID, a About) error {
	coil, err := r.Coil(ctx, id)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	if _, err := out.WriteString(byteOrderMark); err != nil {
		return err
	}
	c := csv.NewWriter(out)
	c.UseCRLF = true
	if err := c.Write(Columns()); err != nil {
		return err
	}
	var (
		n      = namesOf(a.Classes)
		recipe = a.recipeOf(coil)
		values = make([]any, 0, len(Columns()))
		fields = make([]string, len(Columns()))
	)
	return eachDefect(ctx, r, inspection.DefectQuery{Coil: id}, func(d *inspection.Defect) error {
		values = rowOf(values[:0], d, n, recipe)
		for i, v := range values {
			fields[i] = field(v)
		}
		return c.Write(fields)
	}, func() error {
		c.Flush()
		if err := c.Error(); err != nil {
			return err
		}
		return out.Flush()
	})
}

func field(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case string:
		return harmless(v)
	}
	return fmt.Sprint(v)
}

// harmless keeps a spreadsheet from taking text for a formula: what begins like one gets an apostrophe before it.
func harmless(s string) string {
	if s != "" && strings.ContainsAny(s[:1], "=+-@\t\r\n") {
		return "'" + s
	}
	for _, wide := range []string{"＝", "＋", "－", "＠"} { // East Asian Excel takes these for the same
		if strings.HasPrefix(s, wide) {
			return "'" + s
		}
	}
	return s
}
