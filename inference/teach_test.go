package inference

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/coilsight/coilsight/inspection"
)

func allScales(v float32) Scales {
	s := make(Scales, len(Measures()))
	for f := range s {
		s[f] = v
	}
	return s
}

func TestScalesAreTakenUpAtTheNextCoil(t *testing.T) {
	d, err := NewDetector(512, DetectorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	img := drawStrip(rand.New(rand.NewPCG(1, 2)), 512, 256, 110)
	add(img, 200, 100, 40, 40, -0.35)
	var out inspection.Screening
	strongest := func(seam bool) (most float32) {
		if err := d.Screen(&out, img, inspection.FlatField{}, seam); err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Regions {
			most = max(most, r.Score)
		}
		return most
	}
	before := strongest(true)
	if err := d.Teach(allScales(2)); err != nil {
		t.Fatal(err)
	}
	if got := strongest(true); got != before {
		t.Errorf("a seam within the coil changes the response from %.3f to %.3f", before, got)
	}
	d.Reset()
	if got := strongest(true); !(got > 0.45*before && got < 0.55*before) {
		t.Errorf("at twice the limits the response is %.3f of %.3f; want half", got, before)
	}
	if err := d.Teach(nil); err != nil {
		t.Fatal(err)
	}
	d.Reset()
	if got := strongest(true); got != before {
		t.Errorf("with nothing taught the response is %.3f; want %.3f as before", got, before)
	}
	for _, bad := range []Scales{{1}, allScales(0.5), allScales(3)} {
		if err := d.Teach(bad); err == nil {
			t.Errorf("scales %v are taken", bad)
		}
	}
}

func TestTaughtLookIsNoDefect(t *testing.T) {
	c, b := shippedClassifier(t, ClassifierOptions{})
	var crops [][]byte
	for _, g := range b.Golden() {
		crops = append(crops, g.Pix)
	}
	said, err := c.Observe(nil, crops)
	if err != nil {
		t.Fatal(err)
	}
	at := -1
	for i, o := range said {
		if o.Verdict.Class != inspection.NoDefect && o.Verdict.Class != inspection.Unknown {
			at = i
			break
		}
	}
	for _, k := range []struct {
		name   string
		atMost float32
		want   inspection.DefectClass
	}{
		{"sure", said[at].Confidence - 0.01, said[at].Verdict.Class},
		{"overruled", 1, inspection.NoDefect},
	} {
		taught, _ := shippedClassifier(t, ClassifierOptions{Normal: Normal{{Features: said[at].Features, Radius: 0.05, AtMost: k.atMost}}})
		got, err := taught.ClassifyBatch(nil, crops)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			want := said[i].Verdict.Class
			if i == at {
				want = k.want
			}
			if got[i].Class != want {
				t.Errorf("%s: golden crop %d is %s; want %s", k.name, i, got[i].Class, want)
			}
		}
	}
	if _, err := NewClassifier(b, ClassifierOptions{Runtime: runtimeOf(t), Normal: Normal{{Features: []float32{1}, Radius: 0.1}}}); err == nil || !strings.Contains(err.Error(), "the model gives") {
		t.Errorf("a prototype of another width gives %v", err)
	}
}
