package inference

import (
	"encoding/binary"
	"math/bits"
)

// run is a stretch of blocks of one kind in a row of blocks, [from, to).
type run struct {
	row, from, to int
	kind          byte
}

// components finds which blocks hang together, also by their corners. Smooth patches are told from what stands out:
// joined, the two would cover what is neither.
type components struct {
	runs []run // by row, then by column
	// parent leads to the first run of a run's component, which is its own; find leaves one step. The runs of a component
	// are chained by next, -1 behind the last; last is that of the component's first run.
	parent, next, last []int32
}

// find takes in a frame. kinds holds those of the blocks, a row of nb after the other, and 8 more.
func (x *components) find(kinds []byte, nb int) {
	x.runs, x.parent = x.runs[:0], x.parent[:0]
	above := 0 // where the runs of the row above begin
	for r := range (len(kinds) - 8) / nb {
		begun := len(x.runs)
		x.row(kinds[r*nb:], nb, r)
		x.link(above, begun)
		above = begun
	}
	x.next, x.last = append(x.next[:0], x.parent...), append(x.last[:0], x.parent...)
	for i := range x.parent {
		first := x.root(int32(i))
		if first != int32(i) {
			x.next[x.last[first]] = int32(i)
		}
		x.parent[i], x.last[first], x.next[i] = first, int32(i), -1
	}
}

// row appends the runs of a row.
func (x *components) row(kinds []byte, nb, r int) {
	for c := 0; c < nb; {
		eight := binary.LittleEndian.Uint64(kinds[c:])
		if eight == 0 {
			c += 8
			continue
		}
		from := c + bits.TrailingZeros64(eight)/8
		if from >= nb {
			return
		}
		kind := kinds[from]
		for c = from + 1; c < nb && kinds[c] == kind; c++ {
		}
		x.parent = append(x.parent, int32(len(x.runs)))
		x.runs = append(x.runs, run{row: r, from: from, to: c, kind: kind})
	}
}

// link joins the runs from begun on with those that they touch in the row above, whose runs begin at above.
func (x *components) link(above, begun int) {
	for i, b := range x.runs[begun:] {
		for above < begun && x.runs[above].to < b.from {
			above++
		}
		for j := above; j < begun && x.runs[j].from <= b.to; j++ {
			if x.runs[j].kind == b.kind {
				x.join(int32(j), int32(begun+i))
			}
		}
	}
}

func (x *components) join(i, j int32) {
	i, j = x.root(i), x.root(j)
	x.parent[max(i, j)] = min(i, j)
}

// root is the first run of a run's component as known so far.
func (x *components) root(i int32) int32 {
	for x.parent[i] != i {
		x.parent[i] = x.parent[x.parent[i]]
		i = x.parent[i]
	}
	return i
}

// isFirst tells whether a run is the first of its component.
func (x *components) isFirst(i int) bool { return x.parent[i] == int32(i) }

// of goes through the runs of the component whose first one is given, in order.
func (x *components) of(first int) func(yield func(run) bool) {
	return func(yield func(run) bool) {
		for i := int32(first); i >= 0 && yield(x.runs[i]); i = x.next[i] {
		}
	}
}
