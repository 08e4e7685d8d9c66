// Package video gives the pictures of an area camera to the pipeline: what V4L2, RTSP or a video file delivers, for trials where no
// line camera hangs yet. It runs ffmpeg, which knows them all, and reads grey pictures from it.
package video

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// Options of a source. A zero field takes the default named beside it.
type Options struct {
	Camera inspection.CameraID // "video"
	// Input is a V4L2 device (/dev/video0), an RTSP or HTTP address, or a file, which is played at its own rate and from its beginning
	// again.
	Input   string
	Buffers int // 8 pictures
}

// Source is a stream of pictures. A picture's lines count the strip, as if the pictures lay end to end; none continues the one
// before. A stream that breaks off is taken up again.
type Source struct {
	o             Options
	width, height int
	rate          float64 // pictures a second
	pool          *camera.Pool
	frames        chan *camera.Frame
	cancel        context.CancelFunc
	wg            sync.WaitGroup

	mu     sync.Mutex
	reason string // why no pictures come
	lost   uint64
}

const (
	probeWithin = 15 * time.Second
	again       = time.Second
)

// Open looks at the input and begins to read. Its error is one sentence. The caller must Close the source.
func Open(ctx context.Context, o Options) (*Source, error) {
	if o.Camera == "" {
		o.Camera = "video"
	}
	if o.Buffers == 0 {
		o.Buffers = 8
	}
	s := &Source{o: o, frames: make(chan *camera.Frame, o.Buffers)}
	if err := s.probe(ctx); err != nil {
		return nil, err
	}
	var err error
	if s.pool, err = camera.NewPool(o.Camera, o.Buffers, s.width*s.height); err != nil {
		return nil, err
	}
	var run context.Context
	run, s.cancel = context.WithCancel(context.Background())
	s.wg.Go(func() { s.run(run) })
	return s, nil
}

// probe finds the pictures' size and rate.
func (s *Source) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	args := append([]string{"-v", "error"}, s.format()...)
	args = append(args, "-select_streams", "v:0", "-show_entries", "stream=width,height,avg_frame_rate", "-of", "json", s.o.Input)
	cmd := exec.CommandContext(ctx, "ffprobe", args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("camera %s: video needs the program ffmpeg, which is not installed", s.o.Camera)
	}
	var found struct {
		Streams []struct {
			Width, Height int
			Rate          string `json:"avg_frame_rate"`
		}
	}
	if err == nil {
		err = json.Unmarshal(out, &found)
	}
	if err != nil || len(found.Streams) == 0 || found.Streams[0].Width < 1 || found.Streams[0].Height < 1 {
		return fmt.Errorf("camera %s: %s gives no pictures: %s", s.o.Camera, s.o.Input, lastLine(said.String(), "there is no video in it"))
	}
	v := found.Streams[0]
	s.width, s.height, s.rate = v.Width, v.Height, ratio(v.Rate)
	return nil
}

// format tells ffmpeg what the input's name alone does not.
func (s *Source) format() []string {
	switch {
	case strings.HasPrefix(s.o.Input, "/dev/video"):
		return []string{"-f", "v4l2"}
	case strings.HasPrefix(s.o.Input, "rtsp://"):
		return []string{"-rtsp_transport", "tcp"}
	}
	return nil
}

// isFile tells that the input does not come by a clock of its own.
func (s *Source) isFile() bool {
	return !strings.Contains(s.o.Input, "://") && !strings.HasPrefix(s.o.Input, "/dev/")
}

// ratio reads a rate such as 30000/1001; 25 where it is not known.
func ratio(text string) float64 {
	a, b, _ := strings.Cut(text, "/")
	n, e1 := strconv.ParseFloat(a, 64)
	d, e2 := strconv.ParseFloat(b, 64)
	if e1 != nil || e2 != nil || n <= 0 || d <= 0 {
		return 25
	}
	return n / d
}

func lastLine(text, otherwise string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return last
	}
	return otherwise
}

// run reads streams, one after another, until ctx ends.
func (s *Source) run(ctx context.Context) {
	defer close(s.frames)
	next := uint64(0)
	for ctx.Err() == nil {
		var err error
		next, err = s.stream(ctx, next)
		if ctx.Err() != nil {
			return
		}
		s.say(fmt.Sprintf("camera %s: %s broke off: %v", s.o.Camera, s.o.Input, err))
		broke := time.Now()
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return
		}
		// What would have come meanwhile is lost.
		missed := max(1, uint64(s.rate*time.Since(broke).Seconds()))
		next += missed
		s.mu.Lock()
		s.lost += missed
		s.mu.Unlock()
	}
}

// stream reads the pictures of one run of ffmpeg, the first of which has the number next, and gives the number after the last.
func (s *Source) stream(ctx context.Context, next uint64) (uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	args := []string{"-nostdin", "-loglevel", "error"}
	if s.isFile() {
		args = append(args, "-re", "-stream_loop", "-1")
	}
	args = append(append(args, s.format()...), "-i", s.o.Input, "-f", "rawvideo", "-pix_fmt", "gray", "-")
	cmd := exec.CommandContext(ctx, "ffmpeg", args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return next, err
	}
	if err := cmd.Start(); err != nil {
		return next, err
	}
	spare := make([]byte, s.width*s.height)
	for {
		f := s.pool.Get()
		into := spare
		if f != nil {
			f.Fit(s.width, s.height)
			into = f.Image.Pix
		}
		_, err := io.ReadFull(out, into)
		if err != nil {
			if f != nil {
				f.Release()
			}
			cancel()
			_ = cmd.Wait() // it was told to end
			return next, errors.New(lastLine(said.String(), err.Error()))
		}
		id := next
		next++
		if f == nil { // the line has all buffers
			s.mu.Lock()
			s.lost++
			s.mu.Unlock()
			continue
		}
		lines := inspection.EncoderCount(s.height)
		f.ID, f.Seam, f.Arrived = id, true, time.Now()
		f.Span = inspection.EncoderSpan{From: inspection.EncoderCount(id) * lines, To: inspection.EncoderCount(id+1) * lines}
		s.say("")
		s.frames <- f
	}
}

func (s *Source) say(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason = reason
}

// Size is the width of a picture in pixels and its height in lines.
func (s *Source) Size() (width, height int) { return s.width, s.height }

// Failing says why no pictures come; empty while they do.
func (s *Source) Failing() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

// Lost counts the pictures for which no buffer was free, or that would have come while the stream was broken.
func (s *Source) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Next gives the next picture to the caller, who must Release it. After Close it is io.EOF.
func (s *Source) Next(ctx context.Context) (*camera.Frame, error) {
	select {
	case f, ok := <-s.frames:
		if !ok {
			return nil, io.EOF
		}
		return f, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the stream and returns the memory. It refuses while a picture is lent; those that nobody took are released.
func (s *Source) Close() error {
	s.cancel()
	s.wg.Wait()
	for f := range s.frames {
		f.Release()
	}
	return s.pool.Close()
}
