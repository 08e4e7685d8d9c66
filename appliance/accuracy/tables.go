package accuracy

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// WriteTables writes the figures as Markdown whose columns are aligned, to be read as it is. The
// long form also tells what set-in defects were called, and lists the worst errors.
func (r Report) WriteTables(w io.Writer, long bool) error {
	t := &tables{w: w}
	t.line("Model %s on %s, detector threshold %g.", r.Model, r.Provider.Name, r.Threshold)
	if r.Refused != "" {
		t.line("The configured provider is not in use: %s.", r.Refused)
	}
	if r.Fold != "" {
		t.line("Single pictures: fold %s by the first byte of each file's SHA-256.", r.Fold)
	}
	for _, v := range r.ClassFolders {
		v.write(t)
	}
	for _, v := range r.Boxes {
		v.write(t)
	}
	for _, v := range r.Strips {
		v.write(t)
	}
	if r.SetIn != nil {
		r.SetIn.write(t, long)
	}
	if g := r.Good; g != nil {
		t.heading("Good simulated strip")
		t.table([]string{"figure", "value"}, [][]string{
			{"false events per 1,000 m of side", fmt.Sprintf("%.2f", g.FalsePer1000M)},
			{"false events", fmt.Sprintf("%d on %.0f m of side", g.FalseEvents, g.GoodMetres)},
			{"regions the detector found", fmt.Sprint(g.FalseRegions)},
			{"of those rejected by the model", Share{int(g.RejectedRegions), int(g.FalseRegions)}.String()},
		})
	}
	if long {
		r.writeErrors(t)
	}
	return t.err
}

func (v ClassFolders) write(t *tables) {
	t.heading("Classification: " + v.Path)
	rows := [][]string{
		{"pictures", fmt.Sprintf("%d, and %d copies left out", v.Pictures, v.Copies)},
		{"accuracy", v.Accuracy.String()},
		{"macro-F1", percent(v.MacroF1)},
		{"calibration error", fmt.Sprintf("%.4f", v.CalibrationError)},
		{"answered unknown", v.Unknown.String()},
		{"right of those answered", v.Answered.String()},
	}
	for _, u := range v.Under {
		value := u.Accuracy.String()
		if u.Unknown.N > 0 {
			value += fmt.Sprintf(", unknown %.2f %%", 100*u.Unknown.Value())
		}
		rows = append(rows, []string{"accuracy under " + strings.ReplaceAll(u.Name, "_", " "), value})
	}
	t.table([]string{"figure", "value"}, rows)

	rows = nil
	for _, c := range v.ByClass {
		rows = append(rows, []string{string(c.Class), c.Precision.String(), c.Recall.String(), percent(c.F1), c.Unknown.String()})
	}
	t.table([]string{"class", "precision", "recall", "F1", "answered unknown"}, rows)

	t.line("\nConfusion: a row a class, a column an answer, numbered as below.")
	head := []string{"class"}
	for i := range v.Confusion.Answer {
		head = append(head, fmt.Sprint(i+1))
	}
	rows = nil
	for i, c := range v.Confusion.Truth {
		row := []string{fmt.Sprintf("%d %s", 1+slices.Index(v.Confusion.Answer, c), c)}
		for _, n := range v.Confusion.Counts[i] {
			row = append(row, fmt.Sprint(n))
		}
		rows = append(rows, row)
	}
	for i, c := range v.Confusion.Answer {
		if !slices.Contains(v.Confusion.Truth, c) {
			row := make([]string, len(head))
			row[0] = fmt.Sprintf("%d %s (no pictures)", i+1, c)
			rows = append(rows, row)
		}
	}
	t.table(head, rows)
}

func (v Boxes) write(t *tables) {
	t.heading("Boxes: " + v.Path)
	t.table([]string{"figure", "detector", "after rejection"}, [][]string{
		{"pictures", fmt.Sprint(v.Pictures), fmt.Sprint(v.Pictures)},
		{"boxes found", v.Detector.Found.String(), v.Kept.Found.String()},
		{"mean IoU", v.Detector.IoU.String(), v.Kept.IoU.String()},
		{"area in events", percent(v.Detector.Area.Value()), percent(v.Kept.Area.Value())},
		{"events per picture", fmt.Sprintf("%.2f", v.Detector.PerPic), fmt.Sprintf("%.2f", v.Kept.PerPic)},
		{"class right of those found", "–", v.ClassRight.String()},
	})
	var rows [][]string
	for _, c := range v.ByClass {
		rows = append(rows, []string{string(c.Class), c.Detector.String(), c.Kept.String(), c.IoU.String()})
	}
	t.table([]string{"class", "found by the detector", "after rejection", "mean IoU"}, rows)
	if len(v.NotInModel) > 0 {
		t.line("\nThe model does not have the classes %v: their classification is not measured.", v.NotInModel)
	}
}

