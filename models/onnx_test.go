package models

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// Writers of the few messages that the tests need.
func message(number protowire.Number, parts ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), slices.Concat(parts...))
}

func text(number protowire.Number, s string) []byte { return message(number, []byte(s)) }

func varint(number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), v)
}

// value is a graph's input or output; a size of 0 is written as a name.
func value(number protowire.Number, name string, element uint64, sizes ...uint64) []byte {
	var dims []byte
	for _, s := range sizes {
		dim := text(2, "batch")
		if s > 0 {
			dim = varint(dimValue, s)
		}
		dims = append(dims, message(shapeDim, dim)...)
	}
	tensor := message(typeTensor, varint(elementType, element), message(elementShape, dims))
	return message(number, text(valueName, name), message(valueType, tensor))
}

func opset(domain string, version uint64) []byte {
	return message(modelOpsets, text(opsetDomain, domain), varint(opsetVersion, version))
}

func pixels() []byte { return value(graphInput, "pixels", elementUint8, 0, 1, 128, 128) }

func outputs() []byte {
	return slices.Concat(value(graphOutput, "scores", elementFloat, 0, 10), value(graphOutput, "features", elementFloat, 0, 7))
}

// onnx is a model of opset 17 with right input and outputs and something in its graph.
func onnx(inGraph ...[]byte) []byte {
	return slices.Concat(varint(1, 8), opset("", 17), message(modelGraph, append(inGraph, pixels(), outputs())...))
}

func external(number protowire.Number) []byte {
	return message(number, text(tensorName, "weights"), message(tensorExternal, text(1, "location"), text(2, "/etc/passwd")), varint(tensorLocation, 1))
}

