package inference

import "math/bits"

// blockSet holds which blocks of a frame are in a component, a bit each.
type blockSet struct {
	words int // a row
	bits  []uint64
	open  []uint64 // of a word's rows, the word's before the next's: worked in
}

const wordBits = 64

func (s *blockSet) grow(nb, rows int) {
	s.words = (nb + wordBits - 1) / wordBits
	s.bits, s.open = make([]uint64, s.words*rows), make([]uint64, s.words*rows)
}

// within gives the bits of a word that stand for the columns [from, to).
func within(word, from, to int) uint64 {
	from, to = max(from-word*wordBits, 0), min(to-word*wordBits, wordBits)
	return ^uint64(0) << from & (^uint64(0) >> (wordBits - to))
}

// add takes in a run.
func (s *blockSet) add(b run) {
	for w := b.from / wordBits; w*wordBits < b.to; w++ {
		s.bits[b.row*s.words+w] |= within(w, b.from, b.to)
	}
}

// remove takes a block out.
func (s *blockSet) remove(row, column int) {
	s.bits[row*s.words+column/wordBits] &^= 1 << (column % wordBits)
}

// clear takes all blocks of a rectangle's rows out.
func (s *blockSet) clear(q rect) { clear(s.bits[q.t*s.words : q.b*s.words]) }

// bound is the rectangle around the blocks that lie in q, with their number.
func (s *blockSet) bound(q rect) rect {
	p := nowhere
	for w := q.l / wordBits; w*wordBits < q.r; w++ {
		mask, any := within(w, q.l, q.r), uint64(0)
		for y := q.t; y < q.b; y++ {
			if v := s.bits[y*s.words+w] & mask; v != 0 {
				any |= v
				p.count += bits.OnesCount64(v)
				p.t, p.b = min(p.t, y), max(p.b, y+1)
			}
		}
		if any != 0 {
			p.l, p.r = min(p.l, w*wordBits+bits.TrailingZeros64(any)), max(p.r, w*wordBits+bits.Len64(any))
		}
	}
	return p
}

// in goes through the blocks that lie in q, row by row, for as long as yield returns true.
func (s *blockSet) in(q rect) func(yield func(row, column int) bool) {
	return func(yield func(row, column int) bool) {
		for y := q.t; y < q.b; y++ {
			for w := q.l / wordBits; w*wordBits < q.r; w++ {
				for v := s.bits[y*s.words+w] & within(w, q.l, q.r); v != 0; v &= v - 1 {
					if !yield(y, w*wordBits+bits.TrailingZeros64(v)) {
						return
					}
				}
			}
		}
	}
}

// reaches fills in how far the blocks in q reach on each of its columns and rows, and counts those and the blocks that
// lie between others both along and across: the inside of a patch of which only the border responds.
func (s *blockSet) reaches(q rect, columns, rows []reach) (between int) {
	height := q.b - q.t
	first := q.l / wordBits
	for w := first; w*wordBits < q.r; w++ {
		mask, open := within(w, q.l, q.r), s.open[(w-first)*height:][:height]
		seen := uint64(0)
		for y := range open {
			v := s.bits[(q.t+y)*s.words+w] & mask
			if v != 0 {
				rows[y].add(reach{int32(w*wordBits + bits.TrailingZeros64(v) - q.l), int32(w*wordBits + bits.Len64(v) - 1 - q.l)})
			}
			for fresh := v &^ seen; fresh != 0; fresh &= fresh - 1 {
				columns[w*wordBits+bits.TrailingZeros64(fresh)-q.l].lo = int32(y)
			}
			seen |= v
			open[y] = seen
		}
		seen = 0
		for y := height - 1; y >= 0; y-- {
			v := s.bits[(q.t+y)*s.words+w] & mask
			for fresh := v &^ seen; fresh != 0; fresh &= fresh - 1 {
				columns[w*wordBits+bits.TrailingZeros64(fresh)-q.l].hi = int32(y)
			}
			seen |= v
			open[y] &= seen
		}
	}
	for w := first; w*wordBits < q.r; w++ {
		open := s.open[(w-first)*height:][:height]
		for y, r := range rows {
			if from, to := q.l+int(r.lo), q.l+int(r.hi)+1; from < (w+1)*wordBits && to > w*wordBits {
				between += bits.OnesCount64(open[y] & within(w, from, to))
			}
		}
	}
	return between
}
