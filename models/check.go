package models

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func (m *Manifest) check() error {
	if m.Format != Format {
		return fmt.Errorf("format is %d; allowed is %d", m.Format, Format)
	}
	if m.Name == "" || len(m.Name) > maxName || strings.ContainsFunc(m.Name, notInName) {
		return fmt.Errorf("name is %q; allowed are up to %d of a-z, 0-9 and -", m.Name, maxName)
	}
	if len(m.Version) > maxName || !isVersion(m.Version) {
		return fmt.Errorf("version is %q; allowed are numbers with dots between, such as 1.2.0", m.Version)
	}
	if _, err := time.Parse(time.DateOnly, m.Created); err != nil {
		return fmt.Errorf("created is %q; allowed is a date such as 2026-11-24", m.Created)
	}
	if m.Input.DType != "uint8" || m.Input.Layout != "NCHW" {
		return fmt.Errorf("input is %s in %s; allowed is uint8 in NCHW", m.Input.DType, m.Input.Layout)
	}
	if m.Input.Width < 8 || m.Input.Width > maxInputSide || m.Input.Height < 8 || m.Input.Height > maxInputSide {
		return fmt.Errorf("input is %d x %d; allowed are sides of 8 to %d", m.Input.Width, m.Input.Height, maxInputSide)
	}
	if !(m.Temperature > 0) || math.IsInf(m.Temperature, 0) {
		return fmt.Errorf("temperature is %g; it must be above 0", m.Temperature)
	}
	// Below 13 quantisation and reductions are defined differently; above 20 the runtime is not tried.
	if m.Opset < 13 || m.Opset > 20 {
		return fmt.Errorf("opset is %d; allowed are 13 to 20", m.Opset)
	}
	if !(m.Golden.Tolerance > 0) || m.Golden.Tolerance > 0.1 {
		return fmt.Errorf("golden.tolerance is %g; allowed is above 0 and up to 0.1", m.Golden.Tolerance)
	}
	if u := m.Unknown; u != nil {
		if u.Output != familiarityName {
			return fmt.Errorf("unknown.output is %q; allowed is %q", u.Output, familiarityName)
		}
		if math.IsNaN(u.Threshold) || math.IsInf(u.Threshold, 0) {
			return fmt.Errorf("unknown.threshold is %g; allowed is a number", u.Threshold)
		}
	}
	if len(m.TrainingData) == 0 {
		return errors.New("training_data is empty; at least one entry must say what the model learned from and on what terms")
	}
	for i, n := range m.TrainingData {
		if n.Name == "" || n.Terms == "" {
			return fmt.Errorf("training_data[%d] lacks a name or its terms; both are needed", i)
		}
	}
	if err := m.checkClasses(); err != nil {
		return err
	}
	return m.checkFiles()
}

func (m *Manifest) checkClasses() error {
	if len(m.Classes) < 2 || len(m.Classes) > maxClasses {
		return fmt.Errorf("classes has %d entries; allowed are 2 to %d", len(m.Classes), maxClasses)
	}
	seen := map[inspection.DefectClass]bool{}
	for i, c := range m.Classes {
		switch {
		case c.ID == "" || len(c.ID) > maxName || strings.ContainsFunc(string(c.ID), notInClass):
			return fmt.Errorf("classes[%d].id is %q; allowed are up to %d of a-z, 0-9 and _", i, c.ID, maxName)
		case c.ID == inspection.Unclassified || c.ID == inspection.Unknown:
			return fmt.Errorf("classes[%d].id is %q, which stands for the lack of a verdict; a class must have another name", i, c.ID)
		case seen[c.ID]:
			return fmt.Errorf("class %q is listed twice; each class is allowed once", c.ID)
		case c.Korean == "" || c.English == "":
			return fmt.Errorf("class %q lacks its Korean or English name; both are needed", c.ID)
		case c.Severity > 4:
			return fmt.Errorf("class %q has severity %d; allowed are 0 to 4", c.ID, c.Severity)
		case !(c.Threshold >= 0 && c.Threshold <= 1):
			return fmt.Errorf("class %q has threshold %g; allowed are 0 to 1", c.ID, c.Threshold)
		}
		for _, t := range []struct {
			key string
			Text
		}{{"description", c.Description}, {"cause", c.Cause}, {"remedy", c.Remedy}} {
			if t.Korean == "" || t.English == "" {
				return fmt.Errorf("class %q lacks its %s in Korean or English; both are needed", c.ID, t.key)
			}
		}
		seen[c.ID] = true
	}
	if !seen[inspection.NoDefect] {
		return fmt.Errorf("class %q is missing; without it no false region can be rejected", inspection.NoDefect)
	}
	return nil
}

func (m *Manifest) checkFiles() error {
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		return fmt.Errorf("files has %d entries; allowed are 1 to %d", len(m.Files), maxFiles)
	}
	var paths []string
	var total int64
	for i, f := range m.Files {
		switch {
		case !fs.ValidPath(f.Path) || strings.ContainsAny(f.Path, `\:`) || f.Path == "." || f.Path == ManifestName || f.Path == SignatureName:
			return fmt.Errorf("files[%d].path is %q; allowed is a path inside the bundle other than %s and %s", i, f.Path, ManifestName, SignatureName)
		case slices.Contains(paths, f.Path):
			return fmt.Errorf("file %q is listed twice; each file is allowed once", f.Path)
		case f.Bytes < 1 || f.Bytes > maxFileBytes:
			return fmt.Errorf("file %q has %d bytes; allowed are 1 to %d", f.Path, f.Bytes, int64(maxFileBytes))
		}
		if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != 32 {
			return fmt.Errorf("file %q has sha256 %q; allowed are 64 hexadecimal digits", f.Path, f.SHA256)
		}
		if total += f.Bytes; total > maxBundleBytes {
			return fmt.Errorf("the files up to %q have %d bytes; allowed are %d together", f.Path, total, int64(maxBundleBytes))
		}
		paths = append(paths, f.Path)
	}
	type reference struct {
		key, path string
		most      int64 // bytes
	}
	needs := []reference{
		{"model", m.Model, maxFileBytes},
		{"golden.crops", m.Golden.Crops, maxFileBytes},
		{"golden.scores", m.Golden.Scores, maxTableBytes},
		{"evaluation", m.Evaluation, maxReportBytes},
	}
	for _, c := range m.Classes {
		needs = append(needs, reference{fmt.Sprintf("the picture of class %q", c.ID), c.Picture, maxPictureBytes})
	}
	for _, need := range needs {
		i := slices.Index(paths, need.path)
		if i < 0 {
			return fmt.Errorf("%s is %q, which files does not list; allowed are %v", need.key, need.path, paths)
		}
		if n := m.Files[i].Bytes; n > need.most {
			return fmt.Errorf("%s is %q of %d bytes; allowed are %d", need.key, need.path, n, need.most)
		}
	}
	return nil
}

func notInName(r rune) bool  { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }
func notInClass(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_') }

func isVersion(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return r < '0' || r > '9' }) {
			return false
		}
	}
	return true
}