func TestGraphThatARuntimeMustNotLoadIsRefused(t *testing.T) {
	node := func(parts ...[]byte) []byte { return message(graphNode, parts...) }
	attribute := func(parts ...[]byte) []byte { return node(message(nodeAttribute, parts...)) }
	nested := external(graphInitializer)
	for range 20 {
		nested = attribute(message(attributeGraph, nested))
	}
	whole := onnx()
	for name, c := range map[string]struct {
		model   []byte
		unknown bool
		want    string
	}{
		"cut":                       {whole[:len(whole)-3], false, "not a readable ONNX graph"},
		"no protobuf":               {[]byte("PK\x03\x04 and no graph"), false, "not a readable ONNX graph"},
		"empty":                     {nil, false, "holds no graph"},
		"two graphs":                {append(onnx(), message(modelGraph, external(graphInitializer))...), false, "second graph"},
		"no opset":                  {message(modelGraph, pixels(), outputs()), false, "its opset is 0; allowed is 17"},
		"opset of another day":      {slices.Concat(opset("", 23), message(modelGraph, pixels(), outputs())), false, "its opset is 23; allowed is 17, what the manifest says"},
		"opset twice":               {append(onnx(), opset("ai.onnx", 17)...), false, "names its opset twice"},
		"opset of another maker":    {append(onnx(), opset("com.acme", 1)...), false, `operators of domain "com.acme"; allowed are ONNX's own`},
		"operator of another maker": {onnx(node(text(nodeDomain, "com.acme"))), false, `domain "com.acme"`},
		"functions of its own":      {append(onnx(), message(modelFunctions)...), false, "functions or training steps of its own"},
		"training steps":            {append(onnx(), message(modelTraining)...), false, "functions or training steps of its own"},
		"weights elsewhere":         {onnx(external(graphInitializer)), false, `tensor "weights" lies in another file`},
		"location alone":            {onnx(message(graphInitializer, varint(tensorLocation, 1))), false, "lies in another file"},
		"sparse weights elsewhere":  {onnx(message(graphSparse, external(sparseIndices))), false, "lies in another file"},
		"constant elsewhere":        {onnx(attribute(external(attributeTensor))), false, "lies in another file"},
		"list elsewhere":            {onnx(attribute(external(attributeTensors))), false, "lies in another file"},
		"sparse constant elsewhere": {onnx(attribute(message(attributeSparse, external(sparseValues)))), false, "lies in another file"},
		"branch elsewhere":          {onnx(attribute(message(attributeGraph, external(graphInitializer)))), false, "lies in another file"},
		"maker within a branch":     {onnx(attribute(message(attributeGraphs, node(text(nodeDomain, "x"))))), false, `domain "x"`},
		"nested without end":        {onnx(nested), false, "nest deeper than 8"},
		"float pixels":              {slices.Concat(opset("", 17), message(modelGraph, value(graphInput, "pixels", elementFloat, 0, 1, 128, 128), outputs())), false, `it takes "pixels" of float [any, 1, 128, 128]; allowed is "pixels" of uint8 [any, 1, 128, 128]`},
		"another name":              {slices.Concat(opset("", 17), message(modelGraph, value(graphInput, "image", elementUint8, 0, 1, 128, 128), outputs())), false, `it takes "image"`},
		"another crop":              {slices.Concat(opset("", 17), message(modelGraph, value(graphInput, "pixels", elementUint8, 0, 1, 64, 64), outputs())), false, "[any, 1, 64, 64]; allowed"},
		"a fixed batch":             {slices.Concat(opset("", 17), message(modelGraph, value(graphInput, "pixels", elementUint8, 8, 1, 128, 128), outputs())), false, "[8, 1, 128, 128]; allowed"},
		"two inputs":                {onnx(pixels()), false, `it takes "pixels" of uint8 [any, 1, 128, 128], "pixels"`},
		"no input":                  {slices.Concat(opset("", 17), message(modelGraph, outputs())), false, "it takes nothing"},
		"a class too few":           {slices.Concat(opset("", 17), message(modelGraph, pixels(), value(graphOutput, "scores", elementFloat, 0, 9), value(graphOutput, "features", elementFloat, 0, 7))), false, `it gives "scores" of float [any, 9], "features" of float [any, 7]; allowed is "scores" of float [any, 10], "features" of float [any, n]`},
		"features without a size":   {slices.Concat(opset("", 17), message(modelGraph, pixels(), value(graphOutput, "scores", elementFloat, 0, 10), value(graphOutput, "features", elementFloat, 0, 0))), false, `"features" of float [any, any]; allowed`},
		"no familiarity":            {onnx(), true, `"familiarity" of float [any]`},
		"an output too many":        {onnx(value(graphOutput, "more", elementFloat, 0)), false, `it gives "more"`},
	} {
		t.Run(name, func(t *testing.T) {
			m := shippedManifest(t)
			m.Unknown = nil
			if c.unknown {
				m.Unknown = &Unknown{Output: familiarityName, Threshold: 0.5}
			}
			err := checkONNX(c.model, m)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v; it must contain %q", err, c.want)
			}
		})
	}
}

func TestGraphOfAClassifierPasses(t *testing.T) {
	m := shippedManifest(t)
	m.Unknown = nil
	within := message(graphNode, text(nodeDomain, "ai.onnx"), message(nodeAttribute, message(attributeGraph, message(graphInitializer, text(tensorName, "w")))))
	if err := checkONNX(onnx(within), m); err != nil {
		t.Error(err)
	}
	m.Unknown = &Unknown{Output: familiarityName}
	model := slices.Concat(opset("ai.onnx", 17), message(modelGraph, pixels(), outputs(), value(graphOutput, "familiarity", elementFloat, 0)))
	if err := checkONNX(model, m); err != nil {
		t.Error(err)
	}
}

func shippedManifest(t testing.TB) Manifest {
	t.Helper()
	b, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return b.Manifest
}

// A graph of any bytes is refused or read, in bounded time and memory.
func FuzzGraph(f *testing.F) {
	m := shippedManifest(f)
	f.Add(onnx())
	f.Add(onnx(external(graphInitializer)))
	f.Add(append(onnx(), opset("com.acme", 1)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := checkONNX(data, m); err == nil && len(data) < len(pixels()) {
			t.Errorf("%d bytes pass for a classifier", len(data))
		}
	})
}
