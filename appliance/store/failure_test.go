package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// crashDirectory names the data directory of the process that is to be killed.
const crashDirectory = "COILSIGHT_TEST_CRASH_DIRECTORY"

// appendUntilKilled runs in a process of its own: it says each batch that was acknowledged.
func appendUntilKilled(dir string) {
	ctx := context.Background()
	s, err := Open(ctx, dir, Options{})
	if err == nil {
		_, err = s.StartCoil(ctx, "A1", inspection.CoilOrder{Length: 1e6}, recipe(1), inspection.Setup{Model: "m"}, time.Now())
	}
	for i := 0; err == nil; i++ {
		b := batch("A1", 20, inspection.MM(20*i))
		for range b.Defects {
			b.Images = append(b.Images, crop(byte(i)))
		}
		if err = s.Append(ctx, b); err == nil {
			fmt.Println(i)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashDirectory+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := -1
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if acknowledged, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
		if acknowledged == 30 { // it is in the middle of the next batch by now
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || acknowledged < 30 {
		t.Fatalf("the process ended by itself after batch %d: %v", acknowledged, err)
	}

	s := open(t, dir)
	ctx := t.Context()
	ids, err := s.RecoverInterrupted(ctx, inspection.GradeMap)
	if err != nil || len(ids) != 1 || ids[0] != "A1" {
		t.Fatalf("recovered %v, %v", ids, err)
	}
	m, err := s.Map(ctx, "A1")
	if err != nil {
		t.Fatal(err)
	}
	// The batch under way when the signal came may have been committed without being said.
	n := len(m.Defects)
	if n%20 != 0 || n < (acknowledged+1)*20 || n > (acknowledged+2)*20 {
		t.Errorf("%d defects recorded; %d batches of 20 were acknowledged", n, acknowledged+1)
	}
	c, err := s.Coil(ctx, "A1")
	if err != nil || c.State != inspection.Interrupted || c.Counts.Defects != n || c.Counts.Gaps != 2 || c.Grade != inspection.Block || c.EndedAt == nil {
		t.Errorf("coil %+v, %v", c, err)
	}
	top := inspection.Gap{Side: inspection.Top, From: inspection.MM(n), To: 1e6, State: inspection.Unseen, Cause: interruptedCause}
	bottom := inspection.Gap{Side: inspection.Bottom, From: inspection.MM(n - 10), To: 1e6, State: inspection.Unseen, Cause: interruptedCause}
	if len(m.Gaps) != 2 || m.Gaps[0] != bottom || m.Gaps[1] != top {
		t.Errorf("gaps %+v", m.Gaps)
	}
	for _, d := range m.Defects {
		r, err := s.Image(ctx, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	files, err := os.ReadDir(filepath.Join(dir, imagesName, "A1"))
	if err != nil || len(files) != n {
		t.Errorf("%d files beside %d pictures, %v", len(files), n, err)
	}
	page, err := s.Changes(ctx, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	last := page.Changes[len(page.Changes)-2:]
	if last[0].Type != "coil.interrupted" || last[1].Type != "coil.graded" {
		t.Errorf("the log ends with %s, %s", last[0].Type, last[1].Type)
	}
	if ids, err := s.RecoverInterrupted(ctx, inspection.GradeMap); err != nil || len(ids) != 0 {
		t.Errorf("recovered again: %v, %v", ids, err)
	}
}

func TestUnseenRestOfAnInterruptedCoil(t *testing.T) {
	const none inspection.MM = -1 // no progress was ever reported
	cases := map[string]struct {
		announced, top, bottom inspection.MM
		length                 inspection.MM
		want                   []inspection.MM // from, to for each gap
		open                   bool
	}{
		"before the announced end": {1000, 400, 300, 1000, []inspection.MM{400, 1000, 300, 1000}, false},
		"length not announced":     {0, 400, 300, 400, []inspection.MM{400, 400, 300, 400}, true},
		"past the announced end":   {350, 400, 300, 400, []inspection.MM{400, 400, 300, 400}, true},
		"at the announced end":     {400, 400, 400, 400, nil, false},
		"nothing seen":             {0, none, none, 0, []inspection.MM{0, 0, 0, 0}, true},
		"one camera":               {1000, 400, none, 1000, []inspection.MM{400, 1000}, false},
	}
	for name, c := range cases {
		progress := map[inspection.Side]inspection.MM{}
		if c.top != none {
			progress[inspection.Top] = c.top
		}
		if c.bottom != none {
			progress[inspection.Bottom] = c.bottom
		}
		gaps, length := unseenRest(c.announced, progress)
		var got []inspection.MM
		for _, g := range gaps {
			got = append(got, g.From, g.To)
			if g.OpenEnd != c.open || g.State != inspection.Unseen {
				t.Errorf("%s: gap %+v", name, g)
			}
		}
		if length != c.length || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: length %g, gaps %v; want %g, %v", name, length, got, c.length, c.want)
		}
		m := inspection.DefectMap{Strip: inspection.Strip{Length: length}, Gaps: gaps}
		if res := inspection.GradeMap(m, recipe(1)); len(gaps) > 0 && res.Grade == inspection.Prime {
			t.Errorf("%s: graded prime", name)
		}
	}
}

func TestFullDiskLosesNothingRecorded(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	start(t, s, "A1", inspection.CoilOrder{})
	appendTo(t, s, batch("A1", 100, 0))
	var pages int
	if err := s.writer.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	// SQLite itself refuses to grow, as it does on a full disk.
	limit := func(n int) {
		if _, err := s.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 2)
	var full *inspection.StorageFullError
	large := batch("A1", 2000, 100)
	if err := s.Append(ctx, large); !errors.As(err, &full) {
		t.Fatalf("append to a full disk: %v", err)
	}
	if !strings.Contains(full.Error(), "full") || !strings.Contains(full.Error(), s.dir) {
		t.Errorf("the error does not say what to do: %v", full)
	}
	c, err := s.Coil(ctx, "A1")
	if err != nil || c.Counts.Defects != 100 {
		t.Fatalf("%d defects after the full disk, %v; want 100", c.Counts.Defects, err)
	}
	limit(1 << 30)
	if err := s.Append(ctx, large); err != nil {
		t.Fatalf("the same batch, once there is room: %v", err)
	}
	if c, err = s.Coil(ctx, "A1"); err != nil || c.Counts.Defects != 2100 {
		t.Errorf("%d defects, %v; want 2100", c.Counts.Defects, err)
	}
}

func TestUnusableDataDirectoryIsRefusedInOneSentence(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	noDatabase := filepath.Join(dir, "no-database")
	if err := makeDirectory(noDatabase); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(noDatabase, databaseName), []byte(strings.Repeat("not a database ", 400)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer")
	s := open(t, newer)
	if _, err := s.writer.ExecContext(t.Context(), "PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	used := filepath.Join(dir, "used")
	open(t, used)
	cases := map[string]struct{ dir, want string }{
		"a file":               {file, "not a directory"},
		"below a file":         {filepath.Join(file, "data"), "not a directory"},
		"read-only":            {"/proc/coilsight", "give a directory that can be written"}, // refuses root too
		"not a database":       {noDatabase, "not a sound database"},
		"of a newer program":   {newer, "use the newer program"},
		"of another coilsight": {used, "another coilsight has it open"},
	}
	for name, c := range cases {
		s, err := Open(t.Context(), c.dir, Options{})
		if err == nil {
			t.Errorf("%s: opened", name)
			s.Close()
			continue
		}
		if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.dir) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q does not name %q and say %q in one line", name, err, c.dir, c.want)
		}
	}
}
