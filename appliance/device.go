package appliance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/coilsight/coilsight/appliance/line"
	"github.com/coilsight/coilsight/camera/genicam"
	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/camera/video"
	"github.com/coilsight/coilsight/inspection"
)

// device is a camera that the line did not make itself.
type device interface {
	line.FrameSource
	// Run does what the camera needs done, until ctx ends.
	Run(ctx context.Context)
	// Lost says why no frames can come; empty while they can.
	Lost() string
	// Name is what the camera is; empty while that is not known.
	Name() string
	// Stats are the transfer's own counts; ok is false where there are none.
	Stats() (s genicam.Stats, ok bool)
	Close() error
}

// openDevice makes the camera that an address names: a folder of recorded strip, a video, rectified where it was calibrated, or a
// GenICam camera, which may come later.
func openDevice(ctx context.Context, c CameraConfig, area areaCalibration, mmPerCount inspection.MM, scale *lineScale, log *slog.Logger) (device, error) {
	kind, rest, _ := strings.Cut(c.Address, ":")
	switch kind {
	case "folder":
		s, err := replay.Open(rest, replay.Options{Camera: inspection.CameraID(c.ID), FrameLines: recordedLines, Buffers: millBuffers, Loop: true, LineRate: c.LineRateHz})
		if err != nil {
			return nil, fmt.Errorf("camera %s: %w", c.ID, err)
		}
		return recorded{s, c.Address}, c.sized(s.Width(), s)
	case "video":
		s, err := video.Open(ctx, video.Options{Camera: inspection.CameraID(c.ID), Input: rest, Buffers: videoBuffers})
		if err != nil {
			return nil, err
		}
		if area.version.Number > 0 {
			return newRectified(filmed{s, c.Address}, area, c, mmPerCount)
		}
		w, _ := s.Size()
		return filmed{s, c.Address}, c.sized(w, s)
	}
	return newCameraSource(c, scale, log), nil
}

// sized closes a source whose frames have another width than the configuration says, which is an error.
func (c CameraConfig) sized(width int, source io.Closer) error {
	if width == c.Pixels {
		return nil
	}
	return errors.Join(fmt.Errorf("camera %s: its frames are %d pixels wide; the configuration says %d: correct pixels, or set Width among its features", c.ID, width, c.Pixels), source.Close())
}

const (
	recordedLines = 256
	videoBuffers  = 16
)

// recorded is a folder of recorded strip.
type recorded struct {
	*replay.Source
	name string
}

func (recorded) Run(context.Context)          {}
func (recorded) Lost() string                 { return "" }
func (r recorded) Name() string               { return r.name }
func (recorded) Stats() (genicam.Stats, bool) { return genicam.Stats{}, false }

// filmed is a video.
type filmed struct {
	*video.Source
	name string
}

func (filmed) Run(context.Context)          {}
func (f filmed) Lost() string               { return f.Failing() }
func (f filmed) Name() string               { return f.name }
func (filmed) Stats() (genicam.Stats, bool) { return genicam.Stats{}, false }
