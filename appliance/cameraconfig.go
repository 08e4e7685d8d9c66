package appliance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/camera/encoder"
	"github.com/coilsight/coilsight/camera/genicam"
	"github.com/coilsight/coilsight/inspection"
)

// CameraConfig sets up a GenICam camera.
type CameraConfig struct {
	ID                string        `yaml:"id"`
	Side              string        `yaml:"side"`
	Address           string        `yaml:"address"` // id, serial number, MAC or IP address; folder:DIR; video:INPUT
	Features          FeatureList   `yaml:"features"`
	PacketSize        int           `yaml:"packet_size"`
	Pixels            int           `yaml:"pixels"` // of a scan line
	MMPerPixel        inspection.MM `yaml:"mm_per_pixel"`
	PositionMM        inspection.MM `yaml:"position_mm"` // of the first column across the line
	AlongMM           inspection.MM `yaml:"along_mm"`    // how much later it sees a place than the first camera
	OperatorSideRight bool          `yaml:"operator_side_right"`
	// EncoderChunk names the whole number of the camera's chunk data that holds its encoder's count.
	EncoderChunk string `yaml:"encoder_chunk"`
	// LineRateHz and LatencyMS tell when the lines of a camera were taken that runs by a clock of its own.
	LineRateHz float64 `yaml:"line_rate_hz"`
	LatencyMS  float64 `yaml:"latency_ms"`
}

// isClocked tells that the camera may run by a clock of its own; recorded pictures lie end to end.
func (c CameraConfig) isClocked() bool {
	return !strings.HasPrefix(c.Address, "folder:") && !strings.HasPrefix(c.Address, "video:")
}

// FeatureList is a mapping of feature names to values that keeps its order, in which they are set.
type FeatureList []genicam.Feature

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *FeatureList) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: features are names with values, such as {ExposureTime: 20}", n.Line)}}
	}
	*l = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		f := genicam.Feature{Name: n.Content[i].Value}
		if err := n.Content[i+1].Decode(&f.Value); err != nil {
			return err
		}
		switch f.Value.(type) {
		case bool, int, int64, uint64, float64, string:
		default:
			return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: feature %s wants a number, a word, true or false", n.Content[i+1].Line, f.Name)}}
		}
		*l = append(*l, f)
	}
	return nil
}

// Sources of an encoder's counts.
const (
	encoderLines  = "lines"  // the cameras' own scan lines
	encoderModbus = "modbus" // a counter over Modbus TCP
	encoderAPI    = "api"    // readings that somebody posts
	encoderChunk  = "chunk"  // a counter in each camera, told in the chunk data of its frames
)

// EncoderConfig says how strip length is measured.
type EncoderConfig struct {
	Source       string        `yaml:"source"`
	MMPerCount   inspection.MM `yaml:"mm_per_count"`
	Reverse      bool          `yaml:"reverse"`
	Bits         int           `yaml:"bits"`
	MaxMPS       float64       `yaml:"max_mps"`
	Address      string        `yaml:"address"`
	Unit         uint8         `yaml:"unit"`
	Holding      bool          `yaml:"holding"`
	Register     uint16        `yaml:"register"`
	LowWordFirst bool          `yaml:"low_word_first"`
	PollMS       int           `yaml:"poll_ms"`
	// LinesPerCount is how many lines a camera takes for a count of the counter that its lines are compared with.
	LinesPerCount float64 `yaml:"lines_per_count"`
}

// timed tells that frames are placed by when their lines were taken.
func (e EncoderConfig) timed() bool { return e.Source == encoderModbus || e.Source == encoderAPI }

// compares tells that a counter is read beside cameras that count the strip themselves.
func (e EncoderConfig) compares() bool { return e.Source == encoderLines && e.Address != "" }

// chunkSilent is how far apart frames with counts may be: a frame of 4,096 lines takes a second at 4,000 lines a second.
const chunkSilent = 2 * time.Second

// track are the options of the encoder's track.
func (e EncoderConfig) track() encoder.Options {
	o := encoder.Options{Bits: e.Bits, Reverse: e.Reverse, MaxPerSecond: e.MaxMPS * 1000 / float64(e.MMPerCount)}
	if e.Source == encoderChunk {
		o.Silent = chunkSilent
	}
	return o
}

// modbus are the options of the poller.
func (e EncoderConfig) modbus() encoder.ModbusOptions {
	return encoder.ModbusOptions{
		Address: e.Address, Unit: e.Unit, Holding: e.Holding, Register: e.Register, Bits: e.Bits, LowFirst: e.LowWordFirst,
		Every: time.Duration(e.PollMS) * time.Millisecond,
	}
}

