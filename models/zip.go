package models

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Bounds of a bundle in one file. They are looked at before anything is unpacked.
const (
	maxZipBytes = maxBundleBytes + 1<<20
	// maxZipEntries are the files, manifest, signature, and folders for them.
	maxZipEntries = maxFiles + 34
	// maxZipDirectory bounds the list of entries, which the reader holds in memory.
	maxZipDirectory = 128 << 10
	// maxZipRatio is far above what weights (1.1), pictures (1) or tables (20) reach. Small entries are let
	// off: a text of one line repeated is no harm.
	maxZipRatio  = 100
	ratioFreeFor = 1 << 20
)

// OpenPath reads and verifies a bundle that is a folder or one .zip file.
func OpenPath(name string) (*Bundle, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("model bundle: %w", err)
	}
	if info.IsDir() {
		return OpenDir(name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("model bundle: %w", err)
	}
	defer f.Close()
	if !info.Mode().IsRegular() || info.Size() > maxZipBytes {
		return nil, fmt.Errorf("model bundle %s has %d bytes; allowed is a folder or a regular file of up to %d", name, info.Size(), int64(maxZipBytes))
	}
	b, err := OpenZip(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("model bundle %s: %w", name, err)
	}
	return b, nil
}

// OpenZip reads and verifies a bundle that is a ZIP archive of size bytes. Nothing is written to disk.
func OpenZip(r io.ReaderAt, size int64) (*Bundle, error) {
	if err := checkDirectory(r, size); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("it is not a whole ZIP archive: %w", err)
	}
	names, err := checkEntries(z.File)
	if err != nil {
		return nil, err
	}
	b, err := Open(z)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if !b.holds(n) {
			return nil, fmt.Errorf("it holds %q, which the manifest does not list; allowed is what is listed", n)
		}
	}
	return b, nil
}

// Parts of a ZIP archive's end record, which says where the list of entries lies.
const (
	endLength     = 22
	endSignature  = 0x06054b50
	maxEndComment = 1<<16 - 1
)

// checkDirectory bounds the list of entries before a reader holds it in memory. The list must end where the
// end record begins, so that what is bounded here is what is read.
func checkDirectory(r io.ReaderAt, size int64) error {
	tail := make([]byte, min(size, endLength+maxEndComment))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	for i := len(tail) - endLength; i >= 0; i-- {
		end := tail[i:]
		if binary.LittleEndian.Uint32(end) != endSignature {
			continue
		}
		// A reader takes the last end record there is, so that one must be it.
		if endLength+int(binary.LittleEndian.Uint16(end[20:])) != len(end) {
			return errors.New("something follows its end record; allowed is an archive that ends there")
		}
		entries := binary.LittleEndian.Uint16(end[10:])
		length, offset := int64(binary.LittleEndian.Uint32(end[12:])), int64(binary.LittleEndian.Uint32(end[16:]))
		switch {
		case entries == 0xffff || length == 0xffff || offset == 0xffffffff:
			return errors.New("it has the records of a ZIP64 archive; allowed is a plain one")
		case entries > maxZipEntries:
			return fmt.Errorf("it lists %d entries; allowed are %d", entries, maxZipEntries)
		case length > maxZipDirectory:
			return fmt.Errorf("its list of entries has %d bytes; allowed are %d", length, maxZipDirectory)
		case offset+length != size-int64(len(end)):
			return errors.New("its list of entries is not where its end says; allowed is a plain ZIP archive with nothing before or between")
		}
		return nil
	}
	return errors.New("it is not a whole ZIP archive: its end is missing")
}

// checkEntries looks at what the entries say of themselves and gives the names of the files.
func checkEntries(entries []*zip.File) ([]string, error) {
	if len(entries) > maxZipEntries {
		return nil, fmt.Errorf("it lists %d entries; allowed are %d", len(entries), maxZipEntries)
	}
	var names []string
	var total uint64
	for _, e := range entries {
		name, folder := strings.CutSuffix(e.Name, "/")
		mode := e.Mode()
		switch {
		case !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, `\:`):
			return nil, fmt.Errorf("it holds %q; allowed are paths inside the bundle", e.Name)
		case slices.Contains(names, name):
			return nil, fmt.Errorf("it holds %q twice; once is allowed", name)
		case e.Flags&1 != 0:
			return nil, fmt.Errorf("%q is encrypted; only plain entries are allowed", name)
		case folder != mode.IsDir() || !folder && !mode.IsRegular():
			return nil, fmt.Errorf("%q is %s; only regular files and folders are allowed", name, mode)
		case folder:
			if e.UncompressedSize64 != 0 {
				return nil, fmt.Errorf("folder %q has %d bytes; allowed is none", name, e.UncompressedSize64)
			}
			continue
		case e.Method != zip.Store && e.Method != zip.Deflate:
			return nil, fmt.Errorf("%q is packed by method %d; allowed are stored and deflated", name, e.Method)
		case e.UncompressedSize64 > maxFileBytes:
			return nil, fmt.Errorf("%q unpacks to %d bytes; allowed are %d", name, e.UncompressedSize64, int64(maxFileBytes))
		case e.UncompressedSize64 > ratioFreeFor && e.UncompressedSize64/maxZipRatio > e.CompressedSize64:
			return nil, fmt.Errorf("%q unpacks from %d to %d bytes; allowed is %d times its size", name, e.CompressedSize64, e.UncompressedSize64, maxZipRatio)
		}
		if total += e.UncompressedSize64; total > maxBundleBytes {
			return nil, fmt.Errorf("the entries up to %q unpack to %d bytes; allowed are %d together", name, total, int64(maxBundleBytes))
		}
		names = append(names, name)
	}
	return names, nil
}

// WriteZip writes the bundle as one file: the same bytes for the same bundle.
func (b *Bundle) WriteZip(w io.Writer) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	err := b.eachFile(func(name string, data []byte) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		if path.Ext(name) == ".png" {
			h.Method = zip.Store
		}
		h.SetMode(0o644)
		f, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, bytes.NewReader(data))
		return err
	})
	return errors.Join(err, z.Close())
}
