package bench_test

import (
	"strings"
	"testing"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/appliance/bench"
)

func options(t *testing.T) bench.Options {
	c := appliance.DefaultConfig()
	c.Data = t.TempDir()
	return bench.Options{Config: c, Work: t.TempDir(), Quick: true}
}

func TestCropsAreMeasuredAtEachBatchBesideTheBareSession(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures for ten seconds")
	}
	r, err := bench.Crops(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	if (r.Python == "") == (r.PythonMissing == "") {
		t.Errorf("Python %q was measured and is missing because %q; want one of the two", r.Python, r.PythonMissing)
	}
	var sizes []int
	for _, b := range r.Batches {
		sizes = append(sizes, b.Batch)
		if b.Pipeline <= 0 || b.Session <= 0 || b.OverSession <= 0 || b.OverSessionByCPU <= 0 {
			t.Errorf("a batch of %d has no rate or ratio: %+v", b.Batch, b)
		}
		if measured := r.Python != ""; (b.Python > 0) != measured || (b.OverPython > 0) != measured || (b.OverPythonByCPU > 0) != measured {
			t.Errorf("a batch of %d does not say what Python %q did: %+v", b.Batch, r.Python, b)
		}
		// The configured batch is what the first figures are of.
		if b.Batch == 8 && (r.Batch != 8 || r.CropsPerSecond != b.Pipeline || r.SessionCropsPerSecond != b.Session || r.OverSession != b.OverSession) {
			t.Errorf("the first figures %+v are not those of %+v", r, b)
		}
	}
	if len(sizes) != 3 || sizes[0] != 1 || sizes[1] != 8 || sizes[2] != 64 {
		t.Errorf("measured at %v; want 1, 8 and 64 crops", sizes)
	}
}

func TestNamedPythonThatCannotCompareIsAnError(t *testing.T) {
	for python, reason := range map[string]string{
		"/nowhere/python": "/nowhere/python does not start",
		"/bin/false":      "/bin/false", // starts and has no ONNX Runtime
	} {
		o := options(t)
		o.Python = python
		if _, err := bench.Crops(t.Context(), o); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("Python %s: %v; want an error with %q", python, err, reason)
		}
	}
}
