package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// maxWait bounds a long poll: proxies on plant networks cut quiet connections after 30 s.
	maxWait = 25 * time.Second
	// maxWaiters bounds long polls under way: an MES, a few adapters and their retries.
	maxWaiters = 64
)

// ConsumerCursor is how far a consumer has acknowledged the change log.
type ConsumerCursor struct {
	Consumer string `json:"consumer"`
	Acked    int64  `json:"acked_seq"`
}

// CursorRequest acknowledges changes.
type CursorRequest struct {
	Acked  int64 `json:"acked_seq" minimum:"0" doc:"Everything up to this number has been taken over"`
	Rewind bool  `json:"rewind,omitempty" doc:"Allow going back, to take changes over again"`
}

func (a *api) registerChanges() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "list-changes", Method: http.MethodGet, Path: "/api/v1/changes", Tags: []string{"changes"},
		Summary:     "Follow the change log",
		Description: "Entries after a sequence number, in commit order: a number is never skipped and never given twice. Take over each entry by (subject, revision), acknowledge, and go on after next_after. With wait, an empty answer is held back until something changes. 410 says that entries were cut away; read the coils anew then.",
		Errors:      []int{http.StatusGone, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable},
	}, a.listChanges)
	huma.Register(a.huma, huma.Operation{
		OperationID: "set-cursor", Method: http.MethodPut, Path: "/api/v1/consumers/{consumer}/cursor", Tags: []string{"changes"},
		Summary:     "Acknowledge changes",
		Description: "Registers the consumer at first sight. What a registered consumer has not acknowledged is not cut away. Going back is a conflict (409) unless rewind is set.",
		Errors:      commandErrors(), MaxBodyBytes: maxBody,
	}, a.setCursor)
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-cursor", Method: http.MethodGet, Path: "/api/v1/consumers/{consumer}/cursor", Tags: []string{"changes"},
		Summary: "Read how far a consumer has acknowledged",
		Errors:  []int{http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusInternalServerError},
	}, a.getCursor)
}

type listChangesInput struct {
	After int64  `query:"after" minimum:"0" default:"0" doc:"Sequence number to go on after; 0 begins with the oldest"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"500"`
	Wait  string `query:"wait" maxLength:"8" default:"0" doc:"Seconds to wait for a change when there is none yet, 0 to 25; 25 and 25s mean the same"`
}

type listChangesOutput struct{ Body inspection.ChangePage }

func (a *api) listChanges(ctx context.Context, in *listChangesInput) (*listChangesOutput, error) {
	seconds, err := strconv.ParseUint(strings.TrimSuffix(in.Wait, "s"), 10, 16)
	wait := time.Duration(seconds) * time.Second
	if err != nil || wait > maxWait {
		return nil, a.fail(ctx, &inspection.FieldError{
			Field:  "query.wait",
			Reason: fmt.Sprintf("%q is not allowed; allowed are whole seconds from 0 to %.0f", in.Wait, maxWait.Seconds()),
		})
	}
	page, err := a.changes(ctx, in.After, in.Limit, wait)
	if err != nil {
		return nil, err
	}
	page.Changes = list(page.Changes)
	return &listChangesOutput{page}, nil
}

// changes reads one page; where it is empty it waits for the next commit and reads again.
func (a *api) changes(ctx context.Context, after int64, limit int, wait time.Duration) (inspection.ChangePage, error) {
	var timeout <-chan time.Time
	for {
		committed := a.Changes.Committed() // taken before reading: a commit in between is seen
		page, err := a.Changes.Changes(ctx, after, limit)
		if err != nil {
			return page, a.fail(ctx, err)
		}
		if len(page.Changes) > 0 || wait <= 0 {
			return page, nil
		}
		if timeout == nil {
			select {
			case a.waiting <- struct{}{}:
				defer func() { <-a.waiting }()
			default:
				return page, a.busy(fmt.Sprintf("%d consumers are waiting already", maxWaiters))
			}
			t := time.NewTimer(wait)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-committed:
		case <-timeout:
			return page, nil
		case <-a.Hub.Done(): // the server stops: answer now
			return page, nil
		case <-ctx.Done():
			return page, a.fail(ctx, ctx.Err())
		}
	}
}

// ConsumerPath names a reader of the change log.
type ConsumerPath struct {
	Consumer string `path:"consumer" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9_-][A-Za-z0-9._-]*$" patternDescription:"1 to 64 of A-Z a-z 0-9 . _ - without a leading dot"`
}

type setCursorInput struct {
	ConsumerPath
	Body CursorRequest
}

type cursorOutput struct{ Body ConsumerCursor }

func (a *api) setCursor(ctx context.Context, in *setCursorInput) (*cursorOutput, error) {
	if err := a.Changes.SetCursor(ctx, in.Consumer, in.Body.Acked, in.Body.Rewind); err != nil {
		return nil, a.fail(ctx, err)
	}
	return &cursorOutput{ConsumerCursor{in.Consumer, in.Body.Acked}}, nil
}

func (a *api) getCursor(ctx context.Context, in *ConsumerPath) (*cursorOutput, error) {
	acked, err := a.Changes.Cursor(ctx, in.Consumer)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &cursorOutput{ConsumerCursor{in.Consumer, acked}}, nil
}
