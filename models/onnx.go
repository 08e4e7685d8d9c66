package models

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// A graph is looked at before any runtime loads it: a runtime opens the files that a graph names and loads
// the operators that it asks for, and says little of why it fails. Only the few messages of ONNX that decide
// this are read, by their numbers in onnx.proto (IR version 10).
const (
	modelOpsets, modelGraph, modelTraining, modelFunctions = 8, 7, 20, 25

	opsetDomain, opsetVersion = 1, 2

	graphNode, graphInitializer, graphInput, graphOutput, graphSparse = 1, 5, 11, 12, 15

	nodeAttribute, nodeDomain = 5, 7

	attributeTensor, attributeGraph, attributeTensors, attributeGraphs = 5, 6, 10, 11
	attributeSparse, attributeSparses                                  = 22, 23

	tensorName, tensorExternal, tensorLocation = 8, 13, 14

	sparseValues, sparseIndices = 1, 2

	valueName, valueType = 1, 2
	typeTensor           = 1
	elementType          = 1
	elementShape         = 2
	shapeDim             = 1
	dimValue             = 1
)

// Element types of TensorProto.
const (
	elementFloat = 1
	elementUint8 = 2
)

// maxSubgraphs bounds graphs within graphs; branches and loops of real models nest once or twice.
const maxSubgraphs = 8

