package accuracy

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// Names that tell the layouts apart.
const (
	masksFile   = "rle.csv"
	windowsFile = "clean_windows.csv"
	stripsDir   = "strips"
	imagesDir   = "images"
	boxesDir    = "annotations"
)

const layouts = "class folders named after the model's classes, images/ with annotations/ of VOC boxes, or strips/ with " +
	masksFile + " and " + windowsFile

// sets are the folders to measure on, by layout, in the order they were named.
type sets struct {
	folders []folderSet
	boxes   []boxSet
	strips  []stripSet
}

// sample is a picture of one defect.
type sample struct {
	path  string
	class inspection.DefectClass
	sum   [sha256.Size]byte
}

// seed is the same wherever the picture lies and whichever others are measured with it.
func (s sample) seed() uint64 { return binary.LittleEndian.Uint64(s.sum[:]) }

// folderSet is a folder of class folders.
type folderSet struct {
	dir     string
	samples []sample
	copies  int // pictures whose bytes were there before
}

// readSets finds out which layout each path has and lists what is in it.
func readSets(o Options, classes []inspection.DefectClass) (sets, error) {
	var out sets
	for _, dir := range o.Paths {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return out, fmt.Errorf("folder %s cannot be read: %w; allowed are %s", dir, errors.Unwrap(err), layouts)
		}
		has := func(name string, folder bool) bool {
			return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
				st, err := os.Stat(filepath.Join(dir, e.Name())) // a link to a folder is one
				return e.Name() == name && err == nil && st.IsDir() == folder
			})
		}
		switch {
		case has(masksFile, false) && has(windowsFile, false) && has(stripsDir, true):
			s, err := readStrips(dir)
			if err != nil {
				return out, err
			}
			out.strips = append(out.strips, s)
		case has(imagesDir, true) && has(boxesDir, true):
			s, err := readBoxes(dir, o.Fold)
			if err != nil {
				return out, err
			}
			out.boxes = append(out.boxes, s)
		default:
			s, err := readFolders(dir, o.Fold, classes)
			if err != nil {
				return out, err
			}
			out.folders = append(out.folders, s)
		}
	}
	return out, nil
}

// readFolders lists class folders; each of them must be a class of the model, or "unknown".
func readFolders(dir string, fold Fold, classes []inspection.DefectClass) (folderSet, error) {
	s := folderSet{dir: dir}
	subs, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		return s, fmt.Errorf("folder %s: %w", dir, err)
	}
	var strange inspection.DefectClass
	known := false
	seen := map[[sha256.Size]byte]bool{}
	for _, path := range subs {
		if !isPicture(path) {
			continue
		}
		class := inspection.DefectClass(filepath.Base(filepath.Dir(path)))
		if class != inspection.Unknown && !slices.Contains(classes, class) {
			strange = class
			continue
		}
		known = true
		sum, err := hashOf(path)
		if err != nil {
			return s, err
		}
		switch {
		case !fold.holds(sum):
		case seen[sum]:
			s.copies++
		default:
			seen[sum] = true
			s.samples = append(s.samples, sample{path, class, sum})
		}
	}
	switch {
	case !known:
		return s, fmt.Errorf("folder %s fits none of the layouts; allowed are %s", dir, layouts)
	case strange != "":
		return s, fmt.Errorf("folder %s has pictures of class %q, which the model does not have; allowed are %v and %s", dir, strange, classes, inspection.Unknown)
	case len(s.samples) == 0:
		return s, fmt.Errorf("folder %s has no picture in fold %s", dir, fold)
	}
	return s, nil
}

// picturesIn lists the pictures of a folder, in the order of their names.
func picturesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); isPicture(path) {
			out = append(out, path)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("folder %s has no picture; allowed are JPEG, PNG and TIFF files", dir)
	}
	return out, nil
}

func isPicture(path string) bool {
	return slices.Contains([]string{".jpg", ".jpeg", ".png", ".tif", ".tiff"}, strings.ToLower(filepath.Ext(path)))
}
