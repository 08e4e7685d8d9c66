package appliance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/coilsight/coilsight/appliance/teach"
	"github.com/coilsight/coilsight/inspection"
	"github.com/coilsight/coilsight/web"
)

// teachDesk is what the pages see and command of the plant's teachings.
type teachDesk struct {
	config Config
	desk   *modelDesk

	// answering keeps a second person's answers out while the first's are checked: each takes a model of its own.
	answering sync.Mutex
}

// Teachings lists every version, the newest first.
func (d *teachDesk) Teachings() (out web.TeachingList, err error) {
	shelf := d.config.Teachings()
	active, err := shelf.Active()
	if err != nil {
		return out, err
	}
	all, err := shelf.List()
	if err != nil {
		return out, err
	}
	e := d.desk.engine()
	out = web.TeachingList{
		Revision: active.Revision, Active: activation(active.Activation), Refused: d.desk.Models().Refused,
		LearnCommand: d.learnCommand(),
	}
	if p, ok := active.Previous(); ok {
		before := activation(p)
		out.Previous = &before
	}
	if e.Taught != nil {
		out.AtWork = e.Taught.ID()
	}
	fits := teach.Fitting(e.Bundle)
	for _, l := range all {
		if l.Fault != nil {
			out.Unreadable = append(out.Unreadable, web.UnreadableFile{ID: l.ID, Reason: l.Fault.Error()})
			continue
		}
		out.Teachings = append(out.Teachings, summary(l.Taught, fits(l.Taught)))
	}
	slices.SortStableFunc(out.Teachings, func(a, b web.Teaching) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.Version, a.Version))
	})
	return out, nil
}

func activation(a teach.Activation) web.TeachingActivation {
	return web.TeachingActivation{ID: a.ID, At: a.At, By: a.By}
}

// learnCommand is what a person types on the appliance. Learning takes a whole core for as long as it lasts, and
// reads folders that its caller names: neither is for a page beside a line that runs.
func (d *teachDesk) learnCommand() string {
	data, err := filepath.Abs(d.config.Data)
	if err != nil {
		data = d.config.Data
	}
	return fmt.Sprintf("coilsight teach learn --data %q --mm-per-px %g --name line-1 STRIPS", data, float64(d.config.Mill.MMPerPixel))
}

// Teaching is one version.
func (d *teachDesk) Teaching(id string) (web.TeachingDetail, error) {
	t, _, err := d.config.Teachings().Open(id)
	if err != nil {
		return web.TeachingDetail{}, mistake(err, id, "id")
	}
	return detail(t, t.Fits(d.desk.engine().Bundle)), nil
}

// QuestionPicture is the crop of a question.
func (d *teachDesk) QuestionPicture(id string, number int) ([]byte, error) {
	return d.picture(id, func(t *teach.Taught) ([]byte, error) { return d.config.Teachings().Crop(t, number) })
}

// TeachingPicture is what is reported before and after.
func (d *teachDesk) TeachingPicture(id string) ([]byte, error) {
	return d.picture(id, d.config.Teachings().Montage)
}

func (d *teachDesk) picture(id string, read func(*teach.Taught) ([]byte, error)) ([]byte, error) {
	t, _, err := d.config.Teachings().Open(id)
	if err != nil {
		return nil, mistake(err, id, "id")
	}
	png, err := read(t)
	var notThere *teach.NotThereError
	if errors.As(err, &notThere) {
		return nil, &inspection.NotFoundError{Noun: "picture of teaching", ID: id}
	}
	return png, err
}

// AnswerTeaching makes the next version.
func (d *teachDesk) AnswerTeaching(ctx context.Context, id, by string, answers []web.TeachingAnswer) (web.TeachingDetail, error) {
	var none web.TeachingDetail
	said := map[int]string{}
	for _, a := range answers {
		if _, twice := said[a.Number]; twice {
			return none, &inspection.FieldError{Field: "answers", Reason: fmt.Sprintf("question %d is answered twice", a.Number)}
		}
		said[a.Number] = a.Answer
	}
	from, _, err := d.config.Teachings().Open(id)
	if err != nil {
		return none, mistake(err, id, "id")
	}
	if !d.answering.TryLock() {
		return none, &inspection.ConflictError{Noun: "teaching", ID: id, Reason: "cannot take answers while another person's are checked; try again in a minute"}
	}
	defer d.answering.Unlock()
	t, err := AnswerTaught(ctx, d.config, teach.AnswerOptions{From: from, Answers: said, By: by, Now: time.Now()})
	if err != nil {
		return none, mistake(err, id, "answers")
	}
	return detail(t, t.Fits(d.desk.engine().Bundle)), nil
}

