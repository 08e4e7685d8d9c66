// Package bench measures the appliance's own parts, in one run on one machine, so that their ratios can be
// trusted where absolute rates cannot: memory, detection against a plain OpenCV chain, classification
// against the bare session, the whole line, and the record.
package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/coilsight/coilsight/appliance"
	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// Options of a run.
type Options struct {
	Config appliance.Config
	Strips string // folder of strip pictures; they are left out where it does not exist
	Quick  bool   // shorter: within 40 s
	Work   string // folder for the record that is written; it is left behind empty
	Python string // a Python with ONNX Runtime to compare with; empty: one that is found, and none is no error
	Say    func(format string, a ...any)
}

// Report is what a run measured. GB and MB are 10^9 and 10^6 bytes.
type Report struct {
	Machine struct {
		Model string `json:"model"`
		Cores int    `json:"cores"`
		Go    string `json:"go"`
	} `json:"machine"`
	Memory struct {
		ReadGBps float64 `json:"read_gbps"` // one core over a buffer larger than any cache
		CopyGBps float64 `json:"copy_gbps"`
	} `json:"memory"`
	Detect struct {
		On               string  `json:"on"`            // what the two rates below were measured on
		GBpsPerCore      float64 `json:"gbps_per_core"` // whole detection with flat field
		ReferenceGBps    float64 `json:"reference_gbps"`
		OverReference    float64 `json:"over_reference"`
		OverCopy         float64 `json:"over_copy"`
		SimulatorGBps    float64 `json:"simulator_gbps_per_core"`
		SimulatorOver    float64 `json:"simulator_over_copy"`
		SimulatorRefGBps float64 `json:"simulator_reference_gbps"`
	} `json:"detect"`
	Classify ClassifyReport `json:"classify"`
	Line     LineReport     `json:"line"`
	Record   struct {
		DefectsPerSecond  float64 `json:"defects_per_second"`  // durable, 2,000 a transaction, without pictures
		PicturesPerSecond float64 `json:"pictures_per_second"` // durable, each with its picture
	} `json:"store"`
	Mill struct {
		RenderMBps float64 `json:"render_mb_per_second"` // one core
	} `json:"mill"`
	Truth   TruthReport `json:"truth"` // on simulated strip
	Rolls   RollReport  `json:"roll_marks"`
	Seconds float64     `json:"seconds"`
}

// quickShare is how much shorter a quick run measures.
const quickShare = 0.35

// Run measures everything.
func Run(ctx context.Context, o Options) (Report, error) {
	var r Report
	began := time.Now()
	r.Machine.Model, r.Machine.Cores, r.Machine.Go = cpuModel(), runtime.NumCPU(), runtime.Version()
	share := 1.0
	if o.Quick {
		share = quickShare
	}
	for _, step := range []struct {
		name string
		run  func(context.Context, Options, float64, *Report) error
	}{
		{"memory", memory},
		{"detection", detection},
		{"classification", classification},
		{"the whole line", wholeLine},
		{"the record", record},
		{"simulated strip against its truth", truth},
		{"roll marks", rolls},
	} {
		o.Say("measuring %s", step.name)
		if err := step.run(ctx, o, share, &r); err != nil {
			return r, fmt.Errorf("measuring %s: %w", step.name, err)
		}
		if err := ctx.Err(); err != nil {
			return r, errors.New("interrupted")
		}
	}
	r.Seconds = time.Since(began).Seconds()
	return r, nil
}

func cpuModel() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func seconds(share, full float64) time.Duration {
	return time.Duration(share * full * float64(time.Second))
}

// rate repeats work, which handles n bytes or items a call, for about d, and returns n a second.
func rate(d time.Duration, n int, work func() error) (float64, error) {
	if err := work(); err != nil { // warm: page faults and tables are not the work
		return 0, err
	}
	done := 0
	began := time.Now()
	for time.Since(began) < d {
		if err := work(); err != nil {
			return 0, err
		}
		done += n
	}
	return float64(done) / time.Since(began).Seconds(), nil
}

// memoryBytes is eight times the largest last-level cache in use on two-core machines.
const memoryBytes = 256 << 20

