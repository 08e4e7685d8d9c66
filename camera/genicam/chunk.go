package genicam

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/coilsight/coilsight/inspection"
)

// sendChunk has a camera send the chunk of an integer feature with each frame, beside those that are on
// already. Its frames grow by it: PayloadSize is to be read after. By the standard's names (SFNC 2.7)
// ChunkEncoderValue is the feature of the chunk EncoderValue; some cameras write the two in different cases.
// A refusal is a *inspection.FieldError whose Field is "camera ID".
func (h *handle) sendChunk(id inspection.CameraID, name string) error {
	refuse := func(format string, a ...any) error {
		return &inspection.FieldError{Field: "camera " + string(id), Reason: fmt.Sprintf(format, a...)}
	}
	set := func(feature string, value any) error {
		err := h.set(id, Feature{feature, value})
		var field *inspection.FieldError
		if err == nil || errors.As(err, &field) {
			return err
		}
		return refuse("%s is not possible; %s %v was not taken: %v", name, feature, value, errors.Unwrap(err))
	}
	if _, ok := h.feature("ChunkModeActive"); !ok {
		return refuse("%s is not possible; it sends no chunk data", name)
	}
	if f, ok := h.feature(name); !ok || f.Kind != Integer {
		return refuse("%s is not possible; its chunk data has no whole number of that name", name)
	}
	if err := set("ChunkModeActive", true); err != nil {
		return err
	}
	selector, _ := h.feature("ChunkSelector")
	chunk := strings.TrimPrefix(name, "Chunk")
	i := slices.IndexFunc(selector.Entries, func(e string) bool { return strings.EqualFold(e, chunk) })
	if i < 0 {
		return refuse("%s is not possible; its chunks are %s", name, strings.Join(selector.Entries, ", "))
	}
	if err := set("ChunkSelector", selector.Entries[i]); err != nil {
		return err
	}
	if f, ok := h.feature("ChunkEnable"); ok && f.Value == true {
		return nil // some cannot be switched off
	}
	if err := set("ChunkEnable", true); err != nil {
		return err
	}
	if f, _ := h.feature("ChunkEnable"); f.Readable && f.Value != true {
		return refuse("%s is not possible; the camera keeps the chunk switched off", name)
	}
	return nil
}
