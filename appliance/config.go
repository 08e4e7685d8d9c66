package appliance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // so that a zone is known on a machine that has none

	"go.yaml.in/yaml/v3"

	"github.com/coilsight/coilsight/calibration"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/rollmark"
)

// Config is the configuration of an appliance. deploy/coilsight.yaml explains each key and equals
// DefaultConfig. It does not change while the appliance runs.
type Config struct {
	Listen     string                  `yaml:"listen"`
	Data       string                  `yaml:"data"`
	Source     string                  `yaml:"source"`
	Mill       MillConfig              `yaml:"mill"`
	Cameras    []CameraConfig          `yaml:"cameras"`
	Encoder    EncoderConfig           `yaml:"encoder"`
	Alarms     AlarmConfig             `yaml:"alarms"`
	Shifts     []inspection.ShiftStart `yaml:"shifts"`
	CheckHours int                     `yaml:"check_hours"` // after which a calibrated camera is to be checked; 0: never
	Detector   DetectorConfig          `yaml:"detector"`
	Classifier ClassifierConfig        `yaml:"classifier"`
	Line       LineConfig              `yaml:"line"`
	// Rolls may mark the strip. None with a simulated mill: the one that it has.
	Rolls         []inspection.Roll `yaml:"rolls"`
	RollTolerance float64           `yaml:"roll_tolerance"` // of a period against a roll's, as a share
	Recipe        string            `yaml:"recipe"`
	Recipes       string            `yaml:"recipes"`
	// ReviewBelow is the confidence below which a defect waits for a person by it.
	ReviewBelow float32 `yaml:"review_below"`
	// FourEyes are the grades whose coils need a second person to be released.
	FourEyes []inspection.Grade `yaml:"four_eyes"`
	TimeZone string             `yaml:"time_zone"` // of the times in reports, by its IANA name; empty: the machine's
}

// MillConfig sets up the simulated mill.
type MillConfig struct {
	Seed           uint64        `yaml:"seed"`
	SpeedMPS       float64       `yaml:"speed_mps"`
	PixelsAcross   int           `yaml:"pixels_across"`
	MMPerPixel     inspection.MM `yaml:"mm_per_pixel"`
	CoilLengthM    [2]float64    `yaml:"coil_length_m"`
	DefectsPer100M float64       `yaml:"defects_per_100m"`
	DefectMix      string        `yaml:"defect_mix"`
	Coils          int           `yaml:"coils"`
}

// What the simulated mill makes defects of.
const (
	everydayMix = "everyday"
	evenMix     = "even"
)

// DetectorConfig sets up the detectors.
type DetectorConfig struct {
	Threshold float32 `yaml:"threshold"`
	Bands     int     `yaml:"bands"`
}

// ClassifierConfig sets up the classifier.
type ClassifierConfig struct {
	Bundle      string `yaml:"bundle"`
	TrustedKeys string `yaml:"trusted_keys"`
	Provider    string `yaml:"provider"`
	Runtime     string `yaml:"runtime"`
	Batch       int    `yaml:"batch"`
	WithinMS    int    `yaml:"within_ms"`
}

// LineConfig sets up the pipeline.
type LineConfig struct {
	RegionCap int `yaml:"region_cap"`
	FlushMS   int `yaml:"flush_ms"`
}

