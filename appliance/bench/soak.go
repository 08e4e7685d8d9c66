package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/inspection"
)

// SoakOptions say how a line is run for a long time.
type SoakOptions struct {
	For   time.Duration // in all
	MBps  float64       // of both cameras together
	Coil  time.Duration // a coil ends and the next begins
	Every time.Duration // between two samples
}

// SoakSample is what a line did since the sample before, and what it holds.
type SoakSample struct {
	Seconds         float64 `json:"seconds"` // since the start
	MBPerSecond     float64 `json:"mb_per_second"`
	EventsPerSecond float64 `json:"events_per_second"`
	DetectedOnly    uint64  `json:"detected_only_frames"` // with regions that have no class
	LostFrames      uint64  `json:"lost_frames"`          // not screened
	PicturesDropped uint64  `json:"pictures_dropped"`
	P50             float64 `json:"p50_ms"` // arrival of a frame to its defect being durable and published
	P99             float64 `json:"p99_ms"`
	ResidentMB      float64 `json:"resident_mb"` // memory of the process, the model's and the database's included
	HeapMB          float64 `json:"heap_mb"`     // in use on the Go heap
	AllocsPerFrame  float64 `json:"allocations_per_frame"`
	Coils           int     `json:"coils"` // ended since the start
}

// SoakReport is a long run.
type SoakReport struct {
	Line    LineReport   `json:"line"`
	Samples []SoakSample `json:"samples"`
}

// Soak runs the whole line, with cameras that play rendered strip, and takes samples; told is given each.
// The record is thrown away at the end.
func Soak(ctx context.Context, o Options, s SoakOptions, told func(SoakSample)) (SoakReport, error) {
	switch {
	case s.For < s.Every || s.Every < time.Second || s.Coil < time.Second:
		return SoakReport{}, fmt.Errorf("a run of %s with a sample each %s and a coil each %s is not possible; allowed are samples and coils of 1 s and more and a run that takes one sample", s.For, s.Every, s.Coil)
	case !(s.MBps > 0):
		return SoakReport{}, fmt.Errorf("a load of %g MB/s is not possible; allowed is more than 0", s.MBps)
	}
	strip, err := renderSide(ctx, inspection.Top, benchFrames)
	if err != nil {
		return SoakReport{}, err
	}
	var r SoakReport
	var beside error
	r.Line, err = runLine(ctx, o, strip, load{mbps: s.MBps, d: s.For, beside: func(ctx context.Context, l *line.Line, recipe inspection.Recipe, w *latencies) {
		beside = r.watch(ctx, s, l, recipe, w, told)
	}})
	return r, errors.Join(err, beside)
}

func (r *SoakReport) watch(ctx context.Context, s SoakOptions, l *line.Line, recipe inspection.Recipe, w *latencies, told func(SoakSample)) error {
	sample, coil := time.NewTicker(s.Every), time.NewTicker(s.Coil)
	defer sample.Stop()
	defer coil.Stop()
	began, id, coils := time.Now(), inspection.CoilID("BENCH"), 0
	last := tally(l, w)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-coil.C:
			if time.Since(began) > s.For-s.Coil/2 { // the line may end at any moment
				continue
			}
			// The next coil's head end is this one's tail end.
			at := l.Position()
			if err := l.Finish(id, at); err != nil {
				return err
			}
			coils++
			id = inspection.CoilID("BENCH-" + strconv.Itoa(coils))
			if _, err := l.Start(ctx, id, inspection.CoilOrder{}, recipe, at); err != nil {
				return err
			}
		case <-sample.C:
			now := tally(l, w)
			took, frames := now.at.Sub(last.at).Seconds(), float64(now.frames-last.frames)
			v := SoakSample{
				Seconds: now.at.Sub(began).Seconds(), Coils: coils,
				MBPerSecond:     frames * linePixels * lineFrameLines / 1e6 / took,
				EventsPerSecond: float64(now.defects-last.defects) / took,
				LostFrames:      now.lost - last.lost, PicturesDropped: now.pictures - last.pictures,
				HeapMB: float64(now.memory.HeapInuse) / 1e6, AllocsPerFrame: float64(now.memory.Mallocs-last.memory.Mallocs) / max(1, frames),
			}
			v.P50, v.P99 = w.take()
			var err error
			if v.ResidentMB, err = residentMB(); err != nil {
				return err
			}
			v.DetectedOnly = now.detected - last.detected
			r.Samples = append(r.Samples, v)
			told(v)
			last = now
		}
	}
}

// counted is what a line has done up to a moment.
type counted struct {
	at                               time.Time
	frames, detected, lost, pictures uint64 // frames inspected, and what was given up
	defects                          int
	memory                           runtime.MemStats
}

func tally(l *line.Line, w *latencies) counted {
	c := counted{at: time.Now(), defects: w.defects()}
	for _, s := range l.Status() {
		c.frames += s.Ledger.Inspected
		c.detected += s.Ledger.DetectedOnly
		c.lost += s.Ledger.Incomplete + s.Ledger.Underrun + s.Ledger.Overrun
		c.pictures += s.PicturesDropped
	}
	runtime.ReadMemStats(&c.memory)
	return c
}

// residentMB is the memory of this process that is in the machine's.
func residentMB() (float64, error) {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("the memory of the process: %w", err)
	}
	fields := bytes.Fields(data)
	if len(fields) < 2 {
		return 0, fmt.Errorf("the memory of the process: /proc/self/statm says %q; at least two numbers are wanted", data)
	}
	pages, err := strconv.ParseFloat(string(fields[1]), 64)
	if err != nil {
		return 0, fmt.Errorf("the memory of the process: %w", err)
	}
	return pages * float64(os.Getpagesize()) / 1e6, nil
}
