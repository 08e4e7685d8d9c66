package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestInterfaceIsServedWhereTheAPIIsNot(t *testing.T) {
	f := newFixture(t)
	for _, at := range []string{"/", "/coils", "/coils/A1.2", "/index.html", "/no/such/view"} {
		w := get(t, f, at)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<title>Coilsight") || w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %v %.60s", at, w.Code, w.Header(), w.Body)
		}
		if w := get(t, f, at, "If-None-Match", w.Header().Get("ETag")); w.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", at, w.Code)
		}
	}
	w := get(t, f, "/assets/app-1a2b3c.js")
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
		t.Errorf("asset: %d %v", w.Code, w.Header())
	}
	if w := get(t, f, "/assets/app-old.js"); w.Code != http.StatusNotFound {
		t.Errorf("asset of an older build: %d; a page in its place would break the interface", w.Code)
	}
	w = get(t, f, "/", "Accept-Encoding", "gzip, br")
	z, err := gzip.NewReader(w.Body)
	if err != nil || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("compressed page: %v, %v", err, w.Header())
	}
	if b, err := io.ReadAll(z); err != nil || !strings.Contains(string(b), "<title>Coilsight") {
		t.Errorf("compressed page: %v", err)
	}
}

func TestUnbuiltInterfaceSaysSo(t *testing.T) {
	h := documentHandler(t)
	if w := get(t, h, "/"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "not part of this build") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestDocumentsNeedNoInternet(t *testing.T) {
	h := documentHandler(t)
	w := get(t, h, "/docs")
	page := w.Body.String()
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if found := regexp.MustCompile(`https?://|<script|@import|url\(`).FindString(page); found != "" {
		t.Errorf("the page has %q; it must not load anything", found)
	}
	for _, want := range []string{"/api/v1/changes", "/api/v1/coils/{id}/map.bin", "CoilDetail", "acked_seq", "If-None-Match", "steel_grade"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	if w := get(t, h, "/openapi.yaml"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "openapi: 3.1.0") {
		t.Errorf("/openapi.yaml: %d %.60s", w.Code, w.Body)
	}
}

func TestOtherSitesMayNotCommand(t *testing.T) {
	f := newFixture(t)
	w := do(t, f, "POST", "/api/v1/coils/A1/start", "", "Origin", "http://elsewhere.example", "Sec-Fetch-Site", "cross-site")
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "/problems/cross-origin") {
		t.Errorf("a page of another site: %d %s", w.Code, w.Body)
	}
	if w := do(t, f, "POST", "/api/v1/coils/A1/start", "", "Sec-Fetch-Site", "same-origin"); w.Code != http.StatusOK {
		t.Errorf("the appliance's own page: %d %s", w.Code, w.Body)
	}
	w = get(t, f, "/")
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'self'") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", w.Header())
	}
	if w := do(t, f, http.MethodOptions, "/api/v1/coils", ""); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("other origins may read")
	}
}
