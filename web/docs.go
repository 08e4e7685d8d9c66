package web

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsTemplate string

// docsOperation is one operation as the page shows it.
type docsOperation struct {
	*huma.Operation
	Fields    []docsField // of the request's body
	Responses []docsResponse
}

type docsResponse struct {
	Status, Description, Type, Schema string
}

type docsField struct {
	Name, Type, Description string
	Required                bool
}

type docsSchema struct {
	Name   string
	Fields []docsField
}

type docsGroup struct {
	*huma.Tag
	Operations []docsOperation
}

// renderDocs makes the page that shows the OpenAPI document to people. It is plain HTML without
// scripts, so it works on a network without Internet.
func renderDocs(doc *huma.OpenAPI) ([]byte, error) {
	schemas := doc.Components.Schemas.Map()
	var groups []docsGroup
	for _, tag := range doc.Tags {
		g := docsGroup{Tag: tag}
		for _, path := range sortedKeys(doc.Paths) {
			p := doc.Paths[path]
			for _, op := range []*huma.Operation{p.Get, p.Put, p.Post, p.Delete} {
				if op != nil && slices.Contains(op.Tags, tag.Name) {
					g.Operations = append(g.Operations, docsOf(op, doc.Components.Schemas))
				}
			}
		}
		groups = append(groups, g)
	}
	var types []docsSchema
	for _, name := range sortedKeys(schemas) {
		types = append(types, docsSchema{name, docsFields(schemas[name])})
	}
	t, err := template.New("docs").Parse(docsTemplate)
	if err != nil {
		return nil, fmt.Errorf("API page: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"Info": doc.Info, "Groups": groups, "Types": types}); err != nil {
		return nil, fmt.Errorf("API page: %w", err)
	}
	return b.Bytes(), nil
}

func docsOf(op *huma.Operation, r huma.Registry) docsOperation {
	d := docsOperation{Operation: op}
	if op.RequestBody != nil {
		if m := op.RequestBody.Content["application/json"]; m != nil {
			d.Fields = docsFields(resolve(m.Schema, r))
		}
	}
	for _, status := range sortedKeys(op.Responses) {
		res := docsResponse{Status: status, Description: op.Responses[status].Description}
		for contentType, m := range op.Responses[status].Content {
			res.Type, res.Schema = contentType, refName(m.Schema)
		}
		d.Responses = append(d.Responses, res)
	}
	return d
}

func resolve(s *huma.Schema, r huma.Registry) *huma.Schema {
	if s != nil && s.Ref != "" {
		return r.SchemaFromRef(s.Ref)
	}
	return s
}

func docsFields(s *huma.Schema) []docsField {
	if s == nil {
		return nil
	}
	var out []docsField
	for _, name := range sortedKeys(s.Properties) {
		p := s.Properties[name]
		out = append(out, docsField{name, typeName(p), p.Description, slices.Contains(s.Required, name)})
	}
	return out
}

// typeName says in a few words what a value may be.
func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return "anything"
	case s.Ref != "":
		return refName(s)
	case s.Type == huma.TypeArray:
		return "list of " + typeName(s.Items)
	case len(s.Enum) > 0:
		b, _ := json.Marshal(s.Enum) // a list of strings
		return strings.NewReplacer("[", "", "]", "", ",", " | ").Replace(string(b))
	}
	name := s.Type
	if s.Format != "" {
		name += " (" + s.Format + ")"
	}
	if s.Minimum != nil {
		name += fmt.Sprintf(", at least %g", *s.Minimum)
	}
	if s.Maximum != nil {
		name += fmt.Sprintf(", at most %g", *s.Maximum)
	}
	if m, ok := s.AdditionalProperties.(*huma.Schema); ok {
		name = "object of " + typeName(m)
	}
	return name
}

func refName(s *huma.Schema) string {
	if s == nil {
		return ""
	}
	return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
