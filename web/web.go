package web

import (
	"io/fs"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/coilsight/coilsight/inspection"
)

// maxBody bounds what a request may send: order data is a few hundred bytes. Each operation refuses
// more than that with a problem; paths that read no body are cut off at twice as much.
const maxBody = 64 << 10

// Options are the parts that the API speaks to. All but Metrics, UI and Log are required.
type Options struct {
	Reader    CoilReader
	Changes   ChangeLog
	Control   CoilControl
	Reviewer  Reviewer
	Samples   SampleBook
	Stability StabilityBook
	Recipes   RecipeBook
	Live      LiveView
	Hub       *Hub
	Models    Models
	Teachings Teachings
	Cameras   CameraDesk
	Encoder   EncoderDesk
	Alarms    AlarmDesk
	Grading   GradingDesk
	Trends    TrendBook
	// Calendar is the plant's: its zone and its shifts.
	Calendar inspection.Calendar
	// Ready is asked at each /readyz; it must answer at once.
	Ready   func() Readiness
	Metrics http.Handler   // nil: no /metrics
	UI      fs.FS          // the built interface; nil or empty: a line of text says so
	Version string         // of the appliance
	Zone    *time.Location // the plant's, of the times in reports; nil: UTC
	Log     *slog.Logger   // nil: slog.Default()
}

// Readiness says whether the appliance inspects, and why not.
type Readiness struct {
	Ready           bool          `json:"ready"`
	Reasons         []string      `json:"reasons" doc:"Why it is not ready; empty when it is"`
	Version         string        `json:"version"`
	Model           string        `json:"model"`
	Provider        ProviderState `json:"provider"`
	Cameras         []CameraState `json:"cameras"`
	InspectedMetres float64       `json:"inspected_metres" doc:"Strip fully inspected on all sides since start, while it moved"`
}

// api carries the options to the handlers.
type api struct {
	Options
	huma    huma.API
	log     *slog.Logger
	waiting chan struct{} // one element for each long poll under way
	exports chan struct{} // one element for each report or list that is being made
}

// New builds the handler. Every request is answered under it: the API under /api/v1, the documents
// that describe it, the probes, and the user interface everywhere else.
func New(o Options) (http.Handler, error) {
	a := &api{Options: o, log: o.Log, waiting: make(chan struct{}, maxWaiters), exports: make(chan struct{}, maxExports)}
	if a.log == nil {
		a.log = slog.Default()
	}
	pages, err := newPages(o.UI)
	if err != nil {
		return nil, err
	}

	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.Use(gin.CustomRecoveryWithWriter(nil, a.recover))
	router.NoRoute(a.noRoute(pages))
	router.NoMethod(func(c *gin.Context) {
		writeProblem(c, problemOf(http.StatusMethodNotAllowed, c.Request.Method+" is not allowed here"))
	})

	a.huma = humagin.New(router, document(o.Version))
	a.registerCoils()
	a.registerDefects()
	a.registerExports()
	a.registerReviews()
	a.registerQueue()
	a.registerQuality()
	a.registerControl()
	a.registerChanges()
	a.registerLive()
	a.registerEvents()
	a.registerProbes()
	a.registerModels()
	a.registerTeachings()
	a.registerCameras()
	a.registerEncoder()
	a.registerAlarms()
	a.registerAlarmRules()
	a.registerGrading()
	a.registerTrends()
	polish(a.huma.OpenAPI())

	docs, err := renderDocs(a.huma.OpenAPI())
	if err != nil {
		return nil, err
	}
	router.GET("/docs", func(c *gin.Context) { c.Data(http.StatusOK, "text/html; charset=utf-8", docs) })
	router.GET("/problems/:slug", explainProblem)
	if o.Metrics != nil {
		router.GET("/metrics", gin.WrapH(o.Metrics))
	}

	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblemTo(w, problemOf(http.StatusForbidden, "a page of another origin may not command this appliance"))
	}))
	return securityHeaders(guard.Handler(http.MaxBytesHandler(router, 2*maxBody))), nil
}

// NewServer wraps a handler with the limits a server on a plant network needs. There is no limit on
// the time of a whole response: event streams have none and set one for each write.
func NewServer(h http.Handler, hub *Hub) *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
	s.RegisterOnShutdown(hub.Close) // streams and long polls end, so that Shutdown can
	return s
}

func (a *api) recover(c *gin.Context, v any) {
	a.log.Error("request failed", "method", c.Request.Method, "path", c.Request.URL.Path, "panic", v, "stack", string(debug.Stack()))
	if !c.Writer.Written() {
		writeProblem(c, problemOf(http.StatusInternalServerError, failureDetail))
	}
	c.Abort()
}

// securityHeaders forbid what the interface does not need: content from elsewhere, framing, guessing
// of types.
func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
