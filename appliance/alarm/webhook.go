package alarm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// webhookBacklog records wait for an address that does not answer; more are lost there, and logged.
	webhookBacklog = 256
	webhookWithin  = 5 * time.Second
)

// webhookAgain is how long to wait before each further try.
var webhookAgain = []time.Duration{time.Second, 5 * time.Second, 25 * time.Second}

// Webhook posts what becomes of alarms to an address as JSON, an inspection.AlarmRecord each, in order.
type Webhook struct {
	to     string
	log    *slog.Logger
	client http.Client
	queue  chan inspection.AlarmRecord
	again  []time.Duration
}

// CheckWebhook reports whether an address can be posted to.
func CheckWebhook(to string) error {
	u, err := url.Parse(to)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return &inspection.FieldError{Field: "webhooks", Reason: fmt.Sprintf("%q is not an address; allowed are http://HOST/PATH and https://HOST/PATH", to)}
	}
	return nil
}

// NewWebhook makes one for an address that can be posted to.
func NewWebhook(to string, log *slog.Logger) *Webhook {
	// Followed, a redirection would become a GET without the record, whose answer looks like success.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Webhook{to: to, log: log, client: http.Client{Timeout: webhookWithin, CheckRedirect: stay}, queue: make(chan inspection.AlarmRecord, webhookBacklog), again: webhookAgain}
}

// Send queues a record. It never waits.
func (h *Webhook) Send(r inspection.AlarmRecord) {
	select {
	case h.queue <- r:
	default:
		h.log.Error("an alarm could not be told", "address", h.to, "alarm", r.Key, "event", r.Event, "reason", "too many wait already")
	}
}

// Run posts until ctx ends.
func (h *Webhook) Run(ctx context.Context) {
	for {
		select {
		case r := <-h.queue:
			h.post(ctx, r)
		case <-ctx.Done():
			return
		}
	}
}

// post tries until the address takes the record or all tries are used.
func (h *Webhook) post(ctx context.Context, r inspection.AlarmRecord) {
	for i := 0; ; i++ {
		err := h.try(ctx, r)
		if err == nil || ctx.Err() != nil {
			return
		}
		if i == len(h.again) {
			h.log.Error("an alarm could not be told", "address", h.to, "alarm", r.Key, "event", r.Event, "error", err)
			return
		}
		select {
		case <-time.After(h.again[i]):
		case <-ctx.Done():
			return
		}
	}
}

func (h *Webhook) try(ctx context.Context, r inspection.AlarmRecord) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, h.to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	answer, err := h.client.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<16)) // so that the connection is used again
	if answer.StatusCode >= 300 {
		return fmt.Errorf("it answers %s", answer.Status)
	}
	return nil
}
