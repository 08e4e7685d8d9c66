package appliance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// StabilityDir is where the baselines of reference coils lie, a folder each, with the history of its checks.
func (c Config) StabilityDir() string { return filepath.Join(c.Data, "stability") }

// StabilityHistoryName is the file of a baseline's history: a JSON line a check.
const StabilityHistoryName = "history.jsonl"

// historyTail is how much of a history is read: some hundred checks.
const historyTail = 1 << 20

// StabilityChecks reads what the checks of the last time gave, the newest first, at most limit.
func (c Config) StabilityChecks(limit int) (out inspection.StabilityHistory, err error) {
	files, err := filepath.Glob(filepath.Join(c.StabilityDir(), "*", StabilityHistoryName))
	if err != nil {
		return out, err
	}
	for _, path := range files {
		lines, err := tail(path)
		if err != nil {
			return out, fmt.Errorf("stability history: %w", err)
		}
		for line := range bytes.Lines(lines) {
			var r inspection.StabilityCheck
			if json.Unmarshal(line, &r) != nil || r.At.IsZero() {
				out.Unreadable++
				continue
			}
			out.Checks = append(out.Checks, r)
		}
	}
	slices.SortStableFunc(out.Checks, func(a, b inspection.StabilityCheck) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Name, b.Name))
	})
	out.Checks = out.Checks[:min(len(out.Checks), limit)]
	return out, nil
}

// tail reads the last whole lines of a file.
func tail(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-historyTail)
	data, err := io.ReadAll(io.NewSectionReader(f, from, historyTail))
	if err != nil {
		return nil, err
	}
	if from > 0 { // the first line is cut
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	return data, nil
}
