package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/coilsight/coilsight/inspection"
)

const (
	// heartbeat keeps proxies from cutting a quiet stream and finds clients that are gone.
	heartbeat = 15 * time.Second
	// writeTimeout is how long one write to a client may take before it counts as gone.
	writeTimeout = 10 * time.Second
	// maxStreams bounds the clients of the event stream: every screen of a mill, and some.
	maxStreams = 128
)

func (a *api) registerEvents() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "stream-events", Method: http.MethodGet, Path: "/api/v1/events", Tags: []string{"live"},
		Summary:     "Follow the line as it runs (server-sent events)",
		Description: "Events: status (Live), defect (Defect), coil (Coil), alarm (AlarmRecord), and resync (no data), which says that events were missed: read anew what you show. The id of an event is its number; send it back in Last-Event-ID to go on after it. A client that does not keep up gets resync and is cut off. A comment line comes every 15 s when nothing else does.",
		Responses: map[string]*huma.Response{"200": {
			Description: "The stream; data of each event is one of these",
			Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{OneOf: []*huma.Schema{
				a.schemaOf(Live{}), a.schemaOf(inspection.Defect{}), a.schemaOf(inspection.Coil{}), a.schemaOf(inspection.AlarmRecord{}),
			}}}},
		}},
		Errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, a.streamEvents)
}

type eventsInput struct {
	LastEventID string `header:"Last-Event-ID" maxLength:"20" doc:"Number of the last event already there"`
}

func (a *api) streamEvents(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	var last int64
	if in.LastEventID != "" {
		n, err := strconv.ParseInt(in.LastEventID, 10, 64)
		if err != nil {
			return nil, problemOf(http.StatusUnprocessableEntity, "Last-Event-ID is not the number of an event",
				&huma.ErrorDetail{Message: "not a whole number", Location: "header.Last-Event-ID", Value: in.LastEventID})
		}
		last = n
	}
	if a.Hub.Clients() >= maxStreams {
		return nil, a.busy(fmt.Sprintf("%d clients follow the events already", maxStreams))
	}
	sub, missed, err := a.Hub.Subscribe(last, in.LastEventID != "")
	if err != nil {
		return nil, a.busy(err.Error())
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer sub.Close()
		c := humagin.Unwrap(hc)
		h := c.Writer.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no")
		c.Status(http.StatusOK)
		w := &eventWriter{w: c.Writer, rc: http.NewResponseController(c.Writer)}
		w.stream(ctx, sub, missed, a.Hub.Newest)
	}}, nil
}

func (a *api) busy(detail string) error {
	return huma.ErrorWithHeaders(problemOf(http.StatusServiceUnavailable, detail), http.Header{"Retry-After": {"5"}})
}

// eventWriter writes one client's stream.
type eventWriter struct {
	w  io.Writer
	rc *http.ResponseController
}

func (w *eventWriter) stream(ctx context.Context, sub *Subscription, missed bool, newest func() int64) {
	if w.send("retry: 2000\n\n") != nil {
		return
	}
	if missed && w.send(resyncText(newest())) != nil {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			if w.send(": still here\n\n") != nil {
				return
			}
		case e, ok := <-sub.c:
			if !ok {
				if sub.wasLost() {
					_ = w.send(resyncText(newest())) // cut off either way
				}
				return
			}
			if w.send(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.seq, e.kind, e.data)) != nil {
				return
			}
			beat.Reset(heartbeat)
		}
	}
}

// resyncText carries the newest number: the client that comes back with it reads its data anew and
// misses nothing after.
func resyncText(newest int64) string {
	return fmt.Sprintf("id: %d\nevent: %s\ndata: {}\n\n", newest, resyncEvent)
}

// send writes and flushes within writeTimeout. A writer that cannot take a deadline is a test's.
func (w *eventWriter) send(text string) error {
	_ = w.rc.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := io.WriteString(w.w, text); err != nil {
		return err
	}
	return w.rc.Flush()
}
