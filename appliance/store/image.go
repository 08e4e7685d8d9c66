package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// partSuffix marks a picture that is being written.
const partSuffix = ".part"

// encoder keeps what a PNG needs to be made, more than a megabyte, from one picture to the next. It is
// the png package's pool of one.
type encoder struct {
	out  bytes.Buffer
	kept *png.EncoderBuffer
}

func (e *encoder) Get() *png.EncoderBuffer {
	b := e.kept
	e.kept = nil
	return b
}

func (e *encoder) Put(b *png.EncoderBuffer) { e.kept = b }

// encode gives bytes that stay valid until the next call.
func (e *encoder) encode(c *inspection.Crop) ([]byte, error) {
	e.out.Reset()
	p := png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: e}
	err := p.Encode(&e.out, &image.Gray{Pix: c.Pix, Stride: c.Size, Rect: image.Rect(0, 0, c.Size, c.Size)})
	return e.out.Bytes(), err
}

// writeImages writes the pictures of a batch and marks the defects that have one.
func (s *Store) writeImages(b *inspection.Batch) {
	var failed error
	lost := 0
	for i, c := range b.Images {
		if c == nil {
			continue
		}
		if err := s.writeImage(s.imagePath(b.Coil, b.Defects[i].ID), c); err != nil {
			failed, lost = err, lost+1
			continue
		}
		b.Defects[i].HasImage = true
	}
	if lost > 0 {
		s.imagesLost.Add(int64(lost))
		s.options.Log.Warn("pictures could not be written", "coil", string(b.Coil), "pictures", lost, "error", failed)
	}
}

func (s *Store) imagePath(coil inspection.CoilID, id inspection.DefectID) string {
	return imagePath(s.dir, coil, id)
}

func imagePath(dir string, coil inspection.CoilID, id inspection.DefectID) string {
	return filepath.Join(dir, imagesName, string(coil), strconv.FormatInt(int64(id), 10)+".png")
}

func (s *Store) writeImage(path string, c *inspection.Crop) error {
	if c.Size <= 0 || len(c.Pix) < c.Size*c.Size {
		return fmt.Errorf("picture of %d bytes is not %d x %d pixels", len(c.Pix), c.Size, c.Size)
	}
	b, err := s.encoder.encode(c)
	if err != nil {
		return err
	}
	part := path + partSuffix
	err = s.writeFile(part, b)
	if errors.Is(err, fs.ErrNotExist) { // the first picture of its coil
		if err = makeDirectory(filepath.Dir(path)); err == nil {
			err = s.writeFile(part, b)
		}
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(part))
	}
	return nil
}

func (s *Store) writeFile(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && s.options.SyncImages {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Image opens the picture (PNG) of a defect; the caller closes it. *inspection.NotFoundError where the
// defect has none, or where it was lost with the power before it reached the disk.
func (s *Store) Image(ctx context.Context, id inspection.DefectID) (io.ReadCloser, error) {
	d, err := s.Defect(ctx, id)
	if err != nil {
		return nil, err
	}
	missing := &inspection.NotFoundError{Noun: "picture of defect", ID: strconv.FormatInt(int64(id), 10)}
	if !d.HasImage {
		return nil, missing
	}
	f, err := os.Open(s.imagePath(d.Coil, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("picture of defect %d: %w", id, err)
	}
	if info, err := f.Stat(); err == nil && info.Size() == 0 {
		return nil, errors.Join(missing, f.Close())
	}
	return f, nil
}

// tidyImages removes what a cut-off batch left in a coil's folder: half-written pictures, and those
// whose defects were never recorded.
func (s *Store) tidyImages(coil inspection.CoilID) error {
	dir := filepath.Join(s.dir, imagesName, string(coil))
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		id, err := strconv.ParseInt(strings.TrimSuffix(e.Name(), ".png"), 10, 64)
		if strings.HasSuffix(e.Name(), partSuffix) || (err == nil && inspection.DefectID(id) >= s.nextID) {
			errs = append(errs, removeIfThere(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}