// DefaultConfig is the configuration of an appliance without a file.
func DefaultConfig() Config {
	return Config{
		Listen: "127.0.0.1:8080", Data: "data", Source: "mill",
		Mill: MillConfig{
			Seed: 1, SpeedMPS: 5, PixelsAcross: 2560, MMPerPixel: 0.5,
			CoilLengthM: [2]float64{60, 160}, DefectsPer100M: 8, DefectMix: everydayMix,
		},
		Cameras:    []CameraConfig{},
		Encoder:    EncoderConfig{Source: encoderLines, MMPerCount: 0.5, Bits: 32, MaxMPS: 30, Unit: 1, PollMS: 20, LinesPerCount: 1},
		Shifts:     []inspection.ShiftStart{"06:00", "14:00", "22:00"},
		CheckHours: 24,
		Alarms:     defaultAlarms(),
		Detector:   DetectorConfig{Threshold: 1, Bands: 1},
		Classifier: ClassifierConfig{Provider: "auto", Batch: 8, WithinMS: 250},
		Line:       LineConfig{RegionCap: 64, FlushMS: 50},
		Rolls:      []inspection.Roll{}, RollTolerance: rollmark.DefaultTolerance,
		Recipe: "hot-strip", ReviewBelow: inspection.DefaultReviewBelow, FourEyes: []inspection.Grade{},
	}
}

// zone is the plant's, of a configuration that was checked.
func (c Config) zone() *time.Location {
	if c.TimeZone == "" {
		return time.Local
	}
	z, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return time.UTC // Check refuses it
	}
	return z
}

// zoneName is the plant's zone as a browser knows it: by name, or as the offset of the machine's.
func (c Config) zoneName(now time.Time) string {
	if c.TimeZone != "" {
		return c.TimeZone
	}
	return now.In(time.Local).Format("-07:00")
}

// maxYAML bounds a configuration or recipe file; the largest sensible one is a hundredth of it.
const maxYAML = 1 << 20

// ReadConfig reads a configuration file over the defaults. A key it does not know, or a value that is not
// allowed, is an error that names it.
func ReadConfig(path string) (Config, error) {
	c := DefaultConfig()
	data, err := readBounded(path)
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	if err := decodeStrict(data, &c); err != nil {
		return c, fmt.Errorf("configuration %s: %w", path, err)
	}
	if err := c.Check(); err != nil {
		return c, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxYAML+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxYAML {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxYAML)
	}
	return data, nil
}

// unknownKey is how the YAML library names a key that the structure does not have.
var unknownKey = regexp.MustCompile(`^line (\d+): field (.+) not found in type .+$`)

// decodeStrict reads one YAML document into v and refuses keys that v does not have.
func decodeStrict(data []byte, v any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	err := d.Decode(v)
	var mistyped *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the file is empty")
	case errors.As(err, &mistyped) && len(mistyped.Errors) > 0:
		first := mistyped.Errors[0]
		if m := unknownKey.FindStringSubmatch(first); m != nil {
			return fmt.Errorf("line %s: key %q is not known; the shipped file lists those that are", m[1], m[2])
		}
		first, _, _ = strings.Cut(first, " into ")
		return errors.New(strings.ReplaceAll(first, "cannot unmarshal", "a value of another kind is wanted in place of"))
	case err != nil:
		return errors.New(strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "yaml: "))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("the file holds more than one document; only one is allowed")
	}
	return nil
}

