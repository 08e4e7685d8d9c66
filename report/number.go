package report

import (
	"math"
	"strconv"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// number writes a figure as both languages do: grouped by commas, parted by a point.
func number(v float64, digits int) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', digits, 64)
	whole, part, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if part != "" {
		whole += "." + part
	}
	if v < 0 && strings.Trim(s, "0.") != "" {
		whole = "-" + whole
	}
	return whole
}

func count(n int) string { return number(float64(n), 0) }

func metres(mm inspection.MM, digits int) string { return number(float64(mm)/1000, digits) + " m" }

func millimetres(mm inspection.MM) string { return number(float64(mm), 0) + " mm" }

// floored cuts digits off: 99.996 % inspected is not the whole coil.
func floored(v float64, digits int) float64 {
	p := math.Pow10(digits)
	return math.Floor(v*p+1e-9) / p
}

// percent of a share, 0 to 1; only the whole is 100, and no digits are wasted on nothing.
func percent(share float64) string {
	switch {
	case share >= 1:
		return "100 %"
	case share <= 0:
		return "0 %"
	}
	return number(floored(share*100, 2), 2) + " %"
}
