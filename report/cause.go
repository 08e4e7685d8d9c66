package report

import "regexp"

// koreanCauses are what the line and the cameras say of a gap, in Korean. What is not here is told as it was recorded.
var koreanCauses = map[string]string{
	"inspection interrupted":                                                                    "검사 중단",
	"no frame came from the camera":                                                             "카메라에서 프레임이 오지 않음",
	"frames arrived faster than they were screened":                                             "검출보다 프레임이 빨리 들어옴",
	"no strip was to be seen":                                                                   "스트립이 보이지 않음",
	"too near to a head or tail end to be screened":                                             "선·후단에 너무 가까움",
	"regions were not classified in time":                                                       "제때 분류하지 못함",
	"frames waited to be screened; their regions were not classified":                           "검출이 밀려 분류하지 못함",
	"regions arrived faster than they were classified":                                          "분류보다 검출 영역이 많음",
	"packets did not arrive":                                                                    "패킷 누락",
	"the camera sent no encoder count: where the strip was is not known":                        "카메라가 엔코더 값을 보내지 않음",
	"the encoder stands while the picture shows the strip moving: how much passed is not known": "스트립이 움직이는데 엔코더가 멈춤",
}

// koreanForms are those with figures.
var koreanForms = []struct {
	said *regexp.Regexp
	ko   string
}{
	{regexp.MustCompile(`^more than (\d+) regions in one frame$`), "한 프레임에 영역 ${1}개 초과"},
	{regexp.MustCompile(`^(\d+) of (\d+) packets did not arrive$`), "패킷 ${2}개 중 ${1}개 누락"},
}

// causeIn is why a stretch was not inspected, in the language.
func causeIn(l Language, said string) string {
	if l != Korean {
		return said
	}
	if ko, ok := koreanCauses[said]; ok {
		return ko
	}
	for _, f := range koreanForms {
		if f.said.MatchString(said) {
			return f.said.ReplaceAllString(said, f.ko)
		}
	}
	return said
}
