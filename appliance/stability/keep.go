package stability

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/durable"
	"github.com/coilsight/coilsight/inspection"
)

// Folder is where the baselines of a plant and the histories of their checks lie: DATA/stability.
type Folder string

// FolderOf the configured record.
func FolderOf(c appliance.Config) Folder { return Folder(c.StabilityDir()) }

const (
	baselineName = "baseline.json"

	format = 1 // of the baseline file
)

type baselineFile struct {
	Format int `json:"format"`
	Run
}

// CheckName refuses what cannot name a baseline.
func CheckName(name string) error {
	if !regexp.MustCompile(`^[\pL\pN][\pL\pN._-]{0,63}$`).MatchString(name) {
		return fmt.Errorf("baseline name %q is not possible; allowed are 1 to 64 letters, digits, \".\", \"_\" and \"-\", the first a letter or digit", name)
	}
	return nil
}

// Save keeps a run as the baseline of a name. One that exists is only replaced where replace is set, and is then
// kept beside the new one under its time.
func (f Folder) Save(name string, r Run, replace bool) (path string, err error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	if len(r.Events) == 0 {
		return "", fmt.Errorf("reference %s shows no event; a stability check needs pictures with defects, 50 or more", r.Reference)
	}
	dir := filepath.Join(string(f), name)
	path = filepath.Join(dir, baselineName)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("baseline %s: %w", name, err)
	}
	switch old, err := f.Load(name); {
	case errors.Is(err, fs.ErrNotExist):
	case !replace && err != nil:
		return "", err
	case !replace:
		return "", fmt.Errorf("baseline %s exists since %s; --replace puts a new one in its place", name, old.At.Format("2006-01-02"))
	default:
		info, err := os.Stat(path)
		if err != nil {
			return "", fmt.Errorf("baseline %s: %w", name, err)
		}
		kept := filepath.Join(dir, "baseline-"+info.ModTime().UTC().Format("20060102T150405Z")+".json")
		if err := os.Rename(path, kept); err != nil {
			return "", fmt.Errorf("baseline %s: %w", name, err)
		}
	}
	data, err := json.MarshalIndent(baselineFile{format, r}, "", " ")
	if err != nil {
		return "", err
	}
	// Whole or not at all: half a baseline would be refused for ever.
	if err := durable.Replace(path, append(data, '\n')); err != nil {
		return "", fmt.Errorf("baseline %s: %w", name, err)
	}
	return path, nil
}

// Load reads a baseline. One that was never made is fs.ErrNotExist.
func (f Folder) Load(name string) (Run, error) {
	if err := CheckName(name); err != nil {
		return Run{}, err
	}
	path := filepath.Join(string(f), name, baselineName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Run{}, fmt.Errorf("baseline %s is not there; \"coilsight stability baseline\" makes it: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return Run{}, fmt.Errorf("baseline %s: %w", name, err)
	}
	var b baselineFile
	if err := json.Unmarshal(data, &b); err != nil {
		return Run{}, fmt.Errorf("baseline %s is not what was written (%s): %w", name, path, err)
	}
	if b.Format != format {
		return Run{}, fmt.Errorf("baseline %s has format %d; this program reads %d: make it anew with --replace", name, b.Format, format)
	}
	return b.Run, nil
}

// Append adds a result to the history, a line each.
func (f Folder) Append(r inspection.StabilityCheck) (err error) {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(string(f), r.Name, appliance.StabilityHistoryName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("history of %s: %w", r.Name, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("history of %s: %w", r.Name, err)
	}
	return file.Sync()
}
