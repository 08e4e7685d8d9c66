package teach

import "fmt"

// NotThereError names a version, or a part of one, that the shelf does not hold.
type NotThereError struct{ reason string }

func (e *NotThereError) Error() string { return e.reason }

func notThere(format string, a ...any) error { return &NotThereError{fmt.Sprintf(format, a...)} }

// RefusedError says why what a person asked for is not done. Nothing was changed.
type RefusedError struct{ reason string }

func (e *RefusedError) Error() string { return e.reason }

func refused(format string, a ...any) error { return &RefusedError{fmt.Sprintf(format, a...)} }
