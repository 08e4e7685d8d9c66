package web

import (
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// Live is the state of the line at one moment: what the live screen and /readyz show.
type Live struct {
	Time     time.Time                      `json:"time"`
	TimeZone string                         `json:"time_zone" doc:"The plant's: a name such as Asia/Seoul or, where none is configured, the machine's offset such as +09:00. Times are UTC; screens show them in this zone"`
	Coil     *inspection.Coil               `json:"coil,omitempty"` // under the cameras now
	Speed    float64                        `json:"speed_mps"`
	Headroom *Headroom                      `json:"headroom,omitempty"` // absent while no strip moves under a coil
	Position inspection.MM                  `json:"position_mm"`        // of the cameras, from the coil's head end
	Cameras  []CameraState                  `json:"cameras"`
	Model    string                         `json:"model"`
	Provider ProviderState                  `json:"provider"`
	Alarms   []inspection.Alarm             `json:"alarms" doc:"Those that people are told of: that nobody acknowledged first, then by priority"`
	Flood    bool                           `json:"alarm_flood" doc:"So many come that the less urgent ones are to be grouped"`
	Aside    []inspection.Alarm             `json:"alarms_aside" doc:"Those shelved or out of service: nobody is told of them"`
	Recent   []inspection.Defect            `json:"recent"` // newest first, at most 12
	Severe   []inspection.Defect            `json:"severe" doc:"The newest of severity 3 and more, at most 6, of whatever coil"`
	ByClass  map[inspection.DefectClass]int `json:"by_class"`
	// InspectedMetres counts strip fully inspected on all sides since start, while it moved.
	InspectedMetres float64 `json:"inspected_metres"`
	// UnassignedMetres counts strip that ran without a coil.
	UnassignedMetres float64 `json:"unassigned_metres"`
}

// Headroom is how fast the strip could run, by the load of the last seconds.
type Headroom struct {
	Ratio float64 `json:"ratio"` // to the present speed; 4 stands for 4 and more
	Speed float64 `json:"speed_mps"`
	Bound string  `json:"bound,omitempty" enum:"processor,detector,placing,classifier,record"` // what works without a pause at that speed
}

// CameraState is one camera's share of Live.
type CameraState struct {
	Camera      inspection.CameraID `json:"camera"`
	Side        inspection.Side     `json:"side"`
	State       string              `json:"state" enum:"running,idle,lost"`
	StripWidth  inspection.MM       `json:"strip_width_mm"`
	MBPerSecond float64             `json:"mb_per_second"`
	LatencyP99  float64             `json:"latency_p99_ms"` // frame arrival to its regions settled
	Ledger      Ledger              `json:"ledger"`
	Coverage    inspection.Coverage `json:"coverage"` // of the coil under the cameras, so far
}

// Ledger accounts for every frame: arrived is the sum of the others.
type Ledger struct {
	Arrived      uint64 `json:"arrived"`
	Inspected    uint64 `json:"inspected"`
	DetectedOnly uint64 `json:"detected_only"`
	Incomplete   uint64 `json:"incomplete"`
	Underrun     uint64 `json:"underrun"`
	Overrun      uint64 `json:"overrun"`
	InFlight     uint64 `json:"in_flight"`
}

// ProviderState tells which ONNX Runtime provider was measured at start.
type ProviderState struct {
	Configured     string  `json:"configured"`
	Measured       string  `json:"measured"`
	CropsPerSecond float64 `json:"crops_per_second"`
	Healthy        bool    `json:"healthy"`
}

// StripPicture is a stretch of one side's live picture: grey rows of Columns bytes, oldest first.
type StripPicture struct {
	FirstRow int64 // running number of the first row; it never goes back
	Columns  int
	// MMPerRow and MMPerColumn give the scale; LeftEdge is the operator-side strip edge in columns
	// at the newest row. Rows are turned so that the operator side is at the left.
	MMPerRow, MMPerColumn float64
	LeftEdge              float64
	// HeadRow is the row of the running coil's head end, -1 without one.
	HeadRow int64
	Rows    []byte
}
