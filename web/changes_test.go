package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coilsight/coilsight/inspection"
)

// poll asks for changes in the background.
func poll(ctx context.Context, f *fixture, query string) <-chan *httptest.ResponseRecorder {
	out := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/changes"+query, nil))
		out <- w
	}()
	return out
}

func changesIn(t *testing.T, w *httptest.ResponseRecorder) (p inspection.ChangePage) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return p
}

func TestLongPollAnswersAtTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		began := time.Now()
		answer := poll(t.Context(), f, "?after=0&wait=25s")
		time.Sleep(7 * time.Second) // of the bubble's clock: the poll is waiting by then
		select {
		case w := <-answer:
			t.Fatalf("answered before anything changed: %s", w.Body)
		default:
		}
		if err := f.store.SetCursor(t.Context(), "mes", 0, false); err != nil { // a commit that changes nothing
			t.Fatal(err)
		}
		if _, _, err := f.Announce(t.Context(), "A1", inspection.CoilOrder{}); err != nil {
			t.Fatal(err)
		}
		p := changesIn(t, <-answer)
		if len(p.Changes) != 1 || p.Changes[0].Type != "coil.announced" {
			t.Errorf("answer %+v", p)
		}
		if d := time.Since(began); d != 7*time.Second {
			t.Errorf("answered after %v; want at the commit", d)
		}
	})
}

func TestLongPollEndsWithItsTimeItsClientOrTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		began := time.Now()
		if p := changesIn(t, <-poll(t.Context(), f, "?wait=20")); p.Changes == nil || len(p.Changes) != 0 || time.Since(began) != 20*time.Second {
			t.Errorf("after %v: %+v", time.Since(began), p)
		}
		if changesIn(t, <-poll(t.Context(), f, "")); time.Since(began) != 20*time.Second {
			t.Error("without wait it waited")
		}
		ctx, cancel := context.WithCancel(t.Context())
		gone := poll(ctx, f, "?wait=25")
		synctest.Wait()
		cancel()
		<-gone
		stopping := poll(t.Context(), f, "?wait=25")
		synctest.Wait()
		f.hub.Close()
		changesIn(t, <-stopping)
		if time.Since(began) != 20*time.Second {
			t.Errorf("the client or the server waited until %v", time.Since(began))
		}
	})
}

func TestLongPollsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var waiting []<-chan *httptest.ResponseRecorder
		for range maxWaiters {
			waiting = append(waiting, poll(t.Context(), f, "?wait=25"))
		}
		synctest.Wait()
		w := <-poll(t.Context(), f, "?wait=25")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("one more: %d %v", w.Code, w.Header())
		}
		if w := <-poll(t.Context(), f, ""); w.Code != http.StatusOK {
			t.Errorf("one that does not wait: %d", w.Code)
		}
		for _, c := range waiting {
			changesIn(t, <-c)
		}
		if w := <-poll(t.Context(), f, "?wait=1"); w.Code != http.StatusOK {
			t.Errorf("after the others: %d", w.Code)
		}
	})
}
