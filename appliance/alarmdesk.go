package appliance

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/coilsight/coilsight/appliance/alarm"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// alarmDesk tells people of alarms, takes what they say, and keeps the history.
type alarmDesk struct {
	a     *Appliance
	book  alarm.Book
	hooks []*alarm.Webhook

	// writes wait to become history: the look at the line must not wait for the disk.
	writes chan alarmWrite

	mu       sync.Mutex
	rules    inspection.AlarmRules
	watch    *alarm.Watch // of the rules
	diskAt   time.Time    // when the disk was looked at
	diskFree float64      // then, GB
}

// alarmWrite is records of one look, or done in their place: it is closed once all before it are written.
type alarmWrite struct {
	records []inspection.AlarmRecord
	done    chan struct{}
}

const (
	// alarmBacklog is how many looks' records may wait for the disk.
	alarmBacklog = 256
	// historyWithin is how long who reads the history waits for what is on its way there.
	historyWithin = time.Second
)

func (a *Appliance) openAlarms(ctx context.Context) (*alarmDesk, error) {
	d := &alarmDesk{a: a, writes: make(chan alarmWrite, alarmBacklog)}
	published, err := a.store.AlarmRules(ctx)
	if err != nil {
		return nil, err
	}
	if len(published) > 0 {
		d.rules = published[0]
	} else if err := a.o.Config.Alarms.checkRules(a.desk.engine().Classifier.Classes()); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	} else {
		d.rules.Rules = a.o.Config.Alarms.Rules
	}
	d.watch = alarm.NewWatch(d.rules.Rules)
	for _, to := range a.o.Config.Alarms.Webhooks {
		d.hooks = append(d.hooks, alarm.NewWebhook(to, a.o.Log))
	}
	aside, err := a.store.AlarmsAside(ctx)
	d.book.Restore(aside)
	return d, err
}

// run keeps the history and tells the webhooks, until ctx ends.
func (d *alarmDesk) run(ctx context.Context) {
	var hooks sync.WaitGroup
	defer hooks.Wait()
	for _, h := range d.hooks {
		hooks.Go(func() { h.Run(ctx) })
	}
	keep := func(w alarmWrite) {
		if w.done != nil {
			close(w.done)
			return
		}
		if err := d.a.store.AppendAlarms(d.a.background, w.records); err != nil {
			d.a.o.Log.Error("alarms could not be recorded", "error", err)
		}
	}
	for {
		select {
		case w := <-d.writes:
			keep(w)
		case <-ctx.Done():
			for {
				select {
				case w := <-d.writes:
					keep(w)
				default:
					return
				}
			}
		}
	}
}

// saw takes defects in that were recorded.
func (d *alarmDesk) saw(defects []inspection.Defect) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.watch.Add(time.Now(), defects)
}

// look takes the conditions that hold now, and gives what people are told.
func (d *alarmDesk) look(now time.Time, holding []alarm.Condition) (standing []inspection.Alarm, flood bool) {
	d.mu.Lock()
	holding = append(holding, d.watch.Conditions(now)...)
	d.mu.Unlock()
	d.happened(d.book.Look(now, holding))
	return d.book.Standing()
}

// happened tells everybody what became of alarms.
func (d *alarmDesk) happened(records []inspection.AlarmRecord) {
	if len(records) == 0 {
		return
	}
	for _, r := range records {
		d.a.live.publish("alarm", r)
		for _, h := range d.hooks {
			h.Send(r)
		}
	}
	select {
	case d.writes <- alarmWrite{records: records}:
	default:
		d.a.o.Log.Error("alarms could not be recorded", "error", "too many wait for the disk", "alarms", len(records))
	}
}

const (
	diskEvery = 10 * time.Second
	// coverageFrom is the strip from which on a coil's coverage says something.
	coverageFrom = 10 * 1000 // mm
)

// conditions are what is low: the coil's coverage, and the disk.
func (d *alarmDesk) conditions(st web.Live) (out []alarm.Condition) {
	c := d.a.o.Config.Alarms
	told := map[inspection.Side]bool{} // several cameras of a side tell the same
	for _, k := range st.Cameras {
		if st.Coil == nil || k.Coverage.Length < coverageFrom || told[k.Side] {
			continue
		}
		if share := 100 * k.Coverage.Share(); share < c.CoveragePercent {
			told[k.Side] = true
			out = append(out, alarm.Condition{Code: "coverage_low", About: string(k.Side), Priority: inspection.MediumPriority, Values: map[string]string{
				"side": string(k.Side), "coil": string(st.Coil.ID), "percent": strconv.FormatFloat(share, 'f', 1, 64),
			}})
		}
	}
	if free, ok := d.free(st.Time); ok && free < c.DiskFreeGB {
		out = append(out, alarm.Condition{Code: "disk_low", Priority: inspection.HighPriority, Values: map[string]string{"free_gb": strconv.FormatFloat(free, 'f', 1, 64)}})
	}
	return out
}

// free is the room on the record's disk in GB, as of the last look.
func (d *alarmDesk) free(now time.Time) (gb float64, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.diskAt) >= diskEvery {
		var s syscall.Statfs_t
		if syscall.Statfs(d.a.o.Config.Data, &s) != nil {
			return 0, false
		}
		d.diskAt, d.diskFree = now, float64(s.Bavail)*float64(s.Bsize)/1e9
	}
	return d.diskFree, true
}

// Alarms are what stands and what was set aside.
func (d *alarmDesk) Alarms() (out web.AlarmList) {
	out.Standing, out.Flood = d.book.Standing()
	out.Aside = d.book.Aside()
	out.Rules = d.atWork()
	return out
}

// AlarmHistory reads the history, the newest first. Who was told of an alarm finds it there.
func (d *alarmDesk) AlarmHistory(ctx context.Context, before int64, code string, limit int) ([]inspection.AlarmRecord, error) {
	if before == 0 {
		d.written(ctx)
	}
	return d.a.store.Alarms(ctx, before, code, limit)
}

// written waits for what happened before to be in the history, for a while: a disk that hangs keeps nobody from what is there.
func (d *alarmDesk) written(ctx context.Context) {
	done := make(chan struct{})
	late := time.NewTimer(historyWithin)
	defer late.Stop()
	select {
	case d.writes <- alarmWrite{done: done}:
	default: // as many wait as can
		return
	}
	select {
	case <-done:
	case <-late.C:
	case <-ctx.Done():
	}
}

// Command does what a person wants of an alarm.
func (d *alarmDesk) Command(key string, c web.AlarmCommand) (inspection.AlarmRecord, error) {
	r, err := d.book.Do(time.Now(), key, alarm.Command{Event: c.Event, By: c.By, Reason: c.Reason, For: time.Duration(c.Minutes) * time.Minute})
	if err == nil {
		d.happened([]inspection.AlarmRecord{r})
	}
	return r, err
}
