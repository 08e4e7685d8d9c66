package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// AlarmDesk is what stands, and what people say of it. Errors of Command are *inspection.NotFoundError, *inspection.ConflictError
// (the alarm is in no state for it) and *inspection.FieldError, as are those of rules that are not possible.
type AlarmDesk interface {
	Alarms() AlarmList
	// AlarmHistory reads up to limit lines older than before (0: all), the newest first.
	AlarmHistory(ctx context.Context, before int64, code string, limit int) ([]inspection.AlarmRecord, error)
	Command(key string, c AlarmCommand) (inspection.AlarmRecord, error)
	// AlarmRuleVersions are all that were published, the newest first.
	AlarmRuleVersions(ctx context.Context) ([]inspection.AlarmRules, error)
	// TestAlarmRules looks at the newest coils that have ended, at most so many.
	TestAlarmRules(ctx context.Context, rules []inspection.AlarmRule, coils int) (AlarmRulesTest, error)
	// PublishAlarmRules puts the next version to work; another version than the next is a *inspection.ConflictError.
	PublishAlarmRules(ctx context.Context, r inspection.AlarmRules) (inspection.AlarmRules, error)
}

// AlarmList is what stands.
type AlarmList struct {
	Standing []inspection.Alarm    `json:"standing" doc:"Those that nobody acknowledged first, then by priority"`
	Aside    []inspection.Alarm    `json:"aside" doc:"Shelved or out of service"`
	Flood    bool                  `json:"flood" doc:"More than 10 were raised within 10 minutes; screens group the less urgent ones"`
	Rules    inspection.AlarmRules `json:"rules" doc:"What makes an alarm of defects"`
}

// AlarmRulesRequest publishes rules.
type AlarmRulesRequest struct {
	Version int                    `json:"version" minimum:"1" doc:"The one after the newest"`
	By      string                 `json:"by" minLength:"1" maxLength:"64" doc:"The name of the person"`
	Note    string                 `json:"note,omitempty" maxLength:"500" doc:"What changed and why"`
	Rules   []inspection.AlarmRule `json:"rules"`
}

// AlarmRulesTestRequest asks what rules would have made of past coils.
type AlarmRulesTestRequest struct {
	Rules []inspection.AlarmRule `json:"rules"`
	Coils int                    `json:"coils,omitempty" minimum:"1" maximum:"500" default:"200"`
}

// AlarmRulesTest says what rules would have made of past coils.
type AlarmRulesTest struct {
	Coils   int                         `json:"coils" doc:"That were looked at"`
	Skipped int                         `json:"skipped" doc:"Coils that were left out to answer in time"`
	Minutes float64                     `json:"minutes" doc:"How long they ran"`
	Before  []inspection.AlarmRuleTally `json:"before" doc:"By the rules at work"`
	After   []inspection.AlarmRuleTally `json:"after" doc:"By those of the request"`
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
		l.Standing, l.Aside, l.Rules = list(l.Standing), list(l.Aside), neverNullRules(l.Rules)
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

type alarmRulesOutput struct {
	Body struct {
		Versions []inspection.AlarmRules `json:"versions"`
	}
}

func (a *api) registerAlarmRules() {
	tags := []string{"alarms"}
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-alarm-rules", Method: http.MethodGet, Path: "/api/v1/alarms/rules", Tags: tags,
		Summary: "List the published versions of the rules that make alarms of defects, the newest first",
		Errors:  []int{http.StatusInternalServerError},
	}, func(ctx context.Context, _ *struct{}) (*alarmRulesOutput, error) {
		versions, err := a.Alarms.AlarmRuleVersions(ctx)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		out := new(alarmRulesOutput)
		out.Body.Versions = list(versions)
		for i, v := range out.Body.Versions {
			out.Body.Versions[i] = neverNullRules(v)
		}
		return out, nil
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "test-alarm-rules", Method: http.MethodPost, Path: "/api/v1/alarms/rules/test", Tags: tags,
		Summary:     "See what rules would have made of past coils",
		Description: "Looks at the newest coils that have ended, by what the model said while they ran. Nothing is kept. 422 names what is wrong with the rules.",
		Errors:      []int{http.StatusUnprocessableEntity, http.StatusInternalServerError}, MaxBodyBytes: maxBody,
	}, func(ctx context.Context, in *struct{ Body AlarmRulesTestRequest }) (*struct{ Body AlarmRulesTest }, error) {
		t, err := a.Alarms.TestAlarmRules(ctx, in.Body.Rules, in.Body.Coils)
		t.Before, t.After = list(t.Before), list(t.After)
		return answer(ctx, a, t, err)
	})
	huma.Register(a.huma, huma.Operation{
		OperationID: "publish-alarm-rules", Method: http.MethodPost, Path: "/api/v1/alarms/rules", Tags: tags,
		Summary:       "Publish the next version of the rules that make alarms of defects",
		Description:   "They are at work at once and after a restart, in place of the configuration's. A version never changes. 409 where the version is not the next: somebody else published meanwhile.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxBody,
		Errors: []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, func(ctx context.Context, in *struct{ Body AlarmRulesRequest }) (*struct{ Body inspection.AlarmRules }, error) {
		by, err := person(in.Body.By)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		r, err := a.Alarms.PublishAlarmRules(ctx, inspection.AlarmRules{Version: in.Body.Version, By: by, Note: strings.TrimSpace(in.Body.Note), Rules: in.Body.Rules})
		return answer(ctx, a, neverNullRules(r), err)
	})
}

func neverNullRules(r inspection.AlarmRules) inspection.AlarmRules {
	r.Rules = slices.Clone(list(r.Rules)) // the desk's own
	for i := range r.Rules {
		r.Rules[i].Classes = list(r.Rules[i].Classes)
	}
	return r
}
