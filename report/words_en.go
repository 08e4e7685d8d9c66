package report

import (
	"fmt"

	"github.com/coilsight/coilsight/inspection"
)

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

func english() words {
	return words{
		title: "Coil report",
		coil:  "Coil", state: "State", grade: "Grade", steel: "Steel grade", length: "Length", width: "Width", thickness: "Thickness",
		started: "Started", ended: "Ended", zone: "Times in", recipe: "Recipe", model: "Model", calibration: "Calibration",
		program: "Program", printed: "Printed", defects: "Defects", gaps: "Gaps",
		reviewed: "Reviewed by people", notInGrade: "Reviewed since the grade was given",
		inspected: "Inspected", screened: "Screened, not classified", missed: "Not seen",
		side: map[inspection.Side]string{
			inspection.Top: "Top side", inspection.Bottom: "Bottom side", inspection.PrimeSide: "Prime side", inspection.OtherSide: "Other side",
		},
		customer: "Customer", decision: "Decision",
		sections:     map[inspection.Section]string{inspection.HeadSection: "head section", inspection.BodySection: "without head and tail", inspection.TailSection: "tail section"},
		dispositions: map[inspection.Disposition]string{inspection.Released: "Released", inspection.Held: "Put on hold", inspection.Rejected: "Rejected"},
		decided: func(what, grade, at, by string) string {
			if grade != "" {
				what += " as " + grade
			}
			return fmt.Sprintf("%s on %s by %s.", what, at, by)
		},
		decisionReason: func(reason string) string { return "Reason: " + reason },
		confirmed:      func(at, by string) string { return fmt.Sprintf("Confirmed on %s by %s.", at, by) },
		pending:        "The decision waits for a second person and does not hold until then.",
		rollMarks:      "Roll marks",
		rollMark: func(side, roll, period, across, from, to string, seen, possible int) string {
			return fmt.Sprintf("%s: %s. Every %s, %s from the operator side, %s–%s; seen at %d of %d turns.", side, roll, period, across, from, to, seen, possible)
		},
		unknownRoll:  func(diameter string) string { return "a roll of " + diameter + " diameter, not in the table" },
		sideShort:    map[inspection.Side]string{inspection.Top: "Top", inspection.Bottom: "Bottom"},
		operatorSide: "Operator side", driveSide: "Drive side",
		coilState: map[inspection.CoilState]string{
			inspection.Announced: "Announced", inspection.Running: "Running", inspection.Closed: "Closed", inspection.Interrupted: "Interrupted",
		},
		grades: map[inspection.Grade]string{inspection.Prime: "Prime", inspection.Second: "Second", inspection.Hold: "Hold", inspection.Block: "Block"},
		gradeMeaning: map[inspection.Grade]string{
			inspection.Prime: "Release as ordered", inspection.Second: "Release for lesser use",
			inspection.Hold: "A person must decide", inspection.Block: "Must not leave the mill",
		},
		gapState: map[inspection.GapState]string{
			inspection.DetectedOnly: "Screened, not classified", inspection.Incomplete: "Damaged or not screenable",
			inspection.Underrun: "No buffer free", inspection.Overrun: "Not taken in time", inspection.Unseen: "Not seen",
		},
		severity:        [5]string{"Cosmetic", "Minor", "Moderate", "Severe", "Critical"},
		calibrationKind: map[string]string{"flatfield": "Flat field", "geometry": "Geometry", "encoder": "Encoder", "alignment": "Alignment", "focus": "Focus"},

		notGraded: "Not graded", unknown: "not known", none: "none",
		running:      "Not finished: the coil was still running when this was printed. This is what had been recorded by then.",
		announced:    "Not inspected: the coil was announced and has not run.",
		cutShort:     "Interrupted: the inspection ended before the coil did. What was not seen is a gap.",
		machineSaid:  func(grade string) string { return "The line's own verdict: " + grade },
		restsOnModel: "The grade rests on the model alone.",
		restsOn: func(n int) string {
			return fmt.Sprintf("The grade rests on %s by people.", plural(n, "review", "reviews"))
		},
		regraded: func(at, by, grade string, n int) string {
			return fmt.Sprintf("%s: %s graded it again with %s: %s", at, by, plural(n, "review", "reviews"), grade)
		},
		reviewShare: func(n, all int, share string) string {
			return fmt.Sprintf("%s of %s reviewed by people (%s)", count(n), plural(all, "defect", "defects"), share)
		},
		notInGradeYet: func(n int) string { return plural(n, "review is", "reviews are") + " not in the grade." },
		page:          func(n int, of string) string { return fmt.Sprintf("Page %d of %s", n, of) },
		why:           "Why this grade", held: "Kept", gapRule: "Longest stretch not inspected",
		anyClass: "any class", wholeCoil: "the whole coil", openEnd: "to the unknown end",
		counted:       func(value, limit string) string { return fmt.Sprintf("%s counted, broken from %s", value, limit) },
		measured:      func(value, limit string) string { return fmt.Sprintf("%s measured, %s allowed", value, limit) },
		gives:         func(grade string) string { return "Broken, gives " + grade },
		within:        func(length string) string { return "within " + length },
		minArea:       func(v string) string { return "from " + v + " mm²" },
		minLength:     func(v string) string { return v + " mm or longer" },
		minWidth:      func(v string) string { return v + " mm or wider" },
		minSeverity:   func(v string) string { return "severity from " + v },
		minConfidence: func(v string) string { return "confidence from " + v },
		zones:         map[inspection.Zone]string{inspection.EdgeZone: "in the edge zones", inspection.BodyZone: "outside the edge zones"},
		moreGaps: func(n int, length string) string {
			return fmt.Sprintf("and %s, together %s", plural(n, "more gap", "more gaps"), length)
		},
		defectMap: "Defect map", fromHead: "m from the head end",
		density: "defects in a cell", deciding: "Decided the grade", worstMark: "Number of a picture below",
		noCamera: "No camera: not inspected", noDefects: "No defects recorded", noGaps: "No gaps: every metre of the inspected sides was inspected.",
		byClass: "Defects by class", class: "Class", total: "Both",
		ruledOut: "No defect, by review",
		coverage: "Inspected length", sideHead: "Side", from: "From", to: "To",
		stretch: "Length", cause: "Cause", camera: "Camera",
		gapsLongest: "Gaps, the longest first",
		worst: func(n, all int) string {
			if n == all {
				return "Pictures of the defects"
			}
			return fmt.Sprintf("Pictures of the worst %d of %s", n, plural(all, "defect", "defects"))
		},
		confidence:   "Confidence",
		severityName: "Severity", noPicture: "No picture kept", badPicture: "Picture cannot be read",
		review: "Review", notReviewed: "not reviewed", agreedBy: "confirmed by",
		wasCalled: func(name, by string) string { return fmt.Sprintf("model said %s; corrected by %s", name, by) },
		setup:     "Inspected with", version: "Version", madeAt: "Made", noCalibration: "No calibration of the cameras was in force.",
		restUnseen:  "The rest was not seen; its length is not known",
		knownAtEnd:  "Known when the coil has ended.",
		alongPlace:  func(v string) string { return v + " m from the head end" },
		acrossPlace: func(v string) string { return v + " mm from the operator side" },
	}
}
