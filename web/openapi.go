package web

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/coilsight/coilsight/inspection"
)

// document is the frame of the OpenAPI document.
func document(version string) huma.Config {
	c := huma.DefaultConfig("Coilsight", version)
	c.Info.Description = "Surface inspection of steel strip: coils, their defects and grades, the change log for the MES, and the line as it runs. Lengths are in millimetres: along from the coil's head end, across from the operator-side strip edge. Times are UTC (RFC 3339). Paths and fields are only ever added."
	c.Tags = []*huma.Tag{
		{Name: "coils", Description: "What was found on which coil, and how it was graded."},
		{Name: "reviews", Description: "What people say of defects, and grades that rest on it."},
		{Name: "quality", Description: "How often the model is right, estimated from random samples that people review."},
		{Name: "teaching", Description: "What the plant's own strip taught: versions, the questions they ask, and which one is active."},
		{Name: "tracking", Description: "The mill announces, starts and finishes coils."},
		{Name: "changes", Description: "The change log, in commit order, without gaps or repeats."},
		{Name: "live", Description: "The line as it runs."},
		{Name: "appliance", Description: "Is it up, is it inspecting, what does it know."},
	}
	c.CreateHooks = nil // no $schema field in bodies: they carry what the types say and nothing else
	c.DocsPath, c.SchemasPath = "", ""
	c.Transformers = []huma.Transformer{typed}
	c.RejectUnknownQueryParameters = true // a misspelt filter must not return everything
	r := c.Components.Schemas
	alias[inspection.Side, sideSchema](r)
	alias[inspection.CoilState, coilStateSchema](r)
	alias[inspection.Grade, gradeSchema](r)
	alias[inspection.QueueReason, queueReasonSchema](r)
	alias[inspection.GapState, gapStateSchema](r)
	alias[json.RawMessage, anySchema](r)
	return c
}

// alias describes T, which knows nothing of OpenAPI, by the schema of S.
func alias[T any, S huma.SchemaProvider](r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[T](), reflect.TypeFor[S]())
}

type (
	sideSchema        string
	coilStateSchema   string
	gradeSchema       string
	gapStateSchema    string
	queueReasonSchema string
	anySchema         struct{}
)

func (sideSchema) Schema(huma.Registry) *huma.Schema { return enum(inspection.Sides()...) }

func (coilStateSchema) Schema(huma.Registry) *huma.Schema {
	return enum(inspection.Announced, inspection.Running, inspection.Closed, inspection.Interrupted)
}

func (gradeSchema) Schema(huma.Registry) *huma.Schema { return enum(inspection.Grades()...) }

func (gapStateSchema) Schema(huma.Registry) *huma.Schema {
	return enum(inspection.DetectedOnly, inspection.Incomplete, inspection.Underrun, inspection.Overrun, inspection.Unseen)
}

func (queueReasonSchema) Schema(huma.Registry) *huma.Schema {
	return enum(inspection.QueueReasons()...)
}

func (anySchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "Depends on the type of the change."}
}

func enum[T ~string](values ...T) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

// polish states what huma cannot know: no list or object of ours is ever null, and fields may be added
// to an answer (but not to a request, where an unknown field is a mistake).
func polish(doc *huma.OpenAPI) {
	for name, s := range doc.Components.Schemas.Map() {
		neverNull(s)
		if s.AdditionalProperties == false && !strings.HasSuffix(name, "Request") {
			s.AdditionalProperties = nil
		}
	}
	for _, p := range doc.Paths {
		for _, op := range []*huma.Operation{p.Get, p.Put, p.Post} {
			if op == nil {
				continue
			}
			for _, param := range op.Parameters {
				neverNull(param.Schema)
			}
		}
	}
}

func neverNull(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray || s.Type == huma.TypeObject {
		s.Nullable = false
	}
	neverNull(s.Items)
	for _, p := range s.Properties {
		neverNull(p)
	}
}

// binaryAnswer describes an answer that is not JSON.
func binaryAnswer(contentType, description string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {
		Description: description,
		Content: map[string]*huma.MediaType{
			contentType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		},
	}}
}

// schemaOf describes v's type, by reference.
func (a *api) schemaOf(v any) *huma.Schema {
	t := reflect.TypeOf(v)
	return a.huma.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
}

// jsonOf describes a JSON answer of v's type.
func (a *api) jsonOf(v any) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"application/json": {Schema: a.schemaOf(v)}}
}
