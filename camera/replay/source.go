// Package replay gives recorded strip to the pipeline as a camera would: a folder of pictures or of raw
// line files is one coil.
package replay

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coilsight/coilsight/camera"
	"github.com/coilsight/coilsight/inspection"
)

// Options of a source. A zero field takes the default named beside it.
type Options struct {
	Camera     inspection.CameraID // "replay"
	FrameLines int                 // 1,024: most scan lines a frame
	Buffers    int                 // 8 frames: what is decoded ahead
	Loop       bool                // begin again after the last file, as strip that goes on
	LineRate   float64             // scan lines a second; 0: as fast as frames are taken
}

// Source replays the pictures of a folder, sorted by name, as one strip. A scan line of a picture is
// one encoder count; a raw line file brings its own counts. What cannot be read, or has another width
// than the first readable file, becomes one Incomplete frame of the extent it should have had.
type Source struct {
	o     Options
	files []string // paths
	width int
	lines int // of the first readable picture: what an unreadable one is taken for
	first inspection.EncoderCount

	due time.Time // of the next frame's last line, with a LineRate; used by Next alone

	pool   *camera.Pool
	items  chan item // capacity of the pool: a lent frame always finds a place
	done   atomic.Int64
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// item is a frame and whether it is the last of its file.
type item struct {
	frame *camera.Frame
	last  bool
}

// Open prepares the replay of a folder and begins to decode ahead. A folder without pictures, or with
// none that can be read, is an error. The caller must Close the source.
func Open(dir string, o Options) (*Source, error) {
	if o.Camera == "" {
		o.Camera = "replay"
	}
	if o.FrameLines == 0 {
		o.FrameLines = 1024
	}
	if o.Buffers == 0 {
		o.Buffers = 8
	}
	if o.FrameLines < 1 || o.FrameLines > 1<<16 {
		return nil, fmt.Errorf("replay: %d lines a frame are not possible; allowed are 1 to %d", o.FrameLines, 1<<16)
	}
	if o.Buffers < 1 || o.Buffers > 4096 {
		return nil, fmt.Errorf("replay: %d buffers are not possible; allowed are 1 to 4096", o.Buffers)
	}
	files, err := list(dir)
	if err != nil {
		return nil, err
	}
	s := &Source{o: o, files: files}
	if err := s.measure(dir); err != nil {
		return nil, err
	}
	if s.pool, err = camera.NewPool(o.Camera, o.Buffers, s.width*o.FrameLines); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	s.items = make(chan item, o.Buffers)
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	s.wg.Go(func() { s.read(ctx) })
	return s, nil
}

// list gives the paths of a folder's pictures and line files, sorted by name.
func list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("replay: folder %s cannot be read: %w", dir, err)
	}
	var files []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !isRaw(e.Name()) && !isPicture(e.Name()) || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		// A device or a pipe would hold the replay up for ever. What cannot even be looked at stays:
		// it is a picture that cannot be read.
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			continue
		}
		files = append(files, path)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("replay: folder %s holds no pictures; allowed are .jpg, .jpeg, .png, .tif, .tiff and .raw with its .json", dir)
	}
	return files, nil
}

func isPicture(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".tif", ".tiff":
		return true
	}
	return false
}

// measure takes width and height from the first file that can be read.
func (s *Source) measure(dir string) error {
	var reasons []error
	for _, path := range s.files {
		if isRaw(filepath.Base(path)) {
			h, err := openRaw(path, 0)
			if err == nil {
				h.file.Close()
				s.width, s.lines = h.header.Width, int(min(h.header.Lines, int64(s.o.FrameLines)))
				if h.header.FirstCount != nil && len(reasons) == 0 {
					s.first = *h.header.FirstCount
				}
				return nil
			}
			reasons = append(reasons, err)
			continue
		}
		_, w, h, err := ReadPicture(path)
		if err == nil {
			s.width, s.lines = w, h
			return nil
		}
		reasons = append(reasons, err)
	}
	return fmt.Errorf("replay: none of the %d pictures in %s can be read; the first: %w", len(s.files), dir, reasons[0])
}

// Width is the width of every frame in pixels.
func (s *Source) Width() int { return s.width }

// First is the encoder count at which the first frame begins.
func (s *Source) First() inspection.EncoderCount { return s.first }

// Progress is how many of the files have been handed out to their last line.
func (s *Source) Progress() (done, total int) { return int(s.done.Load()), len(s.files) }

// Next gives the next frame to the caller, who must Release it. After the last file it is io.EOF.
func (s *Source) Next(ctx context.Context) (*camera.Frame, error) {
	f, err := s.take(ctx)
	if err != nil || s.o.LineRate <= 0 {
		return f, err
	}
	if s.due.IsZero() {
		s.due = time.Now()
	}
	s.due = s.due.Add(time.Duration(float64(f.Image.Height) / s.o.LineRate * float64(time.Second)))
	select {
	case <-time.After(time.Until(s.due)):
	case <-ctx.Done():
		f.Release()
		return nil, ctx.Err()
	}
	f.Arrived = time.Now()
	return f, nil
}

func (s *Source) take(ctx context.Context) (*camera.Frame, error) {
	select {
	case i, ok := <-s.items:
		if !ok {
			return nil, io.EOF
		}
		if i.last {
			s.done.Add(1)
		}
		return i.frame, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the replay, waits for the reader and returns the memory. It refuses while a frame is lent;
// frames that nobody took are released. Next then gives io.EOF.
func (s *Source) Close() error {
	s.cancel()
	s.wg.Wait()
	for i := range s.items {
		i.frame.Release()
	}
	if err := s.pool.Close(); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return nil
}
