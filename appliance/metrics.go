package appliance

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/coilsight/coilsight/inspection"
)

// lineCollector reads the line's own counters when it is scraped, so that there is one set of numbers.
type lineCollector struct {
	a *Appliance

	frames, inFlight, bytes, screen, rejected, dropped, inspected, unassigned, latency *prometheus.Desc
	crops, goldenRate, speed, headroom, speedLimit, busy, alarms, provider             *prometheus.Desc
}

func (a *Appliance) metrics() http.Handler {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("coilsight_"+name, help, labels, nil)
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &lineCollector{
		a:          a,
		frames:     d("frames_total", "Frames by where they ended; arrived is the sum of all and of those in flight.", "camera", "state"),
		inFlight:   d("frames_in_flight", "Frames that have arrived and are not settled.", "camera"),
		bytes:      d("camera_bytes_total", "Bytes of frames that arrived.", "camera"),
		screen:     d("screen_seconds_total", "Time spent in the detector.", "camera"),
		rejected:   d("regions_rejected_total", "Regions that the model took for ordinary strip.", "camera"),
		dropped:    d("pictures_dropped_total", "Defects recorded without a picture, since the disk was behind.", "camera"),
		inspected:  d("inspected_metres_total", "Strip of coils that was fully inspected.", "camera"),
		unassigned: d("unassigned_metres_total", "Strip that ran without a coil.", "camera"),
		latency:    d("frame_latency_seconds", "Arrival of a frame to its being settled, newest frames.", "camera", "quantile"),
		crops:      d("crops_total", "Crops by what became of them.", "result"),
		goldenRate: d("classifier_crops_per_second", "Rate measured at start.", "provider"),
		speed:      d("strip_speed_metres_per_second", "Speed of the strip by the encoder."),
		headroom:   d("headroom_ratio", "How many times the present speed the line bears; 4 stands for 4 and more. Absent while no strip moves under a coil."),
		speedLimit: d("speed_limit_metres_per_second", "Speed of the strip that the line bears, by the load of the last 10 s."),
		busy:       d("busy_seconds_total", "Time that a part of the line has worked: of a camera's stages, of a model's slot, of the recorder, of a processor.", "part", "camera"),
		alarms:     d("alarms", "Alarms that stand.", "priority"),
		provider:   d("provider_healthy", "1 where the configured provider is the one in use."),
	})
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

// Describe implements prometheus.Collector.
func (c *lineCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *lineCollector) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, s := range c.a.line.Status() {
		id, l := string(s.Camera), s.Ledger
		for state, n := range map[string]uint64{
			"arrived": l.Arrived, "inspected": l.Inspected, "detected_only": l.DetectedOnly,
			"incomplete": l.Incomplete, "underrun": l.Underrun, "overrun": l.Overrun,
		} {
			count(c.frames, float64(n), id, state)
		}
		gauge(c.inFlight, float64(l.InFlight), id)
		count(c.bytes, float64(s.Bytes), id)
		count(c.screen, s.ScreenTime.Seconds(), id)
		count(c.busy, s.ScreenBusy.Seconds(), "screen", id)
		count(c.busy, s.SettleBusy.Seconds(), "settle", id)
		count(c.rejected, float64(s.Rejected), id)
		count(c.dropped, float64(s.PicturesDropped), id)
		count(c.inspected, float64(s.Inspected)/1000, id)
		count(c.unassigned, float64(s.Unassigned)/1000, id)
		gauge(c.latency, s.LatencyP50.Seconds(), id, "0.5")
		gauge(c.latency, s.LatencyP99.Seconds(), id, "0.99")
	}
	b := c.a.desk.engine().Stats()
	count(c.crops, float64(b.Classified), "classified")
	count(c.crops, float64(b.Expired), "expired")
	count(c.crops, float64(b.Failed), "failed")
	count(c.crops, float64(b.Refused), "refused")
	p := c.a.provider()
	gauge(c.goldenRate, p.CropsPerSecond, p.Measured)
	healthy := 0.0
	if p.Healthy {
		healthy = 1
	}
	gauge(c.provider, healthy)
	st := c.a.live.Live()
	gauge(c.speed, st.Speed)
	if h := st.Headroom; h != nil {
		gauge(c.headroom, h.Ratio)
		gauge(c.speedLimit, h.Speed)
	}
	count(c.busy, b.Busy.Seconds(), "classifier", "")
	count(c.busy, c.a.line.RecordBusy().Seconds(), "record", "")
	count(c.busy, processorTime().Seconds()/float64(runtime.GOMAXPROCS(0)), "processor", "")
	standing := map[inspection.AlarmPriority]int{}
	for _, k := range st.Alarms {
		standing[k.Priority]++
	}
	for _, p := range inspection.AlarmPriorities() {
		gauge(c.alarms, float64(standing[p]), string(p))
	}
}
