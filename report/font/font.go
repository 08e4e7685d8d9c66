// Package font holds the face of the coil report: a part of Pretendard (SIL Open Font License, LICENSE.txt), cut by
// subset.py. The regular weight has every Hangul syllable, the bold one those of KS X 1001.
package font

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the faces
	"fmt"
	"io"
)

var (
	//go:embed regular.ttf.gz
	regular []byte
	//go:embed bold.ttf.gz
	bold []byte
)

// Faces are both weights as TrueType files.
func Faces() (regularTTF, boldTTF []byte, err error) {
	if regularTTF, err = unpack(regular); err != nil {
		return nil, nil, fmt.Errorf("regular face: %w", err)
	}
	if boldTTF, err = unpack(bold); err != nil {
		return nil, nil, fmt.Errorf("bold face: %w", err)
	}
	return regularTTF, boldTTF, nil
}

func unpack(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
