package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/camera/genicam"
	"github.com/coilsight/coilsight/camera/replay"
	"github.com/coilsight/coilsight/inspection"
)

// streamFlags are those of the commands that take frames.
type streamFlags struct {
	set        []string
	packetSize int
	noResend   bool
}

func (s *streamFlags) flags(c *cobra.Command) {
	c.Flags().StringArrayVar(&s.set, "set", nil, "FEATURE=VALUE to set before; may be repeated")
	c.Flags().IntVar(&s.packetSize, "packet-size", 0, "bytes a packet; 0: the greatest that arrives")
	c.Flags().BoolVar(&s.noResend, "no-resend", false, "do not ask again for packets that did not arrive")
}

// withSource runs the streaming camera of a name and closes it.
func (s *streamFlags) withSource(c *cobra.Command, name string, buffers int, take func(*genicam.Source) error) error {
	features, err := parseFeatures(s.set)
	if err != nil {
		return err
	}
	source, err := genicam.Open(c.Context(), genicam.Options{
		Camera: inspection.CameraID(name), Address: name, Features: features, Buffers: buffers,
		PacketSize: s.packetSize, NoResend: s.noResend,
	})
	if err != nil {
		return err
	}
	for _, h := range source.Hints() {
		fmt.Fprintln(c.ErrOrStderr(), "hint: "+h)
	}
	return errors.Join(take(source), source.Close())
}

func cameraGrabCommand() *cobra.Command {
	var s streamFlags
	var out string
	var within time.Duration
	c := &cobra.Command{
		Use:     "grab CAMERA [--out FILE.png]",
		Short:   "Take one picture",
		Example: "  coilsight camera grab 10.0.0.5 --set Height=2048 --out picture.png",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if within <= 0 {
				return misused("--within %v is not a time; it must be more than 0", within)
			}
			return s.withSource(c, args[0], 4, func(source *genicam.Source) error {
				f, err := grabComplete(c.Context(), source, within)
				if err != nil {
					return fmt.Errorf("camera %s: %w", args[0], err)
				}
				defer f.Release()
				if err := writePicture(out, f.Image); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: %d x %d pixels of frame %d\n", out, f.Image.Width, f.Image.Height, f.ID)
				return nil
			})
		},
	}
	s.flags(c)
	c.Flags().StringVar(&out, "out", "picture.png", "PNG file to write")
	c.Flags().DurationVar(&within, "within", 10*time.Second, "give up after this time")
	return c
}

// grabComplete waits for a whole frame, which the caller must Release.
func grabComplete(ctx context.Context, source *genicam.Source, within time.Duration) (*camera.Frame, error) {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	cause := "it may be waiting for a trigger"
	for {
		f, err := source.Next(limited)
		switch {
		case ctx.Err() != nil:
			return nil, errors.New("interrupted")
		case err != nil:
			if st := source.State(); !st.Streaming {
				cause = st.Reason
			}
			return nil, fmt.Errorf("no whole frame came within %v: %s", within, cause)
		case f.Status == camera.Complete:
			return f, nil
		}
		cause = f.Cause
		f.Release()
	}
}

func writePicture(path string, m inspection.LineImage) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = png.Encode(f, &image.Gray{Pix: m.Pix, Stride: m.Stride, Rect: image.Rect(0, 0, m.Width, m.Height)})
	return errors.Join(err, f.Close())
}

// recordInfo is what record prints.
type recordInfo struct {
	Files      int           `json:"files"`
	Frames     int64         `json:"frames"`
	Lines      int64         `json:"lines"`
	Incomplete int64         `json:"incomplete"` // frames left out
	Jumps      int64         `json:"jumps"`      // places where lines are missing
	Stats      genicam.Stats `json:"stats"`
}

// recordBuffers ride out a disk that pauses: about a second of a fast camera.
const recordBuffers = 64

func cameraRecordCommand() *cobra.Command {
	var s streamFlags
	var out string
	var seconds float64
	var asJSON bool
	c := &cobra.Command{
		Use:   "record --seconds N --out DIR CAMERA",
		Short: "Record a camera's lines with their encoder counts, for coilsight replay",
		Long: `Writes raw line files that replay gives back bit for bit. Lines that did not arrive are missing from the encoder
counts, so that a replay knows them as a gap. The counts are the camera's own lines.`,
		Example: "  coilsight camera record 10.0.0.5 --seconds 10 --out strip/\n  coilsight replay --coil A1234 --data data strip/",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if seconds <= 0 || seconds > 86400 {
				return misused("--seconds %g is not possible; allowed are more than 0, to 86400", seconds)
			}
			if err := emptyFolder(out); err != nil {
				return err
			}
			return s.withSource(c, args[0], recordBuffers, func(source *genicam.Source) error {
				r := replay.NewRecorder(out)
				err := errors.Join(record(c.Context(), source, r, time.Duration(seconds*float64(time.Second))), r.Close())
				if err != nil {
					return err
				}
				if r.Frames == 0 {
					return fmt.Errorf("camera %s: nothing was recorded: %d frames came, none of them whole", args[0], r.Incomplete)
				}
				info := recordInfo{r.Files, r.Frames, r.Lines, r.Incomplete, r.Jumps, source.Stats()}
				if asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(info)
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: %d lines of %d frames in %d files; %d frames were incomplete, lines are missing in %d places\n",
					out, info.Lines, info.Frames, info.Files, info.Incomplete, info.Jumps)
				return nil
			})
		},
	}
	s.flags(c)
	c.Flags().Float64Var(&seconds, "seconds", 0, "how long to record")
	c.Flags().StringVar(&out, "out", "", "folder for the line files; it must be empty or not exist")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	_ = c.MarkFlagRequired("seconds")
	_ = c.MarkFlagRequired("out")
	return c
}

// frameSource is what frames are recorded from.
type frameSource interface {
	Next(ctx context.Context) (*camera.Frame, error)
}

// record adds a source's frames to a recorder until the time is over or ctx ends; both are no error.
func record(ctx context.Context, source frameSource, r *replay.Recorder, length time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	for {
		f, err := source.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the end of the recording
			}
			return err
		}
		err = r.Add(f)
		f.Release()
		if err != nil {
			return err
		}
	}
}
