package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// AlarmDesk is what stands, and what people say of it. Errors of Command are *inspection.NotFoundError, *inspection.ConflictError
// (the alarm is in no state for it) and *inspection.FieldError.
type AlarmDesk interface {
	Alarms() AlarmList
	// AlarmHistory reads up to limit lines older than before (0: all), the newest first.
	AlarmHistory(ctx context.Context, before int64, code string, limit int) ([]inspection.AlarmRecord, error)
	Command(key string, c AlarmCommand) (inspection.AlarmRecord, error)
}

// AlarmList is what stands.
type AlarmList struct {
	Standing []inspection.Alarm `json:"standing" doc:"Those that nobody acknowledged first, then by priority"`
	Aside    []inspection.Alarm `json:"aside" doc:"Shelved or out of service"`
	Flood    bool               `json:"flood" doc:"More than 10 were raised within 10 minutes; screens group the less urgent ones"`
	Rules    []AlarmRule        `json:"rules" doc:"What makes an alarm of defects, by the configuration"`
}

// AlarmRule makes an alarm of defects.
type AlarmRule struct {
	ID            string                   `json:"id"`
	Classes       []inspection.DefectClass `json:"classes" doc:"Empty: all"`
	Side          inspection.Side          `json:"side,omitempty" doc:"Absent: both"`
	MinSeverity   inspection.Severity      `json:"min_severity"`
	MinConfidence float32                  `json:"min_confidence"`
	MinLength     inspection.MM            `json:"min_length_mm"`
	Count         int                      `json:"count"`
	Within        float64                  `json:"within_m" doc:"Metres of strip that hold so many; with a count of 1 each is an alarm"`
	Priority      inspection.AlarmPriority `json:"priority" enum:"high,medium,low"`
}

// AlarmCommand is what a person wants of an alarm.
type AlarmCommand struct {
	Event   inspection.AlarmEvent `json:"event" enum:"acknowledged,shelved,unshelved,out_of_service,in_service" doc:"What it is to become"`
	By      string                `json:"by" minLength:"1" maxLength:"64" doc:"The name of the person"`
	Reason  string                `json:"reason,omitempty" maxLength:"500" doc:"Needed to shelve and to put out of service"`
	Minutes int                   `json:"minutes,omitempty" minimum:"1" maximum:"720" doc:"How long it is shelved"`
}

type alarmsOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         AlarmList
}

type alarmHistoryOutput struct {
	Body struct {
		Records []inspection.AlarmRecord `json:"records"`
	}
}

func (a *api) registerAlarms() {
	tags := []string{"alarms"}
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-alarms", Method: http.MethodGet, Path: "/api/v1/alarms", Tags: tags,
		Summary: "List the alarms that stand, those set aside, and the rules",
	}, func(context.Context, *struct{}) (*alarmsOutput, error) {
		l := a.Alarms.Alarms()
		l.Standing, l.Aside, l.Rules = list(l.Standing), list(l.Aside), list(l.Rules)
		for i := range l.Rules {
			l.Rules[i].Classes = list(l.Rules[i].Classes)
		}
		return &alarmsOutput{"no-cache", l}, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-alarm-history", Method: http.MethodGet, Path: "/api/v1/alarms/history", Tags: tags,
		Summary: "Read what became of alarms, the newest first",
	}, func(ctx context.Context, in *struct {
		Before int64  `query:"before" minimum:"0" doc:"Lines older than this seq; 0: from the newest"`
		Code   string `query:"code" maxLength:"64" doc:"Of this code alone"`
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	},
	) (*alarmHistoryOutput, error) {
		records, err := a.Alarms.AlarmHistory(ctx, in.Before, in.Code, in.Limit)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		out := new(alarmHistoryOutput)
		out.Body.Records = list(records)
		return out, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "command-alarm", Method: http.MethodPost, Path: "/api/v1/alarms/{key}", Tags: tags,
		Summary:     "Acknowledge an alarm, shelve it for a time, put it out of service, or bring it back",
		Description: "409 where the alarm is in no state for it. What was shelved comes back by itself; what is out of service does not. Both outlive a restart.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}, MaxBodyBytes: maxBody,
	}, func(ctx context.Context, in *struct {
		Key  string `path:"key" maxLength:"200"`
		Body AlarmCommand
	},
	) (*struct{ Body inspection.AlarmRecord }, error) {
		by, err := person(in.Body.By)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		in.Body.By, in.Body.Reason = by, strings.TrimSpace(in.Body.Reason)
		r, err := a.Alarms.Command(in.Key, in.Body)
		return answer(ctx, a, r, err)
	})
}
