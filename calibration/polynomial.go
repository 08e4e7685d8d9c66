package calibration

import "math"

// polynomial of x with these coefficients, the constant first.
func polynomial(c []float64, x float64) (v float64) {
	for i := len(c) - 1; i >= 0; i-- {
		v = v*x + c[i]
	}
	return v
}

// polyfit is the weighted least-squares polynomial of a degree.
func polyfit(x, y, weight []float64, degree int) []float64 {
	n := degree + 1
	a := make([][]float64, n)
	for i := range a {
		a[i] = make([]float64, n+1)
	}
	for k := range x {
		p := 1.0
		powers := make([]float64, 2*n)
		for i := range powers {
			powers[i] = p
			p *= x[k]
		}
		for i := range n {
			for j := range n {
				a[i][j] += weight[k] * powers[i+j]
			}
			a[i][n] += weight[k] * powers[i] * y[k]
		}
	}
	for i := range n { // Gauss, with the largest pivot
		pivot := i
		for r := i + 1; r < n; r++ {
			if math.Abs(a[r][i]) > math.Abs(a[pivot][i]) {
				pivot = r
			}
		}
		a[i], a[pivot] = a[pivot], a[i]
		if a[i][i] == 0 {
			continue
		}
		for r := range n {
			if r == i {
				continue
			}
			k := a[r][i] / a[i][i]
			for c := i; c <= n; c++ {
				a[r][c] -= k * a[i][c]
			}
		}
	}
	out := make([]float64, n)
	for i := range out {
		if a[i][i] != 0 {
			out[i] = a[i][n] / a[i][i]
		}
	}
	return out
}
