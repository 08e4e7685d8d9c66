package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

func (a *api) registerLive() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-live", Method: http.MethodGet, Path: "/api/v1/live", Tags: []string{"live"},
		Summary: "Read the state of the line",
	}, func(context.Context, *struct{}) (*liveOutput, error) {
		return &liveOutput{"no-store", neverNullLive(a.Live.Live())}, nil
	})
	strip := binaryAnswer("application/octet-stream", "Grey rows of X-Columns bytes, oldest first; empty when nothing is new")
	strip["200"].Headers = map[string]*huma.Param{
		"X-First-Row":     {Description: "Running number of the first row", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}},
		"X-Columns":       {Description: "Bytes a row", Schema: &huma.Schema{Type: huma.TypeInteger}},
		"X-MM-Per-Row":    {Description: "Strip length of a row in mm", Schema: &huma.Schema{Type: huma.TypeNumber}},
		"X-MM-Per-Column": {Description: "Strip width of a column in mm", Schema: &huma.Schema{Type: huma.TypeNumber}},
		"X-Left-Edge":     {Description: "Column of the operator-side strip edge at the newest row", Schema: &huma.Schema{Type: huma.TypeNumber}},
		"X-Head-Row":      {Description: "Row of the running coil's head end; -1 without a coil", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}},
	}
	huma.Register(a.huma, huma.Operation{
		OperationID: "get-live-strip", Method: http.MethodGet, Path: "/api/v1/live/strip", Tags: []string{"live"},
		Summary:     "Read the newest rows of the live strip picture",
		Description: "Pass the number of the last row you have (X-First-Row + rows - 1) as after. Where more rows came than are kept, the answer begins later: compare X-First-Row.",
		Responses:   strip,
		Errors:      []int{http.StatusUnprocessableEntity},
	}, a.liveStrip)
}

type liveOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         Live
}

func neverNullLive(l Live) Live {
	l.Cameras, l.Alarms, l.Aside = list(l.Cameras), list(l.Alarms), list(l.Aside)
	l.Recent, l.Severe = list(l.Recent), list(l.Severe)
	if l.ByClass == nil {
		l.ByClass = map[inspection.DefectClass]int{}
	}
	return l
}

type stripInput struct {
	Side  inspection.Side `query:"side" enum:"top,bottom" required:"true"`
	After int64           `query:"after" minimum:"-1" default:"-1" doc:"Number of the last row already there; -1 for the newest rows"`
}

type stripOutput struct {
	ContentType  string  `header:"Content-Type"`
	CacheControl string  `header:"Cache-Control"`
	FirstRow     int64   `header:"X-First-Row"`
	Columns      int     `header:"X-Columns"`
	MMPerRow     float64 `header:"X-MM-Per-Row"`
	MMPerColumn  float64 `header:"X-MM-Per-Column"`
	LeftEdge     float64 `header:"X-Left-Edge"`
	HeadRow      int64   `header:"X-Head-Row"`
	Body         []byte
}

func (a *api) liveStrip(_ context.Context, in *stripInput) (*stripOutput, error) {
	p := a.Live.StripPicture(in.Side, in.After)
	return &stripOutput{
		ContentType: "application/octet-stream", CacheControl: "no-store",
		FirstRow: p.FirstRow, Columns: p.Columns, MMPerRow: p.MMPerRow, MMPerColumn: p.MMPerColumn, LeftEdge: p.LeftEdge, HeadRow: p.HeadRow,
		Body: p.Rows,
	}, nil
}
