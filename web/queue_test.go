package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestQueueIsReadReviewedAndTakenBack(t *testing.T) {
	f := reviewed(t)
	q := read[ReviewQueue](t, f, http.StatusOK, "GET", "/api/v1/review-queue", "")
	// The second defect has no picture and decides nothing.
	if q.Waiting != 1 || len(q.Items) != 1 || q.Items[0].Defect.ID != 1 || q.ByReason[inspection.DecidesGrade] != 1 || !q.Items[0].CanChange {
		t.Fatalf("queue %+v", q)
	}
	if w := do(t, f, "PUT", "/api/v1/defects/1/review", `{"class": "no_defect", "by": "Kim"}`, "If-Match", `"1-1"`); w.Code != http.StatusOK {
		t.Fatalf("reviewed: %d", w.Code)
	}
	if q = read[ReviewQueue](t, f, http.StatusOK, "GET", "/api/v1/review-queue?reason=severe", ""); q.Waiting != 0 || q.Items == nil {
		t.Errorf("after the review %+v", q)
	}
	w := do(t, f, "DELETE", "/api/v1/defects/1/review?by=Kim", "", "If-Match", `"1-2"`)
	if w.Code != http.StatusOK || w.Header().Get("ETag") != `"1-3"` {
		t.Fatalf("taken back: %d, %s: %s", w.Code, w.Header().Get("ETag"), w.Body)
	}
	if d := read[inspection.Defect](t, f, http.StatusOK, "GET", "/api/v1/defects/1", ""); d.Review != nil || d.Revision != 3 {
		t.Errorf("after the undo %+v", d)
	}
	history := read[ReviewList](t, f, http.StatusOK, "GET", "/api/v1/defects/1/reviews", "").Reviews
	if len(history) != 1 || history[0].Withdrawn == nil || history[0].Withdrawn.By != "Kim" {
		t.Errorf("history %+v", history)
	}
}

func TestNeighboursAndSimilarOnesAreListed(t *testing.T) {
	f := reviewed(t)
	f.run(t, "A2")
	for _, target := range []string{"/api/v1/defects/1/neighbours?within_mm=500", "/api/v1/defects/1/similar?limit=3", "/api/v1/defects/1/repeats"} {
		// The other defect is on the other side, and nothing is known of the pictures.
		if l := read[NeighbourList](t, f, http.StatusOK, "GET", target, ""); l.Defects == nil || len(l.Defects) != 0 {
			t.Errorf("%s: %+v", target, l)
		}
	}
}

func TestWhatTheQueueDoesNotTakeIsSaid(t *testing.T) {
	f := reviewed(t)
	f.run(t, "A2")
	for _, c := range []struct {
		method, target string
		header         []string
		status         int
		says           string
	}{
		{"GET", "/api/v1/review-queue?coil=A2", nil, 409, `coil "A2" is running; its defects wait for a person from its end on`},
		{"GET", "/api/v1/review-queue?coil=NONE", nil, 404, `coil "NONE" is not known`},
		{"GET", "/api/v1/review-queue?cursor=x", nil, 422, `"x" is not a cursor; pass next_cursor of the page before, or none`},
		{"GET", "/api/v1/review-queue?reason=nice", nil, 422, "decides_grade, unknown, severe"},
		{"GET", "/api/v1/review-queue?limit=201", nil, 422, "expected number <= 200"},
		{"GET", "/api/v1/defects/99/similar", nil, 404, `defect "99" is not known`},
		{"GET", "/api/v1/defects/99/neighbours", nil, 404, `defect "99" is not known`},
		{"GET", "/api/v1/defects/1/similar?limit=0", nil, 422, "expected number >= 1"},
		{"DELETE", "/api/v1/defects/1/review?by=Kim", nil, 428, "If-Match is missing"},
		{"DELETE", "/api/v1/defects/1/review?by=Kim", []string{"If-Match", `"1-7"`}, 412, `defect "1" is at revision 1, not 7`},
		{"DELETE", "/api/v1/defects/1/review?by=%20", []string{"If-Match", "*"}, 422, `" " is not a name`},
		{"DELETE", "/api/v1/defects/1/review", []string{"If-Match", "*"}, 422, "required query parameter is missing"},
		{"DELETE", "/api/v1/defects/1/review?by=Kim", []string{"If-Match", "*"}, 409, `defect "1" has no review to take back`},
	} {
		w := do(t, f, c.method, c.target, "", c.header...)
		if w.Code != c.status || !strings.Contains(unescaped(w.Body.String()), c.says) {
			t.Errorf("%s %s: %d %s, want %d with %q", c.method, c.target, w.Code, w.Body, c.status, c.says)
		}
	}
}

// unescaped is JSON text with its quotes bare, to look for sentences in.
func unescaped(body string) string { return strings.ReplaceAll(body, `\"`, `"`) }
