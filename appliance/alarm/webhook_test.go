package alarm

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

func TestWebhookTriesAgainAndKeepsTheOrder(t *testing.T) {
	var mu sync.Mutex
	var got []string
	refuse := 2
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if refuse > 0 {
			refuse--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var r inspection.AlarmRecord
		if err := json.NewDecoder(q.Body).Decode(&r); err != nil || q.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%v, %v", err, q.Header)
		}
		if got = append(got, r.Key); len(got) == 3 {
			close(done)
		}
	}))
	defer server.Close()
	h := NewWebhook(server.URL, slog.New(slog.DiscardHandler))
	h.again = []time.Duration{time.Millisecond, time.Millisecond}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go h.Run(ctx)
	for _, key := range []string{"a", "b", "c"} {
		h.Send(inspection.AlarmRecord{Key: key, Event: inspection.AlarmRaised})
	}
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
	mu.Lock()
	defer mu.Unlock()
	if s := strings.Join(got, ""); s != "abc" {
		t.Errorf("got %q, want abc", s)
	}
}

func TestWebhookThatDoesNotAnswerHoldsNobodyUp(t *testing.T) {
	h := NewWebhook("http://127.0.0.1:1/", slog.New(slog.DiscardHandler))
	begun := time.Now()
	for range 2 * webhookBacklog {
		h.Send(inspection.AlarmRecord{Key: "a"})
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("sending took %v", took)
	}
	for _, to := range []string{"", "ftp://x", "http://", "plant.local/alarms"} {
		if CheckWebhook(to) == nil {
			t.Errorf("%q is taken for an address", to)
		}
	}
}

func TestWebhookThatIsSentElsewhereIsNotTold(t *testing.T) {
	// A client that follows 301 asks there with GET, and without the record.
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer elsewhere.Close()
	moved := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusMovedPermanently))
	defer moved.Close()
	h := NewWebhook(moved.URL, slog.New(slog.DiscardHandler))
	if err := h.try(t.Context(), inspection.AlarmRecord{Key: "a"}); err == nil || !strings.Contains(err.Error(), "301") {
		t.Errorf("got %v, want that the address answers 301", err)
	}
}
