package accuracy

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/inspection"
)

// ClassFolders are the figures of a model on pictures sorted into class folders, each taken as one crop.
type ClassFolders struct {
	Path     string `json:"path"`
	Pictures int    `json:"pictures"`
	Copies   int    `json:"copies"` // pictures left out because the same bytes are there under another name
	Answers
	Under []Under `json:"under"`
}

// Under is the accuracy on the same pictures as a worse camera would give them.
type Under struct {
	Name     string `json:"name"`
	Accuracy Share  `json:"accuracy"`
	Unknown  Share  `json:"unknown"`
}

// chunk is how many crops are held at a time: 4 MB, and batches run full.
const chunk = 256

func (m *meter) classFolders(ctx context.Context, set folderSet) (ClassFolders, error) {
	out := ClassFolders{Path: set.dir, Pictures: len(set.samples), Copies: set.copies}
	for _, w := range worsenings() {
		out.Under = append(out.Under, Under{Name: w.name})
	}
	var all []answer
	for from := 0; from < len(set.samples); from += chunk {
		part := set.samples[from:min(from+chunk, len(set.samples))]
		crops := make([][]byte, len(part))
		for i, s := range part {
			if err := interrupted(ctx); err != nil {
				return out, err
			}
			var err error
			if crops[i], err = appliance.ReadCrop(s.path); err != nil {
				return out, fmt.Errorf("class %s: %w", s.class, err)
			}
		}
		answers, err := m.answers(part, crops)
		if err != nil {
			return out, err
		}
		all = append(all, answers...)
		for i, a := range answers {
			if a.Class != a.truth {
				m.errors.add(Error{
					Kind: WrongClass, Path: filepath.Join(string(a.truth), filepath.Base(part[i].path)),
					Truth: a.truth, Answer: a.Class, Confidence: a.Confidence, crop: crops[i],
				}, float64(a.Confidence))
			}
		}
		for k, w := range worsenings() {
			worse := make([][]byte, len(crops))
			for i, c := range crops {
				worse[i] = w.apply(c, part[i].seed())
			}
			answers, err := m.answers(part, worse)
			if err != nil {
				return out, err
			}
			for _, a := range answers {
				out.Under[k].Accuracy.count(a.Class == a.truth)
				out.Under[k].Unknown.count(a.Class == inspection.Unknown)
			}
		}
		m.tell("class folders", from+len(part), len(set.samples))
	}
	out.Answers = score(all, m.classes())
	return out, nil
}

func (m *meter) answers(samples []sample, crops [][]byte) ([]answer, error) {
	got, err := m.engine.Classifier.ClassifyBatch(nil, crops)
	if err != nil {
		return nil, err
	}
	out := make([]answer, len(got))
	for i, g := range got {
		out[i] = answer{samples[i].class, g}
	}
	return out, nil
}
