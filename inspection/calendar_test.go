package inspection

import (
	"testing"
	"time"
	_ "time/tzdata" // for machines without the zones
)

func seoul(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestShiftStartsAreChecked(t *testing.T) {
	for _, good := range [][]ShiftStart{{"06:00", "14:00", "22:00"}, {"00:00"}, {"07:30", "19:30"}} {
		if err := CheckShifts(good); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for want, bad := range map[string][]ShiftStart{
		`shifts: 0 shifts are not possible; allowed are 1 to 12`:                                        {},
		`shifts: "6:00" is not a time of day; allowed is HH:MM, such as "06:00"`:                        {"6:00"},
		`shifts: "24:00" is not a time of day; allowed is HH:MM, such as "06:00"`:                       {"06:00", "24:00"},
		`shifts: 06:00 comes after 14:00; list the starts of the shifts in order of the day, each once`: {"14:00", "06:00"},
		`shifts: 06:00 comes after 06:00; list the starts of the shifts in order of the day, each once`: {"06:00", "06:00"},
		`shifts: 13 shifts are not possible; allowed are 1 to 12`:                                       make([]ShiftStart, 13),
	} {
		if err := CheckShifts(bad); err == nil || err.Error() != want {
			t.Errorf("%v: %v, want %s", bad, err, want)
		}
	}
}

func TestTheNightShiftBelongsToTheEveningItBegan(t *testing.T) {
	c := Calendar{Zone: seoul(t), Shifts: []ShiftStart{"06:00", "14:00", "22:00"}}
	for clock, want := range map[string]struct {
		shift ShiftStart
		began string
	}{
		"2026-03-02 05:59": {"22:00", "2026-03-01 22:00"},
		"2026-03-02 06:00": {"06:00", "2026-03-02 06:00"},
		"2026-03-02 21:59": {"14:00", "2026-03-02 14:00"},
		"2026-03-02 23:10": {"22:00", "2026-03-02 22:00"},
	} {
		at, _ := time.ParseInLocation("2006-01-02 15:04", clock, c.Zone)
		shift, began := c.Shift(at.UTC())
		if shift != want.shift || began.Format("2006-01-02 15:04") != want.began {
			t.Errorf("%s: %s since %s, want %+v", clock, shift, began, want)
		}
	}
}

func TestBucketsCoverAPeriodWithoutHolesOrOverlaps(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	adelaide, err := time.LoadLocation("Australia/Adelaide") // half an hour off
	if err != nil {
		t.Fatal(err)
	}
	for _, zone := range []*time.Location{seoul(t), berlin, adelaide, time.UTC} {
		c := Calendar{Zone: zone, Shifts: []ShiftStart{"05:45", "13:45", "21:45"}}
		// The clocks of Berlin change within it, forth and, in the second, back.
		for _, from := range []time.Time{time.Date(2026, 3, 27, 7, 13, 5, 0, time.UTC), time.Date(2026, 10, 23, 7, 13, 5, 0, time.UTC)} {
			p := Period{from, from.AddDate(0, 0, 5)}
			for bucket, least := range map[Bucket]int{ByHour: 120, ByShift: 15, ByDay: 5, ByWeek: 1} {
				all := c.Buckets(p, bucket, 1000)
				if len(all) < least || len(all) > least+2 {
					t.Errorf("%s: %d of %s, want about %d", zone, len(all), bucket, least)
				}
				at := p.From
				for i, b := range all {
					if !b.From.Equal(at) || !b.Until.After(b.From) {
						t.Fatalf("%s by %s: bucket %d is %v, want it from %v", zone, bucket, i, b, at)
					}
					if i > 0 && !c.Start(b.From, bucket).Equal(b.From) {
						t.Errorf("%s by %s: %v is no beginning", zone, bucket, b.From)
					}
					if middle := b.From.Add(b.Until.Sub(b.From) / 2); i > 0 && !c.Start(middle, bucket).Equal(b.From) {
						t.Errorf("%s by %s: %v begins at %v, want %v", zone, bucket, middle, c.Start(middle, bucket), b.From)
					}
					at = b.Until
				}
				if !at.Equal(p.Until) {
					t.Errorf("%s by %s ends at %v, want %v", zone, bucket, at, p.Until)
				}
			}
			worked, err := c.WorkedBy("13:45", p, 10)
			if err != nil || len(worked) < 5 || len(worked) > 6 {
				t.Errorf("%s: the shift worked %d times, %v", zone, len(worked), err)
			}
		}
	}
}

func TestADayBeginsWhereTheClockSkipsMidnight(t *testing.T) {
	santiago, err := time.LoadLocation("America/Santiago") // 24:00 becomes 01:00
	if err != nil {
		t.Fatal(err)
	}
	cairo, err := time.LoadLocation("Africa/Cairo")
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []time.Time{time.Date(2026, 9, 6, 12, 0, 0, 0, santiago), time.Date(2026, 4, 24, 12, 0, 0, 0, cairo)} {
		c := Calendar{Zone: on.Location(), Shifts: []ShiftStart{"00:00", "12:00"}}
		first := time.Date(on.Year(), on.Month(), on.Day(), 1, 0, 0, 0, c.Zone)
		if start := c.Start(on.Add(-time.Hour), ByDay); !start.Equal(first) {
			t.Errorf("%s: the day begins at %s, want %s", c.Zone, start, first)
		}
		if s, began := c.Shift(on.Add(-time.Hour)); s != "00:00" || !began.Equal(first) {
			t.Errorf("%s: shift %s since %s, want %s", c.Zone, s, began, first)
		}
		p := Period{on.AddDate(0, 0, -3), on.AddDate(0, 0, 3)}
		if days := c.Buckets(p, ByDay, 100); len(days) != 7 || !days[3].From.Equal(first) {
			t.Errorf("%s: days %v", c.Zone, days)
		}
		if weeks := c.Buckets(Period{on.AddDate(0, 0, -20), on.AddDate(0, 0, 20)}, ByWeek, 100); len(weeks) < 6 || len(weeks) > 7 {
			t.Errorf("%s: %d weeks", c.Zone, len(weeks))
		}
	}
}

func TestAShiftThatThePlantDoesNotHave(t *testing.T) {
	c := Calendar{Zone: time.UTC, Shifts: []ShiftStart{"06:00", "18:00"}}
	p := Period{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)}
	if _, err := c.WorkedBy("07:00", p, 10); err == nil || err.Error() != `shift: "07:00" is not the start of a shift; the plant's begin at [06:00 18:00]` {
		t.Error(err)
	}
	if _, err := c.WorkedBy("06:00", p, 3); err == nil {
		t.Error("more stretches than allowed are accepted")
	}
}