// check reports the first value that is not allowed.
func (e EncoderConfig) check() error {
	bad := func(field, format string, a ...any) error {
		return &inspection.FieldError{Field: "encoder." + field, Reason: fmt.Sprintf(format, a...)}
	}
	switch {
	case !slices.Contains([]string{encoderLines, encoderModbus, encoderAPI, encoderChunk}, e.Source):
		return bad("source", "%q is not known; allowed are lines, modbus, api and chunk", e.Source)
	case !(e.MMPerCount >= 0.001 && e.MMPerCount <= 100):
		return bad("mm_per_count", "%g mm is not possible; allowed are 0.001 to 100", float64(e.MMPerCount))
	case !(e.MaxMPS >= 1 && e.MaxMPS <= 60):
		return bad("max_mps", "%g m/s is not possible; allowed are 1 to 60", e.MaxMPS)
	}
	if !(e.LinesPerCount > 0 && e.LinesPerCount <= 1000) {
		return bad("lines_per_count", "%g is not possible; allowed are more than 0 to 1000", e.LinesPerCount)
	}
	err := e.track().Check()
	if err == nil && (e.Source == encoderModbus || e.compares()) {
		err = e.modbus().Check()
	}
	var field *inspection.FieldError
	if !errors.As(err, &field) {
		return err
	}
	if field.Field == "every_ms" {
		return bad("poll_ms", "%s", field.Reason)
	}
	return bad(field.Field, "%s", field.Reason)
}

// checkCameras reports the first value of the cameras that is not allowed.
func (c Config) checkCameras() error {
	bad := func(field, format string, a ...any) error {
		return &inspection.FieldError{Field: field, Reason: fmt.Sprintf(format, a...)}
	}
	if c.Source == "cameras" && len(c.Cameras) == 0 {
		return bad("cameras", "is empty; source cameras needs at least one")
	}
	for i, k := range c.Cameras {
		field := func(name string) string { return fmt.Sprintf("cameras[%d].%s", i, name) }
		before := c.Cameras[:i]
		switch {
		case k.ID == "":
			return bad(field("id"), "is empty; each camera needs its own name")
		case slices.ContainsFunc(before, func(o CameraConfig) bool { return o.ID == k.ID }):
			return bad(field("id"), "%q is the name of another camera already; each needs its own", k.ID)
		case !inspection.Side(k.Side).Valid():
			return bad(field("side"), "%q is not known; allowed are top and bottom", k.Side)
		case k.Address == "":
			return bad(field("address"), "is empty; allowed are an id, a serial number, a MAC or an IP address: coilsight camera list names those that are there")
		case k.isClocked() && slices.ContainsFunc(before, func(o CameraConfig) bool { return o.Address == k.Address }):
			return bad(field("address"), "%q is that of another camera already; two names for one camera are not possible", k.Address)
		case k.Pixels < 64 || k.Pixels > 1<<16:
			return bad(field("pixels"), "%d is not possible; allowed are 64 to 65536, the camera's Width", k.Pixels)
		case k.PacketSize != 0 && (k.PacketSize < 576 || k.PacketSize > 16384):
			return bad(field("packet_size"), "%d is not possible; allowed are 576 to 16384 bytes, or 0 for the greatest that arrives", k.PacketSize)
		case k.EncoderChunk != "" && (c.Encoder.Source != encoderChunk || !k.isClocked()):
			return bad(field("encoder_chunk"), "%q would not be read; it places the frames of a camera, not of a recording, with encoder.source chunk", k.EncoderChunk)
		case c.Encoder.Source == encoderChunk && k.isClocked() && k.EncoderChunk == "":
			return bad(field("encoder_chunk"), "is empty; with encoder.source chunk it names the camera's chunk data with the encoder's count, such as ChunkEncoderValue: coilsight camera show names those that it has")
		case k.EncoderChunk != "" && !strings.HasPrefix(k.EncoderChunk, "Chunk"):
			return bad(field("encoder_chunk"), "%q is no name of chunk data; those begin with Chunk, such as ChunkEncoderValue", k.EncoderChunk)
		case c.Encoder.timed() && k.isClocked() && !(k.LineRateHz >= 1 && k.LineRateHz <= 1e6):
			return bad(field("line_rate_hz"), "%g is not possible; with encoder.source %s a camera runs by a clock of its own, of 1 to 1000000 lines a second", k.LineRateHz, c.Encoder.Source)
		case strings.HasPrefix(k.Address, "folder:") && !(k.LineRateHz >= 1 && k.LineRateHz <= 1e6):
			return bad(field("line_rate_hz"), "%g is not possible; a recording is played at 1 to 1000000 lines a second", k.LineRateHz)
		case !(k.LatencyMS >= 0 && k.LatencyMS <= 1000):
			return bad(field("latency_ms"), "%g is not possible; allowed are 0 to 1000", k.LatencyMS)
		}
		if !(k.AlongMM >= -10_000 && k.AlongMM <= 10_000) {
			return bad(field("along_mm"), "%g mm is not possible; allowed are -10000 to 10000", float64(k.AlongMM))
		}
		if err := (calibration.Geometry{MMPerPixel: k.MMPerPixel, MMPerCount: 1}).Check(); err != nil {
			return bad(field("mm_per_pixel"), "%g mm is not possible; allowed are 0.01 to 10", float64(k.MMPerPixel))
		}
	}
	return c.Encoder.check()
}
