package report

import (
	"fmt"

	"github.com/coilsight/coilsight/inspection"
)

func korean() words {
	return words{
		title: "코일 검사 보고서",
		coil:  "코일", state: "상태", grade: "등급", steel: "강종", length: "길이", width: "폭", thickness: "두께",
		started: "시작", ended: "종료", zone: "시각 기준", recipe: "레시피", model: "모델", calibration: "교정",
		program: "프로그램", printed: "출력 시각", defects: "결함", gaps: "미검사 구간",
		reviewed: "사람이 검토한 결함", notInGrade: "등급 판정 후 검토된 결함",
		inspected: "검사됨", screened: "검출만 됨", missed: "미촬영",
		side: map[inspection.Side]string{
			inspection.Top: "상면", inspection.Bottom: "하면", inspection.PrimeSide: "기준면", inspection.OtherSide: "반대면",
		},
		customer: "고객", decision: "판정",
		sections:     map[inspection.Section]string{inspection.HeadSection: "선단부", inspection.BodySection: "선·후단부 제외", inspection.TailSection: "후단부"},
		dispositions: map[inspection.Disposition]string{inspection.Released: "출하", inspection.Held: "보류", inspection.Rejected: "불합격"},
		decided: func(what, grade, at, by string) string {
			if grade != "" {
				what += ", 등급 " + grade
			}
			return fmt.Sprintf("판정: %s (%s, 담당 %s).", what, at, by)
		},
		decisionReason: func(reason string) string { return "사유: " + reason },
		confirmed:      func(at, by string) string { return fmt.Sprintf("확인: %s, 담당 %s.", at, by) },
		pending:        "판정이 두 번째 담당자의 확인을 기다리며, 그때까지 효력이 없습니다.",
		rollMarks:      "롤마크",
		rollMark: func(side, roll, period, across, from, to string, seen, possible int) string {
			return fmt.Sprintf("%s: %s. 간격 %s, 작업측에서 %s, %s~%s, %d회전 중 %d회 확인.", side, roll, period, across, from, to, possible, seen)
		},
		unknownRoll:  func(diameter string) string { return "지름 " + diameter + " 롤, 표에 없음" },
		sideShort:    map[inspection.Side]string{inspection.Top: "상면", inspection.Bottom: "하면"},
		operatorSide: "작업측", driveSide: "구동측",
		coilState: map[inspection.CoilState]string{
			inspection.Announced: "예정", inspection.Running: "검사 중", inspection.Closed: "완료", inspection.Interrupted: "중단됨",
		},
		grades: map[inspection.Grade]string{inspection.Prime: "정품", inspection.Second: "2급", inspection.Hold: "보류", inspection.Block: "출하 금지"},
		gradeMeaning: map[inspection.Grade]string{
			inspection.Prime: "주문대로 출하", inspection.Second: "낮은 용도로 출하",
			inspection.Hold: "사람이 판정해야 함", inspection.Block: "공장 밖으로 나갈 수 없음",
		},
		gapState: map[inspection.GapState]string{
			inspection.DetectedOnly: "검출만 됨", inspection.Incomplete: "손상 또는 검사 불가",
			inspection.Underrun: "버퍼 부족", inspection.Overrun: "처리 지연", inspection.Unseen: "미촬영",
		},
		severity:        [5]string{"외관", "경미", "보통", "심각", "치명"},
		calibrationKind: map[string]string{"flatfield": "밝기 평탄화", "geometry": "기하", "encoder": "엔코더", "alignment": "정렬", "focus": "초점"},

		notGraded: "판정 전", unknown: "알 수 없음", none: "없음",
		running:      "미완료: 출력할 때 코일이 카메라 아래를 지나고 있었습니다. 아래는 그때까지 기록된 내용입니다.",
		announced:    "미검사: 예고만 되었고 아직 지나가지 않은 코일입니다.",
		cutShort:     "중단됨: 코일이 끝나기 전에 검사가 끝났습니다. 보지 못한 부분은 미검사 구간입니다.",
		machineSaid:  func(grade string) string { return "라인의 판정: " + grade },
		restsOnModel: "등급은 모델의 판정만으로 정해졌습니다.",
		restsOn: func(n int) string {
			return fmt.Sprintf("등급에 사람의 검토 %s건이 반영되었습니다.", count(n))
		},
		regraded: func(at, by, grade string, n int) string {
			return fmt.Sprintf("%s: %s, 검토 %s건을 반영하여 다시 판정: %s", at, by, count(n), grade)
		},
		reviewShare: func(n, all int, share string) string {
			return fmt.Sprintf("결함 %s건 중 %s건을 사람이 검토함(%s)", count(all), count(n), share)
		},
		notInGradeYet: func(n int) string {
			return fmt.Sprintf("검토 %s건은 등급에 반영되지 않았습니다.", count(n))
		},
		page: func(n int, of string) string { return fmt.Sprintf("%d / %s쪽", n, of) },
		why:  "등급 판정 근거", held: "충족", gapRule: "가장 긴 미검사 구간",
		anyClass: "모든 종류", wholeCoil: "코일 전체", openEnd: "끝을 알 수 없음",
		counted:       func(value, limit string) string { return fmt.Sprintf("%s건(%s건부터 위반)", value, limit) },
		measured:      func(value, limit string) string { return fmt.Sprintf("%s(허용 %s)", value, limit) },
		gives:         func(grade string) string { return "위반 → " + grade },
		within:        func(length string) string { return length + " 이내" },
		minArea:       func(v string) string { return v + " mm² 이상" },
		minLength:     func(v string) string { return "길이 " + v + " mm 이상" },
		minWidth:      func(v string) string { return "폭 " + v + " mm 이상" },
		minSeverity:   func(v string) string { return "심각도 " + v + " 이상" },
		minConfidence: func(v string) string { return "신뢰도 " + v + " 이상" },
		zones:         map[inspection.Zone]string{inspection.EdgeZone: "가장자리", inspection.BodyZone: "가장자리 제외"},
		moreGaps:      func(n int, length string) string { return fmt.Sprintf("%s개 구간 더, 모두 %s", count(n), length) },
		defectMap:     "결함 지도", fromHead: "선단부터의 거리(m)",
		density: "칸 안의 결함 수", deciding: "등급을 결정한 결함", worstMark: "아래 사진의 번호",
		noCamera: "카메라 없음: 미검사", noDefects: "기록된 결함이 없습니다", noGaps: "미검사 구간 없음: 검사 대상 면의 모든 길이가 검사되었습니다.",
		byClass: "종류별 결함", class: "종류", total: "양면",
		ruledOut: "검토 결과 결함 아님",
		coverage: "검사된 길이", sideHead: "면", from: "부터", to: "까지",
		stretch: "길이", cause: "원인", camera: "카메라",
		gapsLongest: "미검사 구간(긴 것부터)",
		worst: func(n, all int) string {
			if n == all {
				return "결함 사진"
			}
			return fmt.Sprintf("결함 %s건 중 가장 심각한 %d건의 사진", count(all), n)
		},
		confidence:   "신뢰도",
		severityName: "심각도", noPicture: "저장된 사진 없음", badPicture: "사진을 읽을 수 없음",
		review: "검토", notReviewed: "검토되지 않음", agreedBy: "모델과 같음, 검토자",
		wasCalled: func(name, by string) string { return fmt.Sprintf("모델 판정: %s, 정정: %s", name, by) },
		setup:     "검사 조건", version: "버전", madeAt: "작성", noCalibration: "적용된 카메라 교정이 없습니다.",
		restUnseen:  "나머지는 촬영되지 않았고 길이를 알 수 없음",
		knownAtEnd:  "코일이 끝나면 정해집니다.",
		alongPlace:  func(v string) string { return "선단에서 " + v + " m" },
		acrossPlace: func(v string) string { return "작업측에서 " + v + " mm" },
	}
}
