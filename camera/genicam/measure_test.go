package genicam_test

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/genicam"
)

// resident is the memory of the process in bytes.
func resident(t testing.TB) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n * int64(os.Getpagesize())
}

func soakLength(t testing.TB) time.Duration {
	t.Helper()
	v := os.Getenv("COILSIGHT_SOAK")
	if v == "" {
		return 0
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		t.Fatalf("COILSIGHT_SOAK is %q: %v", v, err)
	}
	return d
}

// cpu is the processor time this process has used, its threads in C included.
func cpu(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkGigEVision takes 2048 x 1024 frames from the fake camera as fast as it sends them; the camera
// is another process on the same machine, and what it costs is not counted.
func BenchmarkGigEVision(b *testing.B) {
	for _, packet := range []int{1500, 9000} {
		b.Run("packet="+strconv.Itoa(packet), func(b *testing.B) {
			start(b, first, "B1", 0)
			s := open(b, genicam.Options{
				Camera: "top", Address: first, Buffers: 32, PacketSize: packet, NoResend: true,
				Features: []genicam.Feature{
					{Name: "Width", Value: 2048},
					{Name: "Height", Value: 1024},
					{Name: "AcquisitionFrameRate", Value: 100},
				},
			})
			next(b, s).Release()
			var bytes, incomplete, lost, id uint64
			before := s.Stats()
			used, began := cpu(b), time.Now()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f, err := s.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if i > 0 {
					lost += f.ID - id - 1
				}
				id = f.ID
				if f.Status == camera.Incomplete {
					incomplete++
				}
				bytes += uint64(len(f.Image.Pix))
				f.Release()
			}
			elapsed, busy, st := time.Since(began), cpu(b)-used, s.Stats()
			b.ReportMetric(float64(bytes)/1e6/elapsed.Seconds(), "MB/s")
			b.ReportMetric(busy.Seconds()/(float64(bytes)/1e9), "CPU-s/GB")
			b.ReportMetric(float64(incomplete), "incomplete-frames")
			b.ReportMetric(float64(lost), "lost-frames")
			b.ReportMetric(float64(st.MissingPackets-before.MissingPackets), "missing-packets")
		})
	}
}
