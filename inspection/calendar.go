package inspection

import (
	"fmt"
	"slices"
	"time"
)

// ShiftStart is the time of day in the plant's zone at which a shift begins, "HH:MM".
type ShiftStart string

// Calendar is how a plant divides its time.
type Calendar struct {
	Zone   *time.Location
	Shifts []ShiftStart // in order of the day, at least one; CheckShifts holds them to it
}

// maxShifts is one every two hours, which nobody works.
const maxShifts = 12

func (s ShiftStart) clock() (hour, minute int, ok bool) {
	t, err := time.Parse("15:04", string(s))
	return t.Hour(), t.Minute(), err == nil && len(s) == len("15:04")
}

// CheckShifts reports the first start of a shift that is not allowed, as a *FieldError.
func CheckShifts(shifts []ShiftStart) error {
	bad := func(format string, a ...any) error {
		return &FieldError{Field: "shifts", Reason: fmt.Sprintf(format, a...)}
	}
	if n := len(shifts); n < 1 || n > maxShifts {
		return bad("%d shifts are not possible; allowed are 1 to %d", n, maxShifts)
	}
	for i, s := range shifts {
		if _, _, ok := s.clock(); !ok {
			return bad(`%q is not a time of day; allowed is HH:MM, such as "06:00"`, string(s))
		}
		if i > 0 && s <= shifts[i-1] {
			return bad("%s comes after %s; list the starts of the shifts in order of the day, each once", s, shifts[i-1])
		}
	}
	return nil
}

// Bucket is a length of time that trends add up over.
type Bucket string

// Buckets. A day begins at midnight of the plant's zone, a week on Monday.
const (
	ByHour  Bucket = "hour"
	ByShift Bucket = "shift"
	ByDay   Bucket = "day"
	ByWeek  Bucket = "week"
)

// BucketFor is the one that shows a period in some dozens of steps.
func BucketFor(period time.Duration) Bucket {
	const day = 24 * time.Hour
	switch {
	case period <= 2*day:
		return ByHour
	case period <= 14*day:
		return ByShift
	case period <= 120*day:
		return ByDay
	}
	return ByWeek
}

// Shift is the shift that works at t, and when it began.
func (c Calendar) Shift(t time.Time) (ShiftStart, time.Time) {
	var (
		shift ShiftStart
		began time.Time
	)
	for back := -1; back <= 0; back++ { // before the day's first one, yesterday's last still works
		for _, s := range c.Shifts {
			if at := c.at(t, back, s); !at.After(t) {
				shift, began = s, at
			}
		}
	}
	return shift, began
}

// at is when a shift begins, days after the day of t.
func (c Calendar) at(t time.Time, days int, s ShiftStart) time.Time {
	y, m, d := t.In(c.Zone).Date()
	hour, minute, _ := s.clock()
	return c.onClock(y, m, d+days, hour, minute)
}

// onClock is when the plant's clock shows a time of day. One that the clock skips counts as that much after the skip: time.Date
// may give one before it, and so the evening before a day that begins at 01:00.
func (c Calendar) onClock(y int, m time.Month, d, hour, minute int) time.Time {
	at := time.Date(y, m, d, hour, minute, 0, 0, c.Zone)
	asked := time.Date(y, m, d, hour, minute, 0, 0, time.UTC)
	_, offset := at.Zone()
	shown := time.Unix(at.Unix()+int64(offset), 0)
	return at.Add(max(0, asked.Sub(shown)))
}

// Start is the beginning of the bucket that holds t.
func (c Calendar) Start(t time.Time, b Bucket) time.Time {
	local := t.In(c.Zone)
	y, m, d := local.Date()
	switch b {
	case ByHour: // by the clock on the wall: not every zone is whole hours away from UTC
		return local.Add(-time.Duration(local.Minute())*time.Minute - time.Duration(local.Second())*time.Second - time.Duration(local.Nanosecond()))
	case ByShift:
		_, began := c.Shift(t)
		return began
	case ByWeek:
		d -= (int(local.Weekday()) + 6) % 7
	case ByDay:
	}
	return c.onClock(y, m, d, 0, 0)
}

// next is the beginning of the bucket after the one that begins at start.
func (c Calendar) next(start time.Time, b Bucket) time.Time {
	y, m, d := start.In(c.Zone).Date()
	switch b {
	case ByHour:
		return start.Add(time.Hour)
	case ByShift:
		for on := range 3 {
			for _, s := range c.Shifts {
				if at := c.at(start, on, s); at.After(start) {
					return at
				}
			}
		}
	case ByWeek:
		d += 6
	case ByDay:
	}
	return c.onClock(y, m, d+1, 0, 0)
}

// Period is a half-open stretch of time [From, Until).
type Period struct{ From, Until time.Time }

// Buckets cut a period at the bounds of buckets; the first and the last may be parts of one. It gives at most limit+1.
func (c Calendar) Buckets(p Period, b Bucket, limit int) (out []Period) {
	for at := c.Start(p.From, b); at.Before(p.Until) && len(out) <= limit; {
		end := c.next(at, b)
		out = append(out, Period{latest(at, p.From).UTC(), earliest(end, p.Until).UTC()})
		at = end
	}
	return out
}

// WorkedBy is when a shift works within a period; a *FieldError for a shift that the plant does not have, and for more than
// limit stretches.
func (c Calendar) WorkedBy(shift ShiftStart, p Period, limit int) (out []Period, err error) {
	if !slices.Contains(c.Shifts, shift) {
		return nil, &FieldError{Field: "shift", Reason: fmt.Sprintf("%q is not the start of a shift; the plant's begin at %v", string(shift), c.Shifts)}
	}
	for at := c.Start(p.From, ByShift); at.Before(p.Until); {
		end := c.next(at, ByShift)
		if s, _ := c.Shift(at); s == shift {
			out = append(out, Period{latest(at, p.From), earliest(end, p.Until)})
		}
		if len(out) > limit {
			return nil, &FieldError{Field: "shift", Reason: fmt.Sprintf("the period holds this shift more than %d times; choose a shorter one by since and until", limit)}
		}
		at = end
	}
	return out, nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
