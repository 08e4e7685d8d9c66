package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// OrderRequest is what Level 2 or the MES knows of a coil before it runs. Everything may be left out.
type OrderRequest struct {
	Width      float64 `json:"width_mm,omitempty" minimum:"0" maximum:"10000"`
	Thickness  float64 `json:"thickness_mm,omitempty" minimum:"0" maximum:"1000"`
	Length     float64 `json:"length_mm,omitempty" minimum:"0" maximum:"100000000"`
	SteelGrade string  `json:"steel_grade,omitempty" maxLength:"64"`
	Customer   string  `json:"customer,omitempty" maxLength:"64"`
	Recipe     string  `json:"recipe,omitempty" maxLength:"64" doc:"Name of the recipe to grade by; its newest version is taken when the coil starts. Left out, the one for the customer and the steel grade is taken, else the line's default"`
}

func (a *api) registerControl() {
	huma.Register(a.huma, huma.Operation{
		OperationID: "announce-coil", Method: http.MethodPut, Path: "/api/v1/coils/{id}", Tags: []string{"tracking"},
		Summary:     "Announce a coil",
		Description: "Records or replaces its order data. May be sent again as often as needed until the coil starts; 201 the first time, 200 after.",
		Responses: map[string]*huma.Response{
			"201": {Description: "The coil was not known before", Content: a.jsonOf(inspection.Coil{})},
		},
		Errors: commandErrors(), MaxBodyBytes: maxBody,
	}, a.announce)
	huma.Register(a.huma, huma.Operation{
		OperationID: "start-coil", Method: http.MethodPost, Path: "/api/v1/coils/{id}/start", Tags: []string{"tracking"},
		Summary:     "Start a coil: its head end is at the cameras",
		Description: "A coil that was not announced is recorded without order data. A coil id runs once: 409 for one that runs or ran.",
		Errors:      commandErrors(),
	}, a.start)
	huma.Register(a.huma, huma.Operation{
		OperationID: "finish-coil", Method: http.MethodPost, Path: "/api/v1/coils/{id}/finish", Tags: []string{"tracking"},
		Summary:     "Finish a coil: its tail end has left the cameras",
		Description: "409 for a coil that is not running. The grade follows in the change log as soon as the last frames are inspected.",
		Errors:      commandErrors(),
	}, a.finish)
}

func commandErrors() []int {
	return []int{
		http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity,
		http.StatusInternalServerError, http.StatusInsufficientStorage,
	}
}

type announceInput struct {
	CoilPath
	Body *OrderRequest
}

type announceOutput struct {
	Status int
	Body   inspection.Coil
}

func (a *api) announce(ctx context.Context, in *announceInput) (*announceOutput, error) {
	var o inspection.CoilOrder
	if b := in.Body; b != nil {
		o = inspection.CoilOrder{
			Width: inspection.MM(b.Width), Thickness: inspection.MM(b.Thickness), Length: inspection.MM(b.Length),
			SteelGrade: b.SteelGrade, Recipe: b.Recipe, Customer: b.Customer,
		}
	}
	c, created, err := a.Control.Announce(ctx, in.id(), o)
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	out := &announceOutput{Status: http.StatusOK, Body: c}
	if created {
		out.Status = http.StatusCreated
	}
	return out, nil
}

type coilOutput struct{ Body inspection.Coil }

func (a *api) start(ctx context.Context, in *struct{ CoilPath }) (*coilOutput, error) {
	c, err := a.Control.Start(ctx, in.id())
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &coilOutput{c}, nil
}

func (a *api) finish(ctx context.Context, in *struct{ CoilPath }) (*coilOutput, error) {
	c, err := a.Control.Finish(ctx, in.id())
	if err != nil {
		return nil, a.fail(ctx, err)
	}
	return &coilOutput{c}, nil
}