// ActivateTeaching takes a version into use at the next coil.
func (d *teachDesk) ActivateTeaching(id, by string, revision int) error {
	return mistake(ActivateTaught(d.config, id, changeBy(by, revision)), id, "id")
}

// RollBackTeaching takes into use what was so before.
func (d *teachDesk) RollBackTeaching(by string, revision int) error {
	_, err := RollBackTaught(d.config, changeBy(by, revision))
	return err
}

// StopTeaching goes on without one.
func (d *teachDesk) StopTeaching(by string, revision int) error {
	return d.config.Teachings().Off(changeBy(by, revision))
}

func changeBy(by string, revision int) teach.Change {
	return teach.Change{By: by, At: time.Now(), Revision: revision}
}

// mistake tells what a person asked for wrongly from what failed.
func mistake(err error, id, field string) error {
	var notThere *teach.NotThereError
	var refused *teach.RefusedError
	switch {
	case errors.As(err, &notThere):
		return &inspection.NotFoundError{Noun: "teaching", ID: id}
	case errors.As(err, &refused):
		return &inspection.FieldError{Field: field, Reason: refused.Error()}
	}
	return err
}

// summary is a version in figures; unfit is why the model cannot use it.
func summary(t *teach.Taught, unfit error) web.Teaching {
	s := web.Teaching{
		ID: t.ID(), Name: t.Name, Version: t.Version, From: t.From, Created: t.Created, By: t.By, Model: t.Model,
		Strip: web.TaughtStrip{
			Pictures: len(t.Pictures), Metres: t.Metres, MMPerPixel: float64(t.MMPerPixel), Continuous: t.Continuous,
		},
		Before: counted(t.Before, t.Metres), After: counted(t.After, t.Metres),
		Golden: web.TaughtGolden{SetIn: t.Golden.SetIn, Before: t.Golden.Before, After: t.Golden.After},
		Looks:  len(t.Looks), Asked: len(t.Questions), Answered: len(t.Answers),
	}
	if unfit != nil {
		s.Unfit = unfit.Error()
	}
	for _, p := range t.Pictures {
		if dir := filepath.Dir(p.Path); !slices.Contains(s.Strip.Folders, dir) {
			s.Strip.Folders = append(s.Strip.Folders, dir)
		}
	}
	for _, l := range t.Scales {
		if l.Factor != 1 {
			s.Limits = append(s.Limits, web.TaughtLimit{Measure: l.Measure, Factor: float64(l.Factor)})
		}
	}
	return s
}

func counted(c teach.Count, metres float64) web.TaughtCount {
	out := web.TaughtCount{Found: c.Found, Reported: c.Reported}
	if metres > 0 {
		out.PerMetre = float64(c.Reported) / metres
	}
	return out
}

func detail(t *teach.Taught, unfit error) web.TeachingDetail {
	out := web.TeachingDetail{Teaching: summary(t, unfit)}
	for _, l := range t.GivenBack {
		out.GivenBack = append(out.GivenBack, web.TaughtLimit{Measure: l.Measure, Factor: float64(l.Factor)})
	}
	classes := t.Before.Classes(t.After)
	for _, c := range slices.Sorted(maps.Keys(t.Golden.ByClass)) {
		if !slices.Contains(classes, c) {
			classes = append(classes, c)
		}
	}
	for _, c := range classes {
		g := t.Golden.ByClass[c]
		out.Classes = append(out.Classes, web.TaughtClass{
			Class: c, Before: t.Before.ByClass[c], After: t.After.ByClass[c],
			GoldenSetIn: g.SetIn, GoldenBefore: g.Before, GoldenAfter: g.After,
		})
	}
	mm := float64(t.MMPerPixel)
	for _, r := range t.Recurring {
		out.Recurring = append(out.Recurring, web.TaughtRecurring{Class: r.Region.Verdict, Across: r.Across, Members: r.Members, Every: r.EveryLines * mm})
	}
	for _, q := range t.Questions {
		r := q.Region
		asked := web.TeachingQuestion{
			Number: q.Number, Why: q.Why, Class: r.Verdict, Confidence: float64(r.Confidence), Alike: q.Alike, Picture: filepath.Base(q.Picture),
			Across: r.Across, Along: float64(r.Y) * mm, Length: float64(r.Height) * mm, Width: float64(r.Width) * mm,
		}
		for _, a := range t.Answers {
			if a.Number == q.Number {
				asked.Answer, asked.By = a.Answer, a.By
			}
		}
		out.Questions = append(out.Questions, asked)
	}
	return out
}
