package report

import "testing"

func TestCausesOfGapsAreToldInKorean(t *testing.T) {
	for said, want := range map[string]string{
		"no frame came from the camera":        "카메라에서 프레임이 오지 않음",
		"more than 64 regions in one frame":    "한 프레임에 영역 64개 초과",
		"12 of 240 packets did not arrive":     "패킷 240개 중 12개 누락",
		"something that this report never saw": "something that this report never saw",
	} {
		if got := causeIn(Korean, said); got != want {
			t.Errorf("%q is %q, want %q", said, got, want)
		}
		if got := causeIn(English, said); got != said {
			t.Errorf("in English %q is %q", said, got)
		}
	}
}