// checkONNX reads as much of the graph as tells that a runtime may load it: it is whole, all its data lies
// inside, its operators are ONNX's own at the manifest's opset, and input and outputs are those of a classifier.
func checkONNX(data []byte, m Manifest) error {
	g := graphReader{}
	err := eachField(data, func(f field) error {
		switch {
		case f.message(modelOpsets):
			return g.opset(f.bytes)
		case f.message(modelGraph):
			// Readers join a message that comes twice, so that each part alone would look harmless.
			if g.graphs++; g.graphs > 1 {
				return errors.New("it holds a second graph; one is allowed")
			}
			return g.graph(f.bytes, 0)
		case f.message(modelTraining), f.message(modelFunctions):
			return errors.New("it defines functions or training steps of its own; allowed are operators alone")
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case g.graphs == 0:
		return errors.New("it holds no graph; one is needed")
	case g.version != int64(m.Opset):
		return fmt.Errorf("its opset is %d; allowed is %d, what the manifest says", g.version, m.Opset)
	}
	return g.check(m)
}

// graphReader collects what the graph says of itself.
type graphReader struct {
	graphs  int
	version int64 // of ONNX's own operators
	inputs  []tensorInfo
	outputs []tensorInfo
}

// tensorInfo is a graph's input or output.
type tensorInfo struct {
	name    string
	element uint64
	dims    []int64
}

// Sizes of a dimension that are no numbers.
const (
	anySize   = -1 // left open, as the batch is
	fixedSize = -2 // in what is allowed: any that the model fixes
)

func (t tensorInfo) fits(allowed tensorInfo) bool {
	return t.name == allowed.name && t.element == allowed.element &&
		slices.EqualFunc(t.dims, allowed.dims, func(got, want int64) bool {
			return got == want || want == fixedSize && got > 0
		})
}

func (t tensorInfo) String() string {
	element := map[uint64]string{elementFloat: "float", elementUint8: "uint8"}[t.element]
	if element == "" {
		element = fmt.Sprintf("type %d", t.element)
	}
	dims := make([]string, len(t.dims))
	for i, d := range t.dims {
		switch d {
		case anySize:
			dims[i] = "any"
		case fixedSize:
			dims[i] = "n"
		default:
			dims[i] = strconv.FormatInt(d, 10)
		}
	}
	return fmt.Sprintf("%q of %s [%s]", t.name, element, strings.Join(dims, ", "))
}

func describeTensors(ts []tensorInfo) string {
	if len(ts) == 0 {
		return "nothing"
	}
	parts := make([]string, len(ts))
	for i, t := range ts {
		parts[i] = t.String()
	}
	return strings.Join(parts, ", ")
}

func (g *graphReader) check(m Manifest) error {
	in := []tensorInfo{{pixelsName, elementUint8, []int64{anySize, 1, int64(m.Input.Height), int64(m.Input.Width)}}}
	if !slices.EqualFunc(g.inputs, in, tensorInfo.fits) {
		return fmt.Errorf("it takes %s; allowed is %s", describeTensors(g.inputs), describeTensors(in))
	}
	out := []tensorInfo{
		{scoresName, elementFloat, []int64{anySize, int64(len(m.Classes))}},
		{featuresName, elementFloat, []int64{anySize, fixedSize}},
	}
	if m.Unknown != nil {
		out = append(out, tensorInfo{familiarityName, elementFloat, []int64{anySize}})
	}
	if !slices.EqualFunc(g.outputs, out, tensorInfo.fits) {
		return fmt.Errorf("it gives %s; allowed is %s", describeTensors(g.outputs), describeTensors(out))
	}
	return nil
}

func (g *graphReader) opset(msg []byte) error {
	var domain string
	var version int64
	err := eachField(msg, func(f field) error {
		switch {
		case f.message(opsetDomain):
			domain = string(f.bytes)
		case f.number == opsetVersion && f.wire == protowire.VarintType:
			version = int64(f.varint)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := checkDomain(domain); err != nil {
		return err
	}
	if g.version != 0 {
		return errors.New("it names its opset twice; once is allowed")
	}
	g.version = version
	return nil
}

func checkDomain(domain string) error {
	if domain != "" && domain != "ai.onnx" {
		return fmt.Errorf("it uses operators of domain %q; allowed are ONNX's own", domain)
	}
	return nil
}

func (g *graphReader) graph(msg []byte, depth int) error {
	if depth > maxSubgraphs {
		return fmt.Errorf("its graphs nest deeper than %d; that is the most allowed", maxSubgraphs)
	}
	return eachField(msg, func(f field) error {
		switch {
		case f.message(graphNode):
			return g.node(f.bytes, depth)
		case f.message(graphInitializer):
			return checkTensor(f.bytes)
		case f.message(graphSparse):
			return checkSparse(f.bytes)
		case depth == 0 && f.message(graphInput):
			return appendTensor(&g.inputs, f.bytes)
		case depth == 0 && f.message(graphOutput):
			return appendTensor(&g.outputs, f.bytes)
		}
		return nil
	})
}

func (g *graphReader) node(msg []byte, depth int) error {
	return eachField(msg, func(f field) error {
		switch {
		case f.message(nodeDomain):
			return checkDomain(string(f.bytes))
		case f.message(nodeAttribute):
			return eachField(f.bytes, func(f field) error {
				switch {
				case f.message(attributeTensor), f.message(attributeTensors):
					return checkTensor(f.bytes)
				case f.message(attributeSparse), f.message(attributeSparses):
					return checkSparse(f.bytes)
				case f.message(attributeGraph), f.message(attributeGraphs):
					return g.graph(f.bytes, depth+1)
				}
				return nil
			})
		}
		return nil
	})
}

func checkSparse(msg []byte) error {
	return eachField(msg, func(f field) error {
		if f.message(sparseValues) || f.message(sparseIndices) {
			return checkTensor(f.bytes)
		}
		return nil
	})
}

// checkTensor refuses a tensor whose data lies in another file.
func checkTensor(msg []byte) error {
	var name string
	external := false
	err := eachField(msg, func(f field) error {
		switch {
		case f.message(tensorName):
			name = string(f.bytes)
		case f.message(tensorExternal), f.number == tensorLocation && f.varint != 0:
			external = true
		}
		return nil
	})
	if err == nil && external {
		err = fmt.Errorf("the data of its tensor %q lies in another file; allowed is data inside the model alone", name)
	}
	return err
}

func appendTensor(to *[]tensorInfo, msg []byte) error {
	var t tensorInfo
	err := eachField(msg, func(f field) error {
		switch {
		case f.message(valueName):
			t.name = string(f.bytes)
		case f.message(valueType):
			return eachField(f.bytes, func(f field) error {
				if !f.message(typeTensor) {
					return nil
				}
				return eachField(f.bytes, t.typed)
			})
		}
		return nil
	})
	*to = append(*to, t)
	return err
}

// typed reads one field of a tensor's type: the element type or the shape.
func (t *tensorInfo) typed(f field) error {
	switch {
	case f.number == elementType && f.wire == protowire.VarintType:
		t.element = f.varint
	case f.message(elementShape):
		return eachField(f.bytes, func(f field) error {
			if !f.message(shapeDim) {
				return nil
			}
			size := int64(anySize)
			err := eachField(f.bytes, func(f field) error {
				if f.number == dimValue && f.wire == protowire.VarintType {
					size = int64(f.varint)
				}
				return nil
			})
			t.dims = append(t.dims, size)
			return err
		})
	}
	return nil
}

// field is one field of a message in wire format.
type field struct {
	number protowire.Number
	wire   protowire.Type
	varint uint64 // of a varint
	bytes  []byte // of a message, text or packed numbers
}

// message reports whether the field is the one with that number and holds a message or text. A known number
// on another wire type is no such field to any reader of the format.
func (f field) message(number protowire.Number) bool {
	return f.number == number && f.wire == protowire.BytesType
}

// eachField calls visit for every field of a message, in order, and ends at its first error.
func eachField(msg []byte, visit func(field) error) error {
	for len(msg) > 0 {
		number, wire, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return unreadable(n)
		}
		msg = msg[n:]
		f := field{number: number, wire: wire}
		switch wire {
		case protowire.VarintType:
			f.varint, n = protowire.ConsumeVarint(msg)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(msg)
		default:
			n = protowire.ConsumeFieldValue(number, wire, msg)
		}
		if n < 0 {
			return unreadable(n)
		}
		msg = msg[n:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

func unreadable(n int) error {
	return fmt.Errorf("it is not a readable ONNX graph: %w", protowire.ParseError(n))
}
