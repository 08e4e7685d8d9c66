package report_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/report"
)

// pdf writes a report and gives its path.
func pdf(t *testing.T, r report.Record, id inspection.CoilID, lang report.Language) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.pdf")
	var b bytes.Buffer
	if err := report.WritePDF(t.Context(), &b, r, id, lang, about()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// poppler runs a program of poppler-utils, a reader of PDF that is not ours.
func poppler(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not there; make test brings it with poppler-utils", name)
	}
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	return string(out)
}

// textOf is the text of a report, with single spaces.
func textOf(t *testing.T, path string) string {
	t.Helper()
	return strings.Join(strings.Fields(poppler(t, "pdftotext", "-layout", path, "-")), " ")
}

// field is a figure of pdfinfo.
func field(t *testing.T, path, name string) string {
	t.Helper()
	for line := range strings.Lines(poppler(t, "pdfinfo", path)) {
		if v, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func pictures(t *testing.T, path string) (n int) {
	t.Helper()
	for line := range strings.Lines(poppler(t, "pdfimages", "-list", path)) {
		if strings.Contains(line, " image ") {
			n++
		}
	}
	return n
}

func wantText(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("the report does not say %q", w)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestReportSaysWhatIsRecorded(t *testing.T) {
	s := newStore(t)
	b := run(t, s, "H-4711", 150, 8)
	finish(t, s, "H-4711")
	review(t, s, b.Defects[0].ID, "no_defect", "Kim")
	review(t, s, b.Defects[1].ID, "hole", "이서연")
	if _, err := s.Regrade(t.Context(), "H-4711", "김민준", 0); err != nil {
		t.Fatal(err)
	}
	review(t, s, b.Defects[20].ID, "hole", "뷁서연") // a syllable outside of KS X 1001
	for lang, want := range map[report.Language][]string{
		report.English: {
			"Coil report", "Block", "Must not leave the mill", "SS400 강판", "400.0 m", "1,500 mm", "2.50 mm", "Asia/Seoul (UTC+09:00)", "2026-03-01 17:00:00",
			"The line's own verdict: Block. The grade rests on 2 reviews by people. 3 of 150 defects reviewed by people (2.00 %).", "김민준 graded it again with 2 reviews: Block",
			"1 review is not in the grade.", "Why this grade · hot-strip v3", "edge-cracks", "3 counted, broken from 3", "Broken, gives Hold",
			"2,650 mm measured, 1,000 mm allowed", "surface scratch · outside the edge zones · 50 mm or longer · within 50 m",
			"Operator side", "Drive side", "m from the head end", "No defect, by review", "98.82 %", "screening is late", "Gaps, the longest first",
			"steel-surface 1.3.0", "hot-strip v3 · Hot-rolled strip", "Flat field Version 4 Made 2026-03-01 16:00:00", "Pictures of the worst 12 of 149 defects",
			"confirmed by 뷁서연", "model said edge crack; corrected by 이서연", "Page 1 of 3", "Page 3 of 3", "Printed 2026-03-02 08:30:00 · Coilsight 1.2.3 · Coil H-4711",
		},
		report.Korean: {
			"코일 검사 보고서", "출하 금지", "공장 밖으로 나갈 수 없음", "라인의 판정: 출하 금지. 등급에 사람의 검토 2건이 반영되었습니다.", "등급 판정 근거 · hot-strip v3",
			"3건(3건부터 위반)", "위반 → 보류", "작업측", "구동측", "표면 스크래치 · 가장자리 제외 · 길이 50 mm 이상 · 50 m 이내", "검토 결과 결함 아님", "처리 지연", "밝기 평탄화 버전 4",
			"결함 149건 중 가장 심각한 12건의 사진", "선단에서", "모델 판정: 에지 크랙, 정정: 이서연", "3 / 3쪽",
		},
	} {
		t.Run(string(lang), func(t *testing.T) {
			path := pdf(t, s, "H-4711", lang)
			wantText(t, textOf(t, path), want...)
			if pages, size := field(t, path, "Pages"), field(t, path, "Page size"); pages != "3" || !strings.Contains(size, "A4") {
				t.Errorf("%s pages of %s; want 3 of A4", pages, size)
			}
			kept := 0
			for _, d := range []int{20, 30, 40, 50, 60, 70, 80, 90, 110, 120, 130, 140} { // holes; every third has a picture
				if d%3 == 0 {
					kept++
				}
			}
			if n := pictures(t, path); n != kept {
				t.Errorf("%d pictures; want %d", n, kept)
			}
			fonts := strings.Split(strings.TrimSpace(poppler(t, "pdffonts", path)), "\n")[2:]
			if len(fonts) != 2 {
				t.Errorf("fonts %q; want two weights", fonts)
			}
			for _, f := range fonts {
				// name, type, encoding, then: embedded, subset, with a map to Unicode
				if !strings.Contains(f, "TrueType") || !strings.Contains(f, "Identity-H") || len(strings.Fields(f)) < 7 || strings.Fields(f)[4] != "yes" || strings.Fields(f)[6] != "yes" {
					t.Errorf("font %q is not embedded or cannot be searched", f)
				}
			}
		})
	}
}

func TestReportOfACoilThatHasNotEndedSaysSo(t *testing.T) {
	s := newStore(t)
	run(t, s, "R1", 40, 2)
	if _, _, err := s.Announce(t.Context(), "A1", inspection.CoilOrder{Length: 100_000, SteelGrade: "=1+1 😀\nx"}); err != nil {
		t.Fatal(err)
	}
	wantText(t, textOf(t, pdf(t, s, "R1", report.English)), "Not finished", "Not graded", "Known when the coil has ended", "Bottom side", "245.951")
	wantText(t, textOf(t, pdf(t, s, "R1", report.Korean)), "미완료", "판정 전", "코일이 끝나면 정해집니다")
	text := textOf(t, pdf(t, s, "A1", report.English))
	wantText(t, text, "Not inspected: the coil was announced and has not run.", "100.0 m", "=1+1 □ x")
	if strings.Contains(text, "Defect map") {
		t.Error("a coil that has not run has a map")
	}
}

func TestReportOfACoilThatHasJustBegun(t *testing.T) {
	s := newStore(t)
	id := inspection.CoilID(strings.Repeat("W", 64)) // the widest there is
	if _, err := s.StartCoil(t.Context(), id, inspection.CoilOrder{}, recipe(), inspection.Setup{}, began); err != nil {
		t.Fatal(err)
	}
	about := about()
	about.Recipes, about.Zone = nil, nil
	var b bytes.Buffer
	if err := report.WritePDF(t.Context(), &b, s, id, report.English, about); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if text := poppler(t, "pdftotext", "-raw", path, "-"); !strings.Contains(text, string(id[:32])+"\n"+string(id[32:])+"\n") {
		t.Errorf("the coil's id is cut short: %s", text)
	}
	wantText(t, textOf(t, path), "Not finished", string(id[:32]), "UTC (UTC+00:00)", "No defects recorded", "No calibration of the cameras was in force.")
}

func TestReportOfACoilWhoseEndWasNotSeen(t *testing.T) {
	s := newStore(t)
	start(t, s, "I1")
	b := batch("I1", 0, 0)
	b.Gaps = []inspection.Gap{{Side: inspection.Top, Camera: "top", From: 399_500, To: 400_000, State: inspection.Unseen, Cause: "stopped", OpenEnd: true}}
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	finish(t, s, "I1")
	wantText(t, textOf(t, pdf(t, s, "I1", report.English)), "Hold", "The rest was not seen; its length is not known", "to the unkn", "≥ 500")
}

func TestReportOfACleanCoil(t *testing.T) {
	s := newStore(t)
	run(t, s, "C1", 0, 0)
	finish(t, s, "C1")
	path := pdf(t, s, "C1", report.English)
	wantText(t, textOf(t, path), "Prime", "Release as ordered", "No defects recorded", "100 %", "No gaps: every metre", "The grade rests on the model alone")
	if n := pictures(t, path); n != 0 {
		t.Errorf("%d pictures of no defects", n)
	}
}

func TestReportOfASideWithoutACamera(t *testing.T) {
	s := newStore(t)
	start(t, s, "B1")
	b := batch("B1", 0, 0)
	b.Progress = b.Progress[:1]
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	m, err := s.Map(t.Context(), "B1")
	if err != nil {
		t.Fatal(err)
	}
	m.Strip.Sides = []inspection.Side{inspection.Top}
	if _, err := s.CloseCoil(t.Context(), "B1", m.Strip, inspection.GradeMap(m, recipe()), began.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if text := textOf(t, pdf(t, s, "B1", report.English)); strings.Count(text, "No camera: not inspected") != 2 {
		t.Errorf("map and coverage do not both say that the bottom side has no camera: %s", text)
	}
}

func TestManyRulesAndGapsGoOnOverPages(t *testing.T) {
	s := newStore(t)
	run(t, s, "G1", 3000, 400)
	finish(t, s, "G1")
	path := pdf(t, s, "G1", report.English)
	text := textOf(t, path)
	wantText(t, text, "and 360 more gaps, together", "defects in a cell")
	if n := field(t, path, "Pages"); n != "3" && n != "4" {
		t.Errorf("%s pages", n)
	}
}

// record changes what a store gives.
type record struct {
	report.Record
	image func() (io.ReadCloser, error)
}

func (r record) Image(context.Context, inspection.DefectID) (io.ReadCloser, error) { return r.image() }

func TestPictureThatCannotBeReadIsNamed(t *testing.T) {
	s := newStore(t)
	run(t, s, "P1", 10, 0)
	finish(t, s, "P1")
	for want, image := range map[string]func() (io.ReadCloser, error){
		"Picture cannot be read": func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("\x89PNG\r\n\x1a\nbroken")), nil },
		"No picture kept":        func() (io.ReadCloser, error) { return nil, &inspection.NotFoundError{Noun: "picture", ID: "1"} },
	} {
		path := pdf(t, record{s, image}, "P1", report.English)
		if text := textOf(t, path); !strings.Contains(text, want) || pictures(t, path) != 0 {
			t.Errorf("want %q instead of pictures: %s", want, text)
		}
	}
	failed := errors.New("disk")
	err := report.WritePDF(t.Context(), io.Discard, record{s, func() (io.ReadCloser, error) { return nil, failed }}, "P1", report.English, about())
	if !errors.Is(err, failed) {
		t.Errorf("a failing disk: %v", err)
	}
}

func TestReportNamesTheDecisionTheCustomerAndTheRoll(t *testing.T) {
	s := newStore(t)
	if _, _, err := s.Announce(t.Context(), "D-1", inspection.CoilOrder{Customer: "Hanbit"}); err != nil {
		t.Fatal(err)
	}
	start(t, s, "D-1")
	b := batch("D-1", 30, 0)
	b.RollMarks = []inspection.RollMark{{Side: inspection.Top, Period: 2101, Diameter: 669, Across: 251, First: 18_400, Last: 22_600, Seen: 3, Possible: 4, Rolls: []string{"F7 top work roll"}}}
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	finish(t, s, "D-1")
	d := inspection.Decision{By: "Kim", Disposition: inspection.Released, Grade: inspection.Second, Reason: "holes are cut out"}
	if _, err := s.Decide(t.Context(), "D-1", d, 0, []inspection.Grade{inspection.Block}); err != nil {
		t.Fatal(err)
	}
	wantText(t, textOf(t, pdf(t, s, "D-1", report.English)), "Hanbit", "Released as Second on", "by Kim.", "waits for a second person", "Reason: holes are cut out", "Roll marks", "F7 top work roll. Every 2,101 mm", "seen at 3 of 4 turns")
	if _, err := s.ConfirmDecision(t.Context(), "D-1", "이서연", 0); err != nil {
		t.Fatal(err)
	}
	wantText(t, textOf(t, pdf(t, s, "D-1", report.Korean)), "판정: 출하, 등급 2급", "담당 이서연", "사유: holes are cut out", "4회전 중 3회 확인")
}
