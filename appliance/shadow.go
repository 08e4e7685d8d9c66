package appliance

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// agreementName is the file in the folder of models that holds the newest agreement.
const agreementName = "agreement.json"

func keepAgreement(c Config, a Agreement) error {
	data, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		return err
	}
	path := filepath.Join(c.Data, "models", agreementName)
	if err := os.WriteFile(path+".part", data, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// ReadAgreement is the shadow's agreement as a running appliance keeps it; ok is false before there is one.
func ReadAgreement(c Config) (a Agreement, ok bool, err error) {
	path := filepath.Join(c.Data, "models", agreementName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, false, nil
	}
	if err != nil {
		return a, false, err
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return a, false, fmt.Errorf("%s is not readable: %w", path, err)
	}
	return a, true, nil
}

// shadow is a model that sees every crop and answers to nobody but a table.
type shadow struct {
	*modelAtWork
	free  chan []byte
	since time.Time

	mu      sync.Mutex
	pairs   map[[2]inspection.DefectClass]int
	skipped int
}

func newShadow(id string, e *Engine) *shadow {
	s := &shadow{
		modelAtWork: runModel(id, e), free: make(chan []byte, shadowCrops), since: time.Now().UTC(),
		pairs: map[[2]inspection.DefectClass]int{},
	}
	for range shadowCrops {
		s.free <- make([]byte, inference.CropSize*inference.CropSize)
	}
	return s
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

// compare asks the shadow for what the model at work has answered. It does not block.
func (s *shadow) compare(held []byte, active inspection.Classification, ok bool) {
	if held == nil {
		return
	}
	if ok && s.Submit(held, time.Time{}, func(c inspection.Classification, ok bool) {
		if ok {
			s.mu.Lock()
			s.pairs[[2]inspection.DefectClass{active.Class, c.Class}]++
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
