package report

import "github.com/coilsight/coilsight/inspection"

// Language is what a report on paper is written in.
type Language string

// Languages of a report.
const (
	English Language = "en"
	Korean  Language = "ko"
)

// words are all that a report says, in one language.
type words struct {
	title                                               string
	coil, state, grade, steel, length, width, thickness string
	started, ended, zone, recipe, model, calibration    string
	program, printed, defects, gaps                     string
	reviewed, notInGrade                                string
	inspected, screened, missed                         string
	side                                                map[inspection.Side]string
	sideShort                                           map[inspection.Side]string
	operatorSide, driveSide                             string
	coilState                                           map[inspection.CoilState]string
	grades, gradeMeaning                                map[inspection.Grade]string
	gapState                                            map[inspection.GapState]string
	severity                                            [5]string
	calibrationKind                                     map[string]string

	customer, decision                    string
	sections                              map[inspection.Section]string
	dispositions                          map[inspection.Disposition]string
	decided                               func(what, grade, at, by string) string // grade may be empty
	decisionReason                        func(reason string) string
	confirmed                             func(at, by string) string
	pending                               string
	rollMarks                             string
	rollMark                              func(side, roll, period, across, from, to string, seen, possible int) string
	unknownRoll                           func(diameter string) string
	notGraded, unknown, none              string
	running, announced, cutShort          string // banners
	machineSaid                           func(grade string) string
	restsOnModel                          string
	restsOn                               func(reviews int) string
	regraded                              func(at, by, grade string, reviews int) string
	reviewShare                           func(reviewed, all int, share string) string
	notInGradeYet                         func(n int) string
	page                                  func(n int, of string) string
	why, held, gapRule                    string
	anyClass, wholeCoil, openEnd          string
	counted, measured                     func(value, limit string) string
	gives                                 func(grade string) string
	within                                func(length string) string
	minArea, minLength, minWidth          func(v string) string
	minSeverity, minConfidence            func(v string) string
	zones                                 map[inspection.Zone]string
	moreGaps                              func(n int, length string) string
	defectMap, fromHead                   string
	density, deciding, worstMark          string
	noCamera, noDefects, noGaps           string
	byClass, class, total                 string
	ruledOut                              string
	coverage, sideHead, from, to          string
	stretch, cause, camera                string
	gapsLongest                           string
	worst                                 func(n, all int) string
	confidence                            string
	severityName, noPicture               string
	badPicture                            string
	review, notReviewed, agreedBy         string
	wasCalled                             func(name, by string) string
	setup, version, madeAt                string
	noCalibration, restUnseen, knownAtEnd string
	alongPlace, acrossPlace               func(v string) string
}

func wordsOf(l Language) words {
	if l == Korean {
		return korean()
	}
	return english()
}

// name is that of a class in the language.
func (l Language) name(c Class) string {
	if l == Korean {
		return c.Ko
	}
	return c.En
}
