package accuracy

import (
	"slices"

	"github.com/coilsight/coilsight/inspection"
)

// answer is what the model said of one picture.
type answer struct {
	truth inspection.DefectClass
	inspection.Classification
}

// Answers are the figures of a model's answers. An answer "unknown" is wrong for every class but unknown.
type Answers struct {
	Accuracy Share   `json:"accuracy"`
	MacroF1  float64 `json:"macro_f1"` // over the classes that have pictures
	// CalibrationError is expected calibration error over the answers that name a class.
	CalibrationError float64        `json:"calibration_error"`
	Unknown          Share          `json:"unknown"`  // answered "unknown"
	Answered         Share          `json:"answered"` // right, of those that were answered with a class
	ByClass          []ClassFigures `json:"by_class"`
	Confusion        Confusion      `json:"confusion"`
}

// ClassFigures are of one class.
type ClassFigures struct {
	Class     inspection.DefectClass `json:"class"`
	Precision Share                  `json:"precision"` // right, of the answers that are this class
	Recall    Share                  `json:"recall"`    // right, of the pictures that are this class
	F1        float64                `json:"f1"`
	Unknown   Share                  `json:"unknown"`
}

// Confusion counts the pictures of each class (rows) by what they were called (columns).
type Confusion struct {
	Truth  []inspection.DefectClass `json:"truth"`
	Answer []inspection.DefectClass `json:"answer"`
	Counts [][]int                  `json:"counts"`
}

// calibrationBins of equal width are the usual number.
const calibrationBins = 15

// score takes the classes in the model's order; that order is kept in the tables.
func score(answers []answer, classes []inspection.DefectClass) Answers {
	order := append(slices.Clone(classes), inspection.Unknown)
	counts := map[[2]inspection.DefectClass]int{}
	truth, said := map[inspection.DefectClass]int{}, map[inspection.DefectClass]int{}
	var out Answers
	for _, a := range answers {
		right := a.Class == a.truth
		out.Accuracy.count(right)
		out.Unknown.count(a.Class == inspection.Unknown)
		if a.Class != inspection.Unknown {
			out.Answered.count(right)
		}
		counts[[2]inspection.DefectClass{a.truth, a.Class}]++
		truth[a.truth]++
		said[a.Class]++
	}
	out.CalibrationError = calibrationError(answers)
	for _, c := range order {
		if truth[c] > 0 {
			out.Confusion.Truth = append(out.Confusion.Truth, c)
		}
		if truth[c] > 0 || said[c] > 0 {
			out.Confusion.Answer = append(out.Confusion.Answer, c)
		}
	}
	for _, t := range out.Confusion.Truth {
		row := make([]int, len(out.Confusion.Answer))
		for i, c := range out.Confusion.Answer {
			row[i] = counts[[2]inspection.DefectClass{t, c}]
		}
		out.Confusion.Counts = append(out.Confusion.Counts, row)
		hit := counts[[2]inspection.DefectClass{t, t}]
		f1 := 2 * float64(hit) / float64(truth[t]+said[t])
		out.MacroF1 += f1 / float64(len(out.Confusion.Truth))
		out.ByClass = append(out.ByClass, ClassFigures{
			Class: t, Precision: Share{hit, said[t]}, Recall: Share{hit, truth[t]}, F1: f1,
			Unknown: Share{counts[[2]inspection.DefectClass{t, inspection.Unknown}], truth[t]},
		})
	}
	return out
}

// calibrationError is the mean difference between the confidence of a bin's answers and the share of them
// that is right, weighed by the bins' answers (Naeini, Cooper and Hauskrecht 2015). "unknown" claims no
// class and is left out.
func calibrationError(answers []answer) float64 {
	var confidence [calibrationBins]Mean
	var right [calibrationBins]Share
	all := 0
	for _, a := range answers {
		if a.Class == inspection.Unknown {
			continue
		}
		b := min(int(a.Confidence*calibrationBins), calibrationBins-1)
		confidence[b].add(float64(a.Confidence))
		right[b].count(a.Class == a.truth)
		all++
	}
	var e float64
	for b := range calibrationBins {
		e += abs(confidence[b].Value()-right[b].Value()) * float64(right[b].Of) / float64(max(all, 1))
	}
	return e
}

func abs(v float64) float64 { return max(v, -v) }
