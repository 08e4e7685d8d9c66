package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"
)

const indexPage = "index.html"

// pages is the built interface, read and compressed once: it is a few hundred kB.
type pages map[string]page

type page struct {
	body, gzip  []byte // gzip is nil where it does not pay
	contentType string
	etag        string
	immutable   bool
}

func newPages(files fs.FS) (pages, error) {
	p := pages{}
	if files == nil {
		return p, nil
	}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		p[name], err = newPage(name, body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("user interface: %w", err)
	}
	return p, nil
}

func newPage(name string, body []byte) (page, error) {
	sum := sha256.Sum256(body)
	p := page{body: body, contentType: contentTypeOf(name), etag: `"` + hex.EncodeToString(sum[:8]) + `"`}
	p.immutable = strings.HasPrefix(name, "assets/") // Vite puts a hash of the content into these names
	if !strings.HasPrefix(p.contentType, "text/") && !strings.HasPrefix(p.contentType, "image/svg") &&
		!strings.HasPrefix(p.contentType, "application/json") {
		return p, nil
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return p, err
	}
	if _, err := z.Write(body); err != nil {
		return p, err
	}
	if err := z.Close(); err != nil {
		return p, err
	}
	if b.Len() < len(body) {
		p.gzip = b.Bytes()
	}
	return p, nil
}

// contentTypeOf does not ask the machine, whose tables differ, for the types that must be right.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	case ".svg":
		return "image/svg+xml"
	case ".json", ".webmanifest":
		return "application/json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// noRoute serves the interface at every path that is not the API's: its files by name, and for the
// views it knows by their path, its one page.
func (a *api) noRoute(p pages) gin.HandlerFunc {
	return func(c *gin.Context) {
		r := c.Request
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if strings.HasPrefix(name, "api/") || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
			writeProblem(c, problemOf(http.StatusNotFound, "there is nothing at "+r.URL.Path))
			return
		}
		f, ok := p[name]
		if !ok && strings.HasPrefix(name, "assets/") {
			writeProblem(c, problemOf(http.StatusNotFound, "there is nothing at "+r.URL.Path))
			return
		}
		if !ok {
			f, ok = p[indexPage]
		}
		if !ok {
			c.String(http.StatusNotFound, "The user interface is not part of this build: run \"make run\" or \"npm run build\" in web/ui. The API is at /api/v1, its description at /docs.\n")
			return
		}
		f.serve(c)
	}
}

func (p page) serve(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Type", p.contentType)
	h.Set("ETag", p.etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if p.immutable {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if strings.Contains(c.GetHeader("If-None-Match"), p.etag) {
		c.Status(http.StatusNotModified)
		return
	}
	body := p.body
	if p.gzip != nil && strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = p.gzip
	}
	c.Data(http.StatusOK, p.contentType, body)
}
