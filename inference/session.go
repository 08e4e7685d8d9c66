package inference

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"
)

// Names of a model's input and outputs.
const (
	inputName    = "pixels"
	scoresName   = "scores"
	featuresName = "features"
	// familiarityName is the third output of a model that can tell what it never saw.
	familiarityName = "familiarity"
)

// runtimeLibrary is the file name of the ONNX Runtime library.
const runtimeLibrary = "libonnxruntime.so.1"

// RuntimeVariable is the environment variable that names the library where no hint does.
const RuntimeVariable = "COILSIGHT_ONNXRUNTIME"

// FindRuntime looks for the ONNX Runtime library: at hint, then at COILSIGHT_ONNXRUNTIME, then beside
// the executable, then in bin/ of the module that encloses the working directory (where tests run).
// A hint or variable that names no file is an error and is not passed over.
func FindRuntime(hint string) (string, error) {
	for _, named := range []struct{ from, path string }{
		{"the configured ONNX Runtime library", hint},
		{RuntimeVariable, os.Getenv(RuntimeVariable)},
	} {
		if named.path == "" {
			continue
		}
		if !isFile(named.path) {
			return "", fmt.Errorf("%s is %q, which is not a file; allowed is the path of %s", named.from, named.path, runtimeLibrary)
		}
		return named.path, nil
	}
	var tried []string
	if exe, err := os.Executable(); err == nil {
		tried = append(tried, filepath.Join(filepath.Dir(exe), runtimeLibrary))
	}
	if dir, err := os.Getwd(); err == nil {
		for ; ; dir = filepath.Dir(dir) {
			if isFile(filepath.Join(dir, "go.mod")) {
				tried = append(tried, filepath.Join(dir, "bin", runtimeLibrary))
				break
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	for _, path := range tried {
		if isFile(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("the ONNX Runtime library was not found at %s; deploy/fetch-onnxruntime.sh gets it, or %s names it",
		strings.Join(tried, " or "), RuntimeVariable)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// environment counts the users of ONNX Runtime's environment. The C library has one a process, and the
// binding keeps it in variables of its own, so that neither can be made a value.
var environment struct {
	sync.Mutex
	library string
	users   int
}

func openEnvironment(library string) error {
	environment.Lock()
	defer environment.Unlock()
	if environment.users > 0 {
		if library != environment.library {
			return fmt.Errorf("ONNX Runtime %s cannot be loaded; this process already uses %s", library, environment.library)
		}
		environment.users++
		return nil
	}
	ort.SetSharedLibraryPath(library)
	// What the library logs goes to standard error past our log; errors come back as values anyway.
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return fmt.Errorf("ONNX Runtime %s: %w", library, err)
	}
	environment.library, environment.users = library, 1
	return nil
}

func closeEnvironment() error {
	environment.Lock()
	defer environment.Unlock()
	environment.users--
	if environment.users > 0 {
		return nil
	}
	return ort.DestroyEnvironment()
}

// modelShape is what a session needs to know of a model.
type modelShape struct {
	width, height     int // of a crop
	classes, features int
	familiarity       bool // it has the third output
}

// outputs are the names of the model's outputs, in order.
func (m modelShape) outputs() []string {
	if m.familiarity {
		return []string{scoresName, featuresName, familiarityName}
	}
	return []string{scoresName, featuresName}
}

// session is a loaded model on one provider. It may be run from several goroutines, each with a slot.
type session struct {
	run   *ort.DynamicAdvancedSession
	shape modelShape
}

// slot is the fixed memory of one batch in flight. One goroutine uses it at a time.
type slot struct {
	slab   []byte // outside the Go heap: C keeps pointers into it
	pixels []byte
	scores []float32
	// feats are the pooled features of the batch last run.
	feats []float32
	// familiar is how familiar each crop of the batch last run is; empty where the model does not tell.
	familiar []float32
	// views[n-1] are the tensors of a batch of n over the memory above.
	views []view
}

type view struct {
	in, out []ort.Value
}

// openSession loads a model. The caller must close it, after its slots.
func openSession(library string, onnx []byte, provider string, want modelShape) (*session, error) {
	if err := openEnvironment(library); err != nil {
		return nil, err
	}
	s, err := newSession(onnx, provider, want)
	if err != nil {
		return nil, errors.Join(err, closeEnvironment())
	}
	return s, nil
}

func newSession(onnx []byte, provider string, want modelShape) (*session, error) {
	shape, err := checkModel(onnx, want)
	if err != nil {
		return nil, err
	}
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() { _ = o.Destroy() }() // the session keeps its own copy
	if err := configure(o, provider); err != nil {
		return nil, err
	}
	run, err := ort.NewDynamicAdvancedSessionWithONNXData(onnx, []string{inputName}, shape.outputs(), o)
	if err != nil {
		return nil, fmt.Errorf("the model does not load on provider %s: %w", provider, err)
	}
	return &session{run: run, shape: shape}, nil
}

func configure(o *ort.SessionOptions, provider string) error {
	// We divide the work over slots: a batch runs on the thread that brings it, and no thread of the
	// library burns a core while it waits.
	err := errors.Join(
		o.SetIntraOpNumThreads(1),
		o.SetInterOpNumThreads(1),
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		o.AddSessionConfigEntry("session.inter_op.allow_spinning", "0"),
	)
	if err != nil {
		return err
	}
	if provider == ProviderCPU {
		return nil
	}
	// Without this the runtime quietly puts what the device cannot do on the CPU.
	if err := o.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1"); err != nil {
		return err
	}
	if provider == ProviderTensorRT {
		trt, err := ort.NewTensorRTProviderOptions()
		if err != nil {
			return fmt.Errorf("provider %s is not in this ONNX Runtime library: %w", provider, err)
		}
		defer func() { _ = trt.Destroy() }() // the options above keep their own copy
		if err := o.AppendExecutionProviderTensorRT(trt); err != nil {
			return fmt.Errorf("provider %s does not come up: %w", provider, err)
		}
	}
	// TensorRT leaves what it does not know to CUDA.
	cuda, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return fmt.Errorf("provider %s is not in this ONNX Runtime library: %w", ProviderCUDA, err)
	}
	defer func() { _ = cuda.Destroy() }()
	if err := o.AppendExecutionProviderCUDA(cuda); err != nil {
		return fmt.Errorf("provider %s does not come up: %w", ProviderCUDA, err)
	}
	return nil
}

// checkModel compares the graph's input and outputs with what the manifest promises.
func checkModel(onnx []byte, want modelShape) (modelShape, error) {
	ins, outs, err := ort.GetInputOutputInfoWithONNXData(onnx)
	if err != nil {
		return want, fmt.Errorf("the model is not a readable ONNX graph: %w", err)
	}
	in := ort.NewShape(-1, 1, int64(want.height), int64(want.width))
	if len(ins) != 1 || ins[0].Name != inputName || ins[0].DataType != ort.TensorElementDataTypeUint8 || !sameShape(ins[0].Dimensions, in) {
		return want, fmt.Errorf("the model takes %s; allowed is one input %q of uint8 %v", describe(ins), inputName, in)
	}
	scores := ort.NewShape(-1, int64(want.classes))
	if len(outs) != len(want.outputs()) || outs[0].Name != scoresName || outs[0].DataType != ort.TensorElementDataTypeFloat || !sameShape(outs[0].Dimensions, scores) {
		return want, fmt.Errorf("the model gives %s; allowed are %q, of which %q is float %v, one score a class", describe(outs), want.outputs(), scoresName, scores)
	}
	if f := outs[1]; f.Name != featuresName || f.DataType != ort.TensorElementDataTypeFloat || len(f.Dimensions) != 2 || f.Dimensions[1] < 1 {
		return want, fmt.Errorf("the model's second output is %s; allowed is %q of float [batch, n]", describe(outs[1:]), featuresName)
	}
	if want.familiarity {
		if f := outs[2]; f.Name != familiarityName || f.DataType != ort.TensorElementDataTypeFloat || !sameShape(f.Dimensions, ort.NewShape(-1)) {
			return want, fmt.Errorf("the model's third output is %s; allowed is %q of float [batch]", describe(outs[2:]), familiarityName)
		}
	}
	want.features = int(outs[1].Dimensions[1])
	return want, nil
}

// sameShape compares dimensions; the first, the batch, must be free in the model.
func sameShape(got, want ort.Shape) bool {
	return len(got) == len(want) && got.Equals(want)
}

func describe(infos []ort.InputOutputInfo) string {
	var parts []string
	for i := range infos {
		parts = append(parts, infos[i].String())
	}
	return strings.Join(parts, ", ")
}

func (s *session) close() error {
	return errors.Join(s.run.Destroy(), closeEnvironment())
}

// newSlot makes the memory for batches of up to maxBatch crops. The caller must close it.
func (s *session) newSlot(maxBatch int) (*slot, error) {
	crop := s.shape.width * s.shape.height
	// Every part begins at a multiple of 64 bytes, a cache line.
	const line = 64
	nIn := (maxBatch*crop + line - 1) / line * line
	nScores := (maxBatch*s.shape.classes*4 + line - 1) / line * line
	nFeats := (maxBatch*s.shape.features*4 + line - 1) / line * line
	nFamiliar := 0
	if s.shape.familiarity {
		nFamiliar = maxBatch * 4
	}
	slab, err := syscall.Mmap(-1, 0, nIn+nScores+nFeats+nFamiliar, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("memory for a batch of %d crops: %w", maxBatch, err)
	}
	l := &slot{slab: slab, pixels: slab[:maxBatch*crop]}
	l.scores = unsafe.Slice((*float32)(unsafe.Pointer(&slab[nIn])), maxBatch*s.shape.classes)
	l.feats = unsafe.Slice((*float32)(unsafe.Pointer(&slab[nIn+nScores])), maxBatch*s.shape.features)
	if nFamiliar > 0 {
		l.familiar = unsafe.Slice((*float32)(unsafe.Pointer(&slab[nIn+nScores+nFeats])), maxBatch)
	}
	for n := 1; n <= maxBatch; n++ {
		v, err := l.view(n, s.shape)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.views = append(l.views, v)
	}
	return l, nil
}

func (l *slot) view(n int, m modelShape) (view, error) {
	b := int64(n)
	in, err := ort.NewTensor(ort.NewShape(b, 1, int64(m.height), int64(m.width)), l.pixels)
	if err != nil {
		return view{}, err
	}
	scores, err := ort.NewTensor(ort.NewShape(b, int64(m.classes)), l.scores)
	if err != nil {
		return view{}, errors.Join(err, in.Destroy())
	}
	feats, err := ort.NewTensor(ort.NewShape(b, int64(m.features)), l.feats)
	if err != nil {
		return view{}, errors.Join(err, in.Destroy(), scores.Destroy())
	}
	v := view{in: []ort.Value{in}, out: []ort.Value{scores, feats}}
	if m.familiarity {
		familiar, err := ort.NewTensor(ort.NewShape(b), l.familiar)
		if err != nil {
			return view{}, errors.Join(err, in.Destroy(), scores.Destroy(), feats.Destroy())
		}
		v.out = append(v.out, familiar)
	}
	return v, nil
}

// runBatch runs the model over the first n crops of the slot's pixels.
func (s *session) runBatch(l *slot, n int) error {
	v := &l.views[n-1]
	return s.run.Run(v.in, v.out)
}

func (l *slot) close() error {
	var errs []error
	for _, v := range l.views {
		for _, t := range append(v.in, v.out...) {
			errs = append(errs, t.Destroy())
		}
	}
	return errors.Join(append(errs, syscall.Munmap(l.slab))...)
}
