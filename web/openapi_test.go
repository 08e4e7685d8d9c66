package web

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// documentHandler serves the documents alone: they need nothing behind the API.
func documentHandler(t *testing.T) http.Handler {
	t.Helper()
	h, err := New(Options{Version: "0.1.0", Hub: NewHub(1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(t *testing.T, h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return do(t, h, http.MethodGet, target, "", header...)
}

func do(t *testing.T, h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOpenAPIDocumentIsTheGoldenOne(t *testing.T) {
	w := get(t, documentHandler(t), "/openapi.json")
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, bytes.TrimSpace(w.Body.Bytes()), "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	if *update {
		if err := os.WriteFile("openapi.json", got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("the API differs from web/openapi.json; where that is meant, run: go test ./web -update")
	}
}

func TestOpenAPIDocumentNeverSaysNull(t *testing.T) {
	w := get(t, documentHandler(t), "/openapi.json")
	if strings.Contains(w.Body.String(), `"null"`) {
		t.Error("a field of the API may be null; lists and objects are empty instead, the rest is left out")
	}
}