func (v Strips) write(t *tables) {
	t.heading("Strips: " + v.Path)
	t.table([]string{"figure", "detector", "after rejection"}, [][]string{
		{"strips", fmt.Sprint(v.Strips), fmt.Sprint(v.Strips)},
		{"labelled regions found", v.Detector.Found.String(), v.Kept.Found.String()},
		{"clean windows that fire", v.Detector.Fired.String(), v.Kept.Fired.String()},
		{"area in events", percent(v.Detector.Area.Value()), percent(v.Kept.Area.Value())},
		{"events", fmt.Sprint(v.Detector.Events), fmt.Sprint(v.Kept.Events)},
	})
	var rows [][]string
	for _, c := range v.ByClass {
		rows = append(rows, []string{string(c.Class), c.Detector.String(), c.Kept.String()})
	}
	t.table([]string{"class of the mask", "found by the detector", "after rejection"}, rows)
	t.line("\nThe detector's rectangles set down at random would find %s: what their area alone buys.", v.Chance)
	t.line("\n%d labelled specks of fewer than %d pixels are left out.", v.Specks, speck)
}

func (v SetIn) write(t *tables, long bool) {
	t.heading(fmt.Sprintf("Set into %s (%d places)", v.Into, v.Places))
	var rows, called [][]string
	for _, c := range v.ByClass {
		for _, f := range c.ByContrast {
			rows = append(rows, []string{string(c.Class), string(f.Way), fmt.Sprint(f.Contrast), f.Found.String(), f.ClassRight.String(), short(f.Rejected), short(f.CropRight)})
			var said []string
			for _, k := range sortedKeys(f.As) {
				said = append(said, fmt.Sprintf("%s %d", k, f.As[k]))
			}
			if len(said) > 0 {
				called = append(called, []string{string(c.Class), string(f.Way), fmt.Sprint(f.Contrast), strings.Join(said, ", ")})
			}
		}
	}
	t.table([]string{"class", "way", "contrast", "found", "class right", "rejected", "crop right"}, rows)
	if long {
		t.table([]string{"class", "way", "contrast", "what those found were called"}, called)
	}
	for _, c := range v.ByClass {
		if c.TooLarge > 0 {
			t.line("\n%d pictures of %s in %s are larger than the windows and left out.", c.TooLarge, c.Class, c.Path)
		}
	}
}

func (r Report) writeErrors(t *tables) {
	t.heading("Worst errors")
	if len(r.Errors) == 0 {
		t.line("\nNone.")
		return
	}
	t.line("\nNumbered as the tiles of errors.png, %d a row, from the top left.", montageColumns)
	var rows [][]string
	for _, e := range r.Errors {
		where, answer := e.Path, string(e.Answer)
		if e.Rect != nil {
			where += fmt.Sprintf(" at %d, %d size %d x %d", e.Rect.X, e.Rect.Y, e.Rect.Width, e.Rect.Height)
		}
		switch e.Kind {
		case MissedRegion, MissedBox:
			answer = fmt.Sprintf("%.0f %% covered", 100*e.Covered)
		default:
			answer += fmt.Sprintf(" %.1f %%", 100*e.Confidence)
		}
		rows = append(rows, []string{fmt.Sprint(e.Number), string(e.Kind), where, string(e.Truth), answer})
	}
	t.table([]string{"tile", "what", "picture", "truth", "answer"}, rows)
}

func percent(v float64) string { return fmt.Sprintf("%.2f %%", 100*v) }

// short is a share without its counts.
func short(s Share) string {
	if s.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*s.Value())
}

// tables writes, and keeps the first error.
type tables struct {
	w   io.Writer
	err error
}

func (t *tables) line(format string, a ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", a...)
	}
}

func (t *tables) heading(s string) { t.line("\n## %s", s) }

func (t *tables) table(head []string, rows [][]string) {
	wide := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, v := range row {
			wide[i] = max(wide[i], utf8.RuneCountInString(v))
		}
	}
	write := func(row []string, pad string) {
		var b strings.Builder
		for i, v := range row {
			b.WriteString("| " + v + strings.Repeat(pad, wide[i]-utf8.RuneCountInString(v)) + " ")
		}
		t.line("%s|", b.String())
	}
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = "---"
		wide[i] = max(wide[i], 3)
	}
	t.line("")
	write(head, " ")
	write(rule, "-")
	for _, row := range rows {
		write(row, " ")
	}
}
