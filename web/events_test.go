package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// received is one event as a browser would see it.
type received struct{ id, kind, data string }

// stream opens the event stream over a real connection.
func stream(t *testing.T, url, last string) (next func() received, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %v", res.Status, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	next = func() (e received) {
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.kind = value
			case "data":
				e.data = value
			case "":
				if e != (received{}) {
					return e
				}
			}
		}
		return e
	}
	return next, func() {
		cancel()
		_ = res.Body.Close()
	}
}

func publish(t *testing.T, h *Hub, kind string, data any) {
	t.Helper()
	if err := h.Publish(kind, data); err != nil {
		t.Fatal(err)
	}
}

func TestEventsArriveAndGoOnAfterTheLastOne(t *testing.T) {
	f := newFixture(t)
	server := httptest.NewServer(f)
	defer server.Close()
	defer f.hub.Close()
	defer http.DefaultClient.CloseIdleConnections()

	next, stop := stream(t, server.URL, "")
	publish(t, f.hub, "status", Live{Model: "first v1"})
	publish(t, f.hub, "defect", inspection.Defect{ID: 7})
	first, second := next(), next()
	if first.kind != "status" || strings.Contains(first.data, "null") || second.kind != "defect" {
		t.Errorf("received %+v, %+v", first, second)
	}
	var d inspection.Defect
	if err := json.Unmarshal([]byte(second.data), &d); err != nil || d.ID != 7 {
		t.Errorf("defect %+v, %v", d, err)
	}
	stop()

	publish(t, f.hub, "defect", inspection.Defect{ID: 8})
	next, stop = stream(t, server.URL, first.id)
	if a, b := next(), next(); a != second || !strings.Contains(b.data, `"id":8`) {
		t.Errorf("after %s came %+v, %+v; want what followed", first.id, a, b)
	}
	stop()

	for range 5 { // more than the ring holds
		publish(t, f.hub, "status", Live{})
	}
	for name, last := range map[string]string{"too old": first.id, "of an earlier process": "12", "never given": "9007199254740991"} {
		next, stop = stream(t, server.URL, last)
		if e := next(); e.kind != "resync" || e.id != fmt.Sprint(f.hub.Newest()) {
			t.Errorf("%s: %+v; want a resync to %d", name, e, f.hub.Newest())
		}
		stop()
	}

	res := get(t, f, "/api/v1/events", "Last-Event-ID", "yesterday")
	if res.Code != http.StatusUnprocessableEntity || !strings.Contains(res.Body.String(), "header.Last-Event-ID") {
		t.Errorf("a number that is none: %d %s", res.Code, res.Body)
	}
}

func TestStreamEndsWhenTheServerStops(t *testing.T) {
	f := newFixture(t)
	server := httptest.NewUnstartedServer(nil)
	server.Config = NewServer(f, f.hub)
	server.Start()
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	next, stop := stream(t, server.URL, "")
	defer stop()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil {
		t.Errorf("the stream held the server up: %v", err)
	}
	if e := next(); e != (received{}) {
		t.Errorf("received %+v", e)
	}
	if w := get(t, f, "/api/v1/events"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a stream of a stopped server: %d", w.Code)
	}
}

func TestSlowClientIsToldToResyncAndCutOff(t *testing.T) {
	h := NewHub(10, 2)
	slow, _, err := h.Subscribe(0, false)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	for i := range 3 { // one more than it may lag
		publish(t, h, "status", i)
	}
	if n := h.Clients(); n != 0 {
		t.Fatalf("%d clients; the slow one must be cut off", n)
	}
	w := httptest.NewRecorder()
	(&eventWriter{w: w, rc: http.NewResponseController(w)}).stream(t.Context(), slow, false, h.Newest)
	body := w.Body.String()
	if strings.Count(body, "event: status") != 2 || !strings.HasSuffix(body, resyncText(h.Newest())) {
		t.Errorf("the client saw:\n%s", body)
	}
}

func TestPublishingNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(10, 3)
		s, _, err := h.Subscribe(0, false)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range 100 {
			publish(t, h, "status", Live{}) // would be a deadlock of the bubble if it blocked
		}
		if err := h.Publish("status", func() {}); err == nil {
			t.Error("what cannot be JSON was published")
		}
		h.Close()
		publish(t, h, "status", Live{})
	})
}

func TestQuietStreamHasAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(10, 3)
		s, _, err := h.Subscribe(0, false)
		if err != nil {
			t.Fatal(err)
		}
		r, w := io.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer w.Close()
			rec := &pipeWriter{httptest.NewRecorder(), w}
			(&eventWriter{w: rec, rc: http.NewResponseController(rec)}).stream(t.Context(), s, false, h.Newest)
		}()
		lines := bufio.NewScanner(r)
		began := time.Now()
		for lines.Scan() {
			if lines.Text() == ": still here" {
				break
			}
		}
		if d := time.Since(began); d != heartbeat {
			t.Errorf("first heartbeat after %v; want %v", d, heartbeat)
		}
		h.Close()
		_, _ = io.Copy(io.Discard, r)
		<-done
	})
}

// pipeWriter is a response that is read as it is written.
type pipeWriter struct {
	*httptest.ResponseRecorder
	w io.Writer
}

func (p *pipeWriter) Write(b []byte) (int, error)       { return p.w.Write(b) }
func (p *pipeWriter) WriteString(s string) (int, error) { return io.WriteString(p.w, s) }

func TestReplayHoldsExactlyWhatFollowed(t *testing.T) {
	for ring := 1; ring <= 5; ring++ {
		h := NewHub(ring, 1)
		start := h.Newest()
		for n := range int64(8) {
			for last := start - 2; last <= start+n+2; last++ {
				replay, missed := h.since(last)
				wantMissed := last > start+n || last < max(start, start+n-int64(ring))
				if missed != wantMissed {
					t.Fatalf("ring %d after %d events, since %d: missed %v; want %v", ring, n, last-start, missed, wantMissed)
				}
				for i, e := range replay {
					if e.seq != last+int64(i)+1 {
						t.Fatalf("ring %d after %d events, since %d: %d at %d", ring, n, last-start, e.seq-start, i)
					}
				}
				if !missed && int64(len(replay)) != start+n-last {
					t.Fatalf("ring %d after %d events, since %d: %d events", ring, n, last-start, len(replay))
				}
			}
			publish(t, h, "status", n)
		}
	}
}
