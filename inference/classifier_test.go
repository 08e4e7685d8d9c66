package inference

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/models"
)

const shippedFolder = "../models/bundles/steel-surface-1"

func runtimeOf(t testing.TB) string {
	t.Helper()
	path, err := FindRuntime("")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func shippedBundle(t testing.TB) *models.Bundle {
	t.Helper()
	b, err := models.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func shippedClassifier(t testing.TB, o ClassifierOptions) (*Classifier, *models.Bundle) {
	t.Helper()
	b := shippedBundle(t)
	o.Runtime = runtimeOf(t)
	c, err := NewClassifier(b, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, b
}

// changedBundle opens the shipped bundle with some files replaced and its manifest changed, checksums
// put right: a bundle that is whole, and wrong.
func changedBundle(t *testing.T, files map[string][]byte, change func(m map[string]any)) *models.Bundle {
	t.Helper()
	fsys := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(shippedFolder), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(shippedFolder, path))
		fsys[path] = &fstest.MapFile{Data: data, Mode: 0o644}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(fsys[models.ManifestName].Data, &m); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: data, Mode: 0o644}
		sum := sha256.Sum256(data)
		for _, f := range m["files"].([]any) {
			if f := f.(map[string]any); f["path"] == name {
				f["bytes"], f["sha256"] = len(data), hex.EncodeToString(sum[:])
			}
		}
	}
	if change != nil {
		change(m)
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	fsys[models.ManifestName] = &fstest.MapFile{Data: data, Mode: 0o644}
	b, err := models.Open(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// goldenRows is what golden.json holds.
type goldenRows struct {
	Scores      [][]float32 `json:"scores"`
	Familiarity []float32   `json:"familiarity"`
}

// changedGolden is the shipped golden.json with a change.
func changedGolden(t *testing.T, change func(rows *goldenRows)) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(shippedFolder, "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows goldenRows
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	change(&rows)
	data, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestClassifierGivesGoldenCropsTheirScores(t *testing.T) {
	c, b := shippedClassifier(t, ClassifierOptions{MaxBatch: 4})
	if p := c.Provider(); p.Name != ProviderCPU || p.CropsPerSecond <= 0 || p.GoldenMaxError > b.Manifest.Golden.Tolerance {
		t.Errorf("provider report is %+v", p)
	}
	var crops [][]byte
	for _, g := range b.Golden() {
		crops = append(crops, g.Pix)
	}
	// More crops than a batch holds, so that the last batch is a part.
	verdicts, err := c.ClassifyBatch(nil, crops)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range b.Golden() {
		best := slices.Index(g.Scores, slices.Max(g.Scores))
		if got := verdicts[i]; got.Class != c.Classes()[best] || got.Confidence < g.Scores[best]-0.01 || got.Confidence > g.Scores[best]+0.01 {
			t.Errorf("crop %d is %v; want %s with %.3f", i, got, c.Classes()[best], g.Scores[best])
		}
	}
}

func TestClassifierRefusesAModelThatIsNotTheOneTrained(t *testing.T) {
	model, err := os.ReadFile(filepath.Join(shippedFolder, "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	broken := slices.Clone(model)
	for i := len(broken) / 2; i < len(broken)/2+40_000; i++ {
		broken[i] ^= 0x40 // weights that are numbers still, and others
	}
	for name, c := range map[string]struct {
		bundle *models.Bundle
		want   string
	}{
		"other weights": {changedBundle(t, map[string][]byte{"model.onnx": broken}, nil), "golden crop"},
		"other scores": {changedBundle(t, map[string][]byte{"golden.json": changedGolden(t, func(rows *goldenRows) {
			for _, row := range rows.Scores {
				slices.Reverse(row)
			}
		})}, nil), "allowed is a difference of 0.02"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := NewClassifier(c.bundle, ClassifierOptions{Runtime: runtimeOf(t)})
			if err == nil {
				_ = got.Close()
				t.Fatal("the model was accepted")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %q; it must contain %q", err, c.want)
			}
		})
	}
}

func TestProviderThatDoesNotComeUpIsNeverReplacedInSilence(t *testing.T) {
	for configured, tried := range map[string][]string{
		ProviderTensorRT: {ProviderTensorRT, ProviderCUDA}, ProviderCUDA: {ProviderCUDA}, ProviderAuto: {ProviderTensorRT, ProviderCUDA},
	} {
		c, _ := shippedClassifier(t, ClassifierOptions{Provider: configured})
		p := c.Provider()
		if p.Name != ProviderCPU {
			t.Logf("%s: this machine has %s", configured, p.Name)
			continue
		}
		if p.Configured != configured || p.AsConfigured() != (configured == ProviderAuto) || len(p.Refused) != len(tried) {
			t.Errorf("%s: the report is %+v; want the cpu and why each of %v was refused", configured, p, tried)
			continue
		}
		for i, name := range tried {
			if !strings.Contains(p.Refused[i], "provider "+name) {
				t.Errorf("%s: the reason %q does not name provider %s", configured, p.Refused[i], name)
			}
		}
	}
}

// The answers of a device are those of the CPU, on the golden crops and on two batches that follow each other
// and differ: a runtime that answers for the pixels of the batch before would pass on one.
func TestDeviceAnswersAsTheCPUDoes(t *testing.T) {
	cpu, b := shippedClassifier(t, ClassifierOptions{})
	var crops, turned [][]byte
	for _, g := range b.Golden()[:8] {
		crops = append(crops, g.Pix)
		other := slices.Clone(g.Pix)
		slices.Reverse(other)
		turned = append(turned, other)
	}
	for _, provider := range []string{ProviderTensorRT, ProviderCUDA} {
		t.Run(provider, func(t *testing.T) {
			device, _ := shippedClassifier(t, ClassifierOptions{Provider: provider})
			if p := device.Provider(); p.Name != provider {
				t.Skipf("there is no such device: %s", strings.Join(p.Refused, "; "))
			}
			for _, batch := range [][][]byte{crops, turned} {
				want, err := cpu.Scores(nil, batch)
				if err != nil {
					t.Fatal(err)
				}
				got, err := device.Scores(nil, batch)
				if err != nil {
					t.Fatal(err)
				}
				for i := range want {
					if diff := got[i] - want[i]; diff > 0.02 || diff < -0.02 {
						t.Errorf("score %d is %.4f on %s and %.4f on the CPU", i, got[i], provider, want[i])
					}
				}
			}
		})
	}
}

// gpuLibrary is where make onnxruntime GPU=1 puts the library.
const gpuLibrary = "../bin/gpu/" + runtimeLibrary

// A process loads one library, so the tests of providers run once more in another.
func TestGPULibraryGivesTheSameAnswersAndMissesItsDeviceInTheOpen(t *testing.T) {
	if !isFile(gpuLibrary) {
		t.Skipf("%s is not there; make onnxruntime GPU=1 brings it", gpuLibrary)
	}
	if os.Getenv(RuntimeVariable) != "" {
		t.Skipf("%s already names the library of this run", RuntimeVariable)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v",
		"-test.run", "^(TestClassifierGivesGoldenCropsTheirScores|TestProviderThatDoesNotComeUpIsNeverReplacedInSilence|TestDeviceAnswersAsTheCPUDoes)$")
	cmd.Env = append(os.Environ(), RuntimeVariable+"="+gpuLibrary)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func TestBareBatchIsBounded(t *testing.T) {
	c, _ := shippedClassifier(t, ClassifierOptions{MaxBatch: 2})
	for batch, right := range map[int]bool{0: false, 1: true, 2: true, 3: false} {
		if err := c.RunBare(batch); (err == nil) != right {
			t.Errorf("a bare batch of %d: %v", batch, err)
		}
	}
}

func TestClassifierOptionsAreBounded(t *testing.T) {
	for want, o := range map[string]ClassifierOptions{
		`provider "tpu" is not known; allowed are [auto tensorrt cuda cpu]`: {Provider: "tpu"},
		"-1 slots are not possible; allowed are 1 to 16":                    {Slots: -1},
		"a batch of 1000 crops is not possible; allowed are 1 to 64":        {MaxBatch: 1000},
	} {
		o.Runtime = runtimeOf(t)
		c, err := NewClassifier(shippedBundle(t), o)
		if err == nil {
			_ = c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gives %v; want %q", o, err, want)
		}
	}
}

func TestRuntimeLibraryIsFoundOrNamed(t *testing.T) {
	if _, err := FindRuntime("/nowhere/lib.so"); err == nil || !strings.Contains(err.Error(), `"/nowhere/lib.so", which is not a file`) {
		t.Errorf("a hint that names no file gives %v", err)
	}
	t.Setenv(RuntimeVariable, "/nowhere/other.so")
	if _, err := FindRuntime(""); err == nil || !strings.Contains(err.Error(), RuntimeVariable) {
		t.Errorf("a variable that names no file gives %v", err)
	}
	t.Setenv(RuntimeVariable, "")
	noLibrary := filepath.Join(t.TempDir(), "lib.so")
	if err := os.WriteFile(noLibrary, []byte("not a library"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := NewClassifier(shippedBundle(t), ClassifierOptions{Runtime: noLibrary}); err == nil || !strings.Contains(err.Error(), noLibrary) {
		t.Errorf("a file that is no library gives %v", err)
	}
	// After the failure the right one must still load.
	shippedClassifier(t, ClassifierOptions{})
}

func TestCropOfAnotherSizeIsRefused(t *testing.T) {
	c, _ := shippedClassifier(t, ClassifierOptions{})
	_, err := c.ClassifyBatch(nil, [][]byte{make([]byte, 100)})
	if err == nil || !strings.Contains(err.Error(), "crop 0 has 100 bytes; allowed are 16384") {
		t.Errorf("got %v", err)
	}
}

func TestGoldenCropIsCheckedInScoresAndFamiliarity(t *testing.T) {
	want := models.GoldenCrop{Scores: []float32{0.3, 0.7}, Familiarity: 0.9}
	for _, c := range []struct {
		name    string
		got     answer
		unknown bool
		fault   string
	}{
		{"as it must", answer{scores: []float32{0.31, 0.69}, familiarity: 0.91}, true, ""},
		{"another score", answer{scores: []float32{0.25, 0.75}, familiarity: 0.9}, true, "scores 0.2500 for class dent and must score 0.3000"},
		{"a score that is no number", answer{scores: []float32{0.3, float32(math.NaN())}, familiarity: 0.9}, true, "scores NaN for class hole"},
		{"another familiarity", answer{scores: []float32{0.3, 0.7}, familiarity: 0.8}, true, "has a familiarity of 0.8000 and must have 0.9000"},
		{"a familiarity without a meaning", answer{scores: []float32{0.3, 0.7}, familiarity: 0.1}, false, ""},
	} {
		_, err := goldenDifference(want, c.got, []inspection.DefectClass{"dent", "hole"}, c.unknown, 0.02)
		if (err == nil) != (c.fault == "") || (err != nil && !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s: %v; want %q", c.name, err, c.fault)
		}
	}
}

func TestConcurrentBatchesDoNotMix(t *testing.T) {
	c, b := shippedClassifier(t, ClassifierOptions{Slots: 2})
	golden := b.Golden()
	var workers sync.WaitGroup
	for w := range 4 {
		workers.Go(func() {
			for i := range 20 {
				g := golden[(i+w*3)%len(golden)]
				scores, err := c.Scores(nil, [][]byte{g.Pix})
				if err != nil {
					t.Error(err)
					return
				}
				for j := range scores {
					if d := scores[j] - g.Scores[j]; d > 0.02 || d < -0.02 {
						t.Errorf("crop %d scores %v; want %v", i, scores, g.Scores)
						return
					}
				}
			}
		})
	}
	workers.Wait()
}

func BenchmarkClassifyBatch(b *testing.B) {
	c, bundle := shippedClassifier(b, ClassifierOptions{})
	crops := make([][]byte, c.MaxBatch())
	for i := range crops {
		crops[i] = bundle.Golden()[i%len(bundle.Golden())].Pix
	}
	var verdicts []inspection.Classification
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if verdicts, err = c.ClassifyBatch(verdicts[:0], crops); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(crops))/b.Elapsed().Seconds(), "crops/s")
}

func BenchmarkBareSession(b *testing.B) {
	c, _ := shippedClassifier(b, ClassifierOptions{})
	for b.Loop() {
		if err := c.RunBare(c.MaxBatch()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*c.MaxBatch())/b.Elapsed().Seconds(), "crops/s")
}
