package appliance

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/inspection"
)

// shadowCrops bounds the crops that wait for the shadow: 1 MiB. What comes while all are taken is not compared,
// and counted: the shadow never holds up the line.
const shadowCrops = 64

// Agreement is how often a shadow model answered as the model at work did, on the same crops.
type Agreement struct {
	Active   string    `json:"active"`
	Shadow   string    `json:"shadow"`
	Since    time.Time `json:"since"`
	Compared int       `json:"compared"`
	Agreed   int       `json:"agreed"`
	Skipped  int       `json:"skipped"` // crops for which no place was free
	// Answers counts each pair of answers, the commonest first.
	Answers []AnswerPair `json:"answers"`
}

// AnswerPair is one cell of the table of both models' answers.
type AnswerPair struct {
	Active inspection.DefectClass `json:"active"`
	Shadow inspection.DefectClass `json:"shadow"`
	Crops  int                    `json:"crops"`
}

// shadow is a model that sees every crop and answers to nobody but a table.
type shadow struct {
	*modelAtWork
	free chan []byte

	mu      sync.Mutex
	active  string // id of the model it is compared with
	since   time.Time
	pairs   map[[2]inspection.DefectClass]int
	skipped int
}

func newShadow(id string, e *Engine, active string) *shadow {
	s := &shadow{
		modelAtWork: runModel(id, e), free: make(chan []byte, shadowCrops),
	}
	s.against(active)
	for range shadowCrops {
		s.free <- make([]byte, inference.CropSize*inference.CropSize)
	}
	return s
}

// against begins a new table: the shadow is compared with another model from now on.
func (s *shadow) against(active string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active, s.since, s.skipped, s.pairs = active, time.Now().UTC(), 0, map[[2]inspection.DefectClass]int{}
}

// hold copies a crop, nil where no place is free.
func (s *shadow) hold(crop []byte) []byte {
	select {
	case b := <-s.free:
		copy(b, crop)
		return b
	default:
		s.mu.Lock()
		s.skipped++
		s.mu.Unlock()
		return nil
	}
}

func (s *shadow) drop(held []byte) {
	if held != nil {
		s.free <- held
	}
}

// compare asks the shadow for what the model by has answered. It does not block.
func (s *shadow) compare(held []byte, by string, active inspection.Classification, ok bool) {
	if held == nil {
		return
	}
	if ok && s.Submit(held, time.Time{}, func(c inspection.Classification, ok bool) {
		if ok {
			s.mu.Lock()
			if by == s.active { // else it answered just before another took over
				s.pairs[[2]inspection.DefectClass{active.Class, c.Class}]++
			}
			s.mu.Unlock()
		}
		s.drop(held)
	}) {
		return
	}
	s.mu.Lock()
	s.skipped++
	s.mu.Unlock()
	s.drop(held)
}

func (s *shadow) agreement(active string) Agreement {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := Agreement{Active: active, Shadow: s.Bundle.ID(), Since: s.since, Skipped: s.skipped}
	for pair, n := range s.pairs {
		a.Compared += n
		if pair[0] == pair[1] {
			a.Agreed += n
		}
		a.Answers = append(a.Answers, AnswerPair{pair[0], pair[1], n})
	}
	slices.SortFunc(a.Answers, func(x, y AnswerPair) int {
		return cmp.Or(cmp.Compare(y.Crops, x.Crops), cmp.Compare(x.Active, y.Active), cmp.Compare(x.Shadow, y.Shadow))
	})
	return a
}

// close waits until every copy is back, and frees the model. No crop may be handed in any more.
func (s *shadow) close() error {
	for range shadowCrops {
		<-s.free
	}
	return s.retire()
}