func memory(_ context.Context, _ Options, share float64, r *Report) error {
	from, to := make([]byte, memoryBytes), make([]byte, memoryBytes)
	for i := range from {
		from[i] = byte(i) &^ 0x80 // never the byte that is searched for
	}
	read, err := rate(seconds(share, 1), memoryBytes, func() error {
		if bytes.IndexByte(from, 0xff) >= 0 { // the runtime's vector loop touches every byte once
			return errors.New("a byte was found that was never written")
		}
		return nil
	})
	if err != nil {
		return err
	}
	copied, err := rate(seconds(share, 1), memoryBytes, func() error { copy(to, from); return nil })
	r.Memory.ReadGBps, r.Memory.CopyGBps = read/1e9, copied/1e9
	return err
}

// pictures reads the strip pictures, all of the first one's width. None is not an error.
func pictures(dir string) ([]inspection.LineImage, error) {
	var paths []string
	for _, ext := range []string{"jpg", "jpeg", "png", "tif", "tiff"} {
		p, err := filepath.Glob(filepath.Join(dir, "*."+ext))
		if err != nil {
			return nil, err
		}
		paths = append(paths, p...)
	}
	slices.Sort(paths)
	var out []inspection.LineImage
	for _, path := range paths {
		pix, w, h, err := replay.ReadPicture(path)
		if err != nil {
			return nil, err
		}
		if len(out) == 0 || out[0].Width == w {
			out = append(out, inspection.LineImage{Pix: pix, Width: w, Height: h, Stride: w})
		}
	}
	return out, nil
}

func detection(ctx context.Context, o Options, share float64, r *Report) error {
	strip, err := renderStrip(ctx, o, share, r)
	if err != nil {
		return err
	}
	r.Detect.SimulatorGBps, r.Detect.SimulatorRefGBps, err = detectOn(strip, share, o)
	if err != nil {
		return err
	}
	r.Detect.On, r.Detect.GBpsPerCore, r.Detect.ReferenceGBps = "simulated strip", r.Detect.SimulatorGBps, r.Detect.SimulatorRefGBps
	real, err := pictures(o.Strips)
	if err != nil {
		return err
	}
	if len(real) > 0 {
		r.Detect.On = fmt.Sprintf("%d replayed strips", len(real))
		if r.Detect.GBpsPerCore, r.Detect.ReferenceGBps, err = detectOn(real, share, o); err != nil {
			return err
		}
	}
	r.Detect.OverReference = r.Detect.GBpsPerCore / r.Detect.ReferenceGBps
	r.Detect.OverCopy, r.Detect.SimulatorOver = r.Detect.GBpsPerCore/r.Memory.CopyGBps, r.Detect.SimulatorGBps/r.Memory.CopyGBps
	return nil
}

// detectOn measures the detector, with a flat field and on one goroutine, and the OpenCV chain on the same
// pixels, in turns, so that both see the same machine.
func detectOn(strip []inspection.LineImage, share float64, o Options) (own, reference float64, err error) {
	width, total := strip[0].Width, 0
	gain := make(inspection.ColumnGain, width)
	for x := range gain {
		gain[x] = inspection.UnityGain + uint16(x%64)
	}
	for _, m := range strip {
		total += m.Width * m.Height
	}
	d, err := inference.NewDetector(width, inference.DetectorOptions{Threshold: o.Config.Detector.Threshold})
	if err != nil {
		return 0, 0, err
	}
	defer d.Close()
	chain, err := inference.NewReferenceChain()
	if err != nil {
		return 0, 0, err
	}
	defer chain.Close()
	var seen inspection.Screening
	const turns = 3
	var owns, references []float64
	for range turns {
		v, err := rate(seconds(share, 1), total, func() error {
			for _, m := range strip {
				if err := d.Screen(&seen, m, inspection.FlatField{Gain: gain}, true); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
		owns = append(owns, v/1e9)
		v, err = rate(seconds(share, 1), total, func() error {
			for _, m := range strip {
				if _, err := chain.Run(m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
		references = append(references, v/1e9)
	}
	return median(owns), median(references), nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}
