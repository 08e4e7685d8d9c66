package replay

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // the formats that image.Decode shall know
	_ "image/png"
	"io"
	"os"
	"path/filepath"

	_ "golang.org/x/image/tiff"
)

// A few bytes can claim far more than any memory. 200 million pixels are four times the largest picture
// that a 16k camera is likely to record; colour takes up to eight times the memory of grey, so it is
// allowed a quarter of the pixels.
const (
	mostPixels = 200_000_000
	mostColour = mostPixels / 4
)

// ReadPicture decodes a JPEG, PNG or TIFF file to 8-bit grey, row after row. Of a JPEG it takes the luma
// as it is stored; 16-bit pixels are scaled from their full range; what is transparent is black. A
// truncated file is an error.
func ReadPicture(path string) (pix []byte, width, height int, err error) {
	name := filepath.Base(path)
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("picture %s cannot be opened: %w", name, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, 0, 0, fmt.Errorf("picture %s is a folder; allowed are JPEG, PNG and TIFF files", name)
	}
	head, _, err := image.DecodeConfig(bufio.NewReader(f))
	if err != nil {
		return nil, 0, 0, unreadable(name, err)
	}
	most := mostColour
	switch head.ColorModel {
	case color.GrayModel, color.Gray16Model, color.YCbCrModel:
		most = mostPixels
	}
	if err := checkSize(name, head.Width, head.Height, most); err != nil {
		return nil, 0, 0, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, 0, 0, unreadable(name, err)
	}
	m, _, err := image.Decode(bufio.NewReader(f))
	if err != nil {
		return nil, 0, 0, unreadable(name, err)
	}
	width, height = m.Bounds().Dx(), m.Bounds().Dy()
	if pix, err = grey(m); err != nil {
		return nil, 0, 0, fmt.Errorf("picture %s: %w", name, err)
	}
	return pix, width, height, nil
}

func unreadable(name string, err error) error {
	switch {
	case errors.Is(err, image.ErrFormat):
		return fmt.Errorf("picture %s is neither JPEG, PNG nor TIFF", name)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("picture %s is truncated: %w", name, err)
	}
	return fmt.Errorf("picture %s cannot be read: %w", name, err)
}

func checkSize(name string, width, height, most int) error {
	if width < 1 || height < 1 || width > most || height > most || width*height > most {
		return fmt.Errorf("picture %s has %d x %d pixels; allowed are 1 to %d in all", name, width, height, most)
	}
	return nil
}

// grey is m in 8 bits a pixel, without padding between rows.
func grey(m image.Image) ([]byte, error) {
	b := m.Bounds()
	w, h := b.Dx(), b.Dy()
	out := make([]byte, w*h)
	plane := func(pix []byte, stride int) {
		for y := range h {
			copy(out[y*w:(y+1)*w], pix[y*stride:])
		}
	}
	switch m := m.(type) {
	case *image.Gray:
		plane(m.Pix, m.Stride)
	case *image.YCbCr:
		plane(m.Y, m.YStride)
	case *image.Gray16:
		for y := range h {
			row := m.Pix[y*m.Stride : y*m.Stride+2*w]
			for x := range w {
				v := uint32(row[2*x])<<8 | uint32(row[2*x+1])
				out[y*w+x] = byte((v + 128) / 257)
			}
		}
	case image.RGBA64Image: // every other picture of the standard library
		for y := range h {
			for x := range w {
				c := m.RGBA64At(b.Min.X+x, b.Min.Y+y)
				// The weights of JPEG's luma, as the standard library has them.
				out[y*w+x] = byte((19595*uint32(c.R) + 38470*uint32(c.G) + 7471*uint32(c.B) + 1<<15) >> 24)
			}
		}
	default:
		return nil, fmt.Errorf("a picture of %T is not supported; allowed are grey and colour of 8 or 16 bits", m)
	}
	return out, nil
}
