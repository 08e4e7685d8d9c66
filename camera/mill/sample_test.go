package mill

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func TestSamplesShowTheirClassInTheMiddle(t *testing.T) {
	const size = 128
	s, err := NewSampler(1, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range Catalogue() {
		for seed := range uint64(6) {
			with, err := s.Render(class, seed, 1)
			if err != nil {
				t.Fatal(err)
			}
			without, err := s.Render(class, seed, 0) // the same strip, and nothing on it
			if err != nil {
				t.Fatal(err)
			}
			again, _ := s.Render(class, seed, 1)
			if !bytes.Equal(with, again) {
				t.Errorf("%s %d: the same seed gives other pixels", class, seed)
			}
			inner, total := 0, 0
			for i := range with {
				d := int(with[i]) - int(without[i])
				if d > 4 || d < -4 {
					total++
					if x, y := i%size, i/size; x >= size/5 && x < size*4/5 && y >= size/5 && y < size*4/5 {
						inner++
					}
				}
			}
			if total < 20 || inner < total/5 {
				t.Errorf("%s %d: %d pixels change, %d of them in the middle", class, seed, total, inner)
			}
		}
	}
}

func TestSamplesOfStripVary(t *testing.T) {
	s, err := NewSampler(1, 64)
	if err != nil {
		t.Fatal(err)
	}
	least, most := 255.0, 0.0
	for seed := range uint64(40) {
		pix, err := s.Render(inspection.NoDefect, seed, 1)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, p := range pix {
			sum += int(p)
		}
		mean := float64(sum) / float64(len(pix))
		least, most = min(least, mean), max(most, mean)
	}
	if most-least < 60 {
		t.Errorf("the mean grey of 40 samples lies between %.0f and %.0f; what learns from them would know one strip only", least, most)
	}
}

func TestSamplerRefusesWhatItCannotRender(t *testing.T) {
	if _, err := NewSampler(1, 8); err == nil || !strings.Contains(err.Error(), "allowed are 16 to 640") {
		t.Errorf("samples of 8 pixels: %v", err)
	}
	s, err := NewSampler(1, 64)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Render("rust", 1, 1); err == nil || !strings.Contains(err.Error(), `class "rust" cannot be rendered`) {
		t.Errorf("an unknown class: %v", err)
	}
	if _, err := s.Render("hole", 1, -1); err == nil {
		t.Error("a negative contrast is accepted")
	}
}
