package models

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(ManifestSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("manifest.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keysOf lists the keys of a Go type as JSON and those that may be absent.
func keysOf(t reflect.Type) (all, optional []string) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		all = append(all, name)
		if options != "" {
			optional = append(optional, name)
		}
	}
	slices.Sort(all)
	return all, optional
}

func TestSchemaHasTheKeysOfTheGoTypes(t *testing.T) {
	s := compiledSchema(t)
	type pair struct {
		name   string
		schema *jsonschema.Schema
		typ    reflect.Type
	}
	in := func(s *jsonschema.Schema, key string) *jsonschema.Schema {
		p := s.Properties[key]
		if p == nil {
			t.Fatalf("the schema has no %s", key)
		}
		if p.Items2020 != nil {
			p = p.Items2020
		}
		if p.Ref != nil {
			p = p.Ref
		}
		return p
	}
	for _, p := range []pair{
		{"manifest", s, reflect.TypeFor[Manifest]()},
		{"class", in(s, "classes"), reflect.TypeFor[Class]()},
		{"text", in(in(s, "classes"), "cause"), reflect.TypeFor[Text]()},
		{"input", in(s, "input"), reflect.TypeFor[Input]()},
		{"golden", in(s, "golden"), reflect.TypeFor[Golden]()},
		{"unknown", in(s, "unknown"), reflect.TypeFor[Unknown]()},
		{"training_data", in(s, "training_data"), reflect.TypeFor[DataNote]()},
		{"files", in(s, "files"), reflect.TypeFor[File]()},
	} {
		all, optional := keysOf(p.typ)
		if got := slices.Sorted(maps.Keys(p.schema.Properties)); !slices.Equal(got, all) {
			t.Errorf("%s: the schema has %v and the type %v", p.name, got, all)
		}
		needed := slices.DeleteFunc(slices.Clone(all), func(k string) bool { return slices.Contains(optional, k) })
		if got := slices.Sorted(slices.Values(p.schema.Required)); !slices.Equal(got, needed) {
			t.Errorf("%s: the schema requires %v and the type %v", p.name, got, needed)
		}
		if p.schema.AdditionalProperties != false {
			t.Errorf("%s: the schema allows keys that the type does not know", p.name)
		}
	}
}

// validate puts JSON through the schema.
func validate(t *testing.T, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestShippedManifestFollowsTheSchema(t *testing.T) {
	s, f := compiledSchema(t), shippedFiles(t)
	if err := validate(t, s, f[ManifestName].Data); err != nil {
		t.Error(err)
	}
	rewrite(t, f, func(m map[string]any) { m["unknown"] = map[string]any{"output": "familiarity", "threshold": 0.4} })
	if err := validate(t, s, f[ManifestName].Data); err != nil {
		t.Error(err)
	}
}

// What one refuses the other does too.
func TestSchemaAndReaderRefuseTheSame(t *testing.T) {
	s := compiledSchema(t)
	class := func(m map[string]any) map[string]any { return m["classes"].([]any)[2].(map[string]any) }
	file := func(m map[string]any) map[string]any { return m["files"].([]any)[0].(map[string]any) }
	for name, change := range map[string]func(m map[string]any){
		"format":          func(m map[string]any) { m["format"] = 1 },
		"name":            func(m map[string]any) { m["name"] = "a/b" },
		"long name":       func(m map[string]any) { m["name"] = strings.Repeat("a", 65) },
		"version":         func(m map[string]any) { m["version"] = "1..2" },
		"created":         func(m map[string]any) { m["created"] = "2026-13-01" },
		"unknown key":     func(m map[string]any) { m["colour"] = "red" },
		"no class":        func(m map[string]any) { m["classes"] = m["classes"].([]any)[:1] },
		"no no_defect":    func(m map[string]any) { m["classes"] = m["classes"].([]any)[1:] },
		"id":              func(m map[string]any) { class(m)["id"] = "Roll mark" },
		"id unknown":      func(m map[string]any) { class(m)["id"] = "unknown" },
		"severity":        func(m map[string]any) { class(m)["severity"] = 5 },
		"threshold":       func(m map[string]any) { class(m)["threshold"] = -0.1 },
		"cause":           func(m map[string]any) { class(m)["cause"] = map[string]any{"ko": "", "en": "x"} },
		"width":           func(m map[string]any) { m["input"].(map[string]any)["width"] = 4 },
		"dtype":           func(m map[string]any) { m["input"].(map[string]any)["dtype"] = "float32" },
		"temperature":     func(m map[string]any) { m["temperature"] = 0 },
		"opset":           func(m map[string]any) { m["opset"] = 12 },
		"tolerance":       func(m map[string]any) { m["golden"].(map[string]any)["tolerance"] = 0.2 },
		"familiarity":     func(m map[string]any) { m["unknown"] = map[string]any{"output": "scores", "threshold": 0} },
		"no origin":       func(m map[string]any) { m["training_data"] = []any{} },
		"terms":           func(m map[string]any) { m["training_data"].([]any)[0].(map[string]any)["terms"] = "" },
		"path outside":    func(m map[string]any) { file(m)["path"] = "a/../../b" },
		"path absolute":   func(m map[string]any) { file(m)["path"] = "/a" },
		"path drive":      func(m map[string]any) { file(m)["path"] = "c:a" },
		"path manifest":   func(m map[string]any) { file(m)["path"] = ManifestName },
		"path back slash": func(m map[string]any) { file(m)["path"] = `a\b` },
		"bytes":           func(m map[string]any) { file(m)["bytes"] = 0 },
		"huge":            func(m map[string]any) { file(m)["bytes"] = 1 << 30 },
		"sha256":          func(m map[string]any) { file(m)["sha256"] = "00" },
	} {
		t.Run(name, func(t *testing.T) {
			f := shippedFiles(t)
			rewrite(t, f, change)
			if _, err := parseManifest(f[ManifestName].Data); err == nil {
				t.Error("the reader takes it")
			}
			if err := validate(t, s, f[ManifestName].Data); err == nil {
				t.Error("the schema takes it")
			}
		})
	}
	// The reader does not need a key whose zero value is allowed; the schema asks for it all the same.
	var m map[string]any
	if err := json.Unmarshal(shippedFiles(t)[ManifestName].Data, &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "preprocessing")
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, s, data); err == nil {
		t.Error("the schema takes a manifest without preprocessing")
	}
}