// Check reports the first value that is not allowed, as an *inspection.FieldError.
func (c Config) Check() error {
	bad := func(field, format string, a ...any) error {
		return &inspection.FieldError{Field: field, Reason: fmt.Sprintf(format, a...)}
	}
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" {
		return bad("listen", "%q is not an address; allowed is HOST:PORT, such as 127.0.0.1:8080", c.Listen)
	}
	m := c.Mill
	switch {
	case c.Data == "":
		return bad("data", "is empty; it names the folder of the record")
	case c.Source != "mill" && c.Source != "cameras":
		return bad("source", "%q is not known; allowed are mill and cameras", c.Source)
	case !(m.SpeedMPS >= 0.1 && m.SpeedMPS <= 30):
		return bad("mill.speed_mps", "%g m/s is not possible; allowed are 0.1 to 30", m.SpeedMPS)
	case m.PixelsAcross < 512 || m.PixelsAcross > 16384:
		return bad("mill.pixels_across", "%d is not possible; allowed are 512 to 16384", m.PixelsAcross)
	case !(m.CoilLengthM[0] >= 5 && m.CoilLengthM[1] >= m.CoilLengthM[0] && m.CoilLengthM[1] <= 10_000):
		return bad("mill.coil_length_m", "[%g, %g] is not possible; allowed are shortest and longest from 5 to 10000 m", m.CoilLengthM[0], m.CoilLengthM[1])
	case !(m.DefectsPer100M >= 0 && m.DefectsPer100M <= 1000):
		return bad("mill.defects_per_100m", "%g is not possible; allowed are 0 to 1000", m.DefectsPer100M)
	case m.DefectMix != everydayMix && m.DefectMix != evenMix:
		return bad("mill.defect_mix", "%q is not known; allowed are %s and %s", m.DefectMix, everydayMix, evenMix)
	case !(c.ReviewBelow >= 0 && c.ReviewBelow <= 1):
		return bad("review_below", "%g is not a confidence; allowed are 0 to 1, and 0 for none", c.ReviewBelow)
	case m.Coils < 0:
		return bad("mill.coils", "%d is not possible; the least is 0, which is without end", m.Coils)
	case !(c.Detector.Threshold >= 0.2 && c.Detector.Threshold <= 5):
		return bad("detector.threshold", "%g is not possible; allowed are 0.2 to 5", c.Detector.Threshold)
	case c.Detector.Bands < 1 || c.Detector.Bands > 64:
		return bad("detector.bands", "%d is not possible; allowed are 1 to 64", c.Detector.Bands)
	case !slices.Contains(inference.Providers(), c.Classifier.Provider):
		return bad("classifier.provider", "%q is not known; allowed are %s", c.Classifier.Provider, strings.Join(inference.Providers(), ", "))
	case c.Classifier.Batch < 1 || c.Classifier.Batch > 64:
		return bad("classifier.batch", "%d is not possible; allowed are 1 to 64", c.Classifier.Batch)
	case c.Classifier.WithinMS < 10 || c.Classifier.WithinMS > 60_000:
		return bad("classifier.within_ms", "%d is not possible; allowed are 10 to 60000", c.Classifier.WithinMS)
	case c.Line.RegionCap < 1 || c.Line.RegionCap > 256:
		return bad("line.region_cap", "%d is not possible; allowed are 1 to 256", c.Line.RegionCap)
	case c.Line.FlushMS < 5 || c.Line.FlushMS > 5000:
		return bad("line.flush_ms", "%d is not possible; allowed are 5 to 5000", c.Line.FlushMS)
	case c.CheckHours < 0 || c.CheckHours > 24*366:
		return bad("check_hours", "%d is not possible; allowed are 1 to 8784, or 0 for never", c.CheckHours)
	case !(c.RollTolerance >= 0.001 && c.RollTolerance <= 0.1):
		return bad("roll_tolerance", "%g is not possible; allowed are 0.001 to 0.1", c.RollTolerance)
	case c.Recipe == "":
		return bad("recipe", "is empty; it names the recipe of coils that are announced without one")
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		return bad("time_zone", "%q is not a time zone; allowed is an IANA name, such as Asia/Seoul, or nothing for the machine's", c.TimeZone)
	}
	if err := (calibration.Geometry{MMPerPixel: m.MMPerPixel, MMPerCount: m.MMPerPixel}).Check(); err != nil {
		var f *inspection.FieldError
		errors.As(err, &f)
		return bad("mill."+f.Field, "%s", f.Reason)
	}
	if err := inspection.CheckRolls(c.Rolls); err != nil {
		return err
	}
	for _, g := range c.FourEyes {
		if !slices.Contains(inspection.Grades(), g) {
			return bad("four_eyes", "%q is not a grade; allowed are %v", g, inspection.Grades())
		}
	}
	if err := c.Alarms.check(); err != nil {
		return err
	}
	if err := inspection.CheckShifts(c.Shifts); err != nil {
		return err
	}
	return c.checkCameras()
}
