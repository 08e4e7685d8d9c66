package appliance

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coilsight/coilsight/appliance/teach"
	"github.com/coilsight/coilsight/inference"
	"github.com/coilsight/coilsight/models"
)

// putTaught writes a version that raises one limit, and makes it active.
func putTaught(t *testing.T, c Config, version int, model string) {
	t.Helper()
	b, err := models.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	if model == "" {
		model = b.ID()
	}
	sum := sha256.Sum256(b.ONNX())
	v := teach.Taught{Format: 1, Name: "line-2", Version: version, Model: model, ModelSHA256: hex.EncodeToString(sum[:])}
	for i, m := range inference.Measures() {
		v.Scales = append(v.Scales, teach.Scale{Measure: m, Factor: 1})
		if i == 0 {
			v.Scales[i].Factor = 1.5
		}
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(c.Data, "teach", v.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("v%d.json", version)), data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, file, err := c.Teachings().Open(v.ID())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Teachings().Activate(v.ID(), file, teach.Change{By: "Kim", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

func TestTeachingIsTakenUpAndLetGoAtACoilBoundary(t *testing.T) {
	c := DefaultConfig()
	c.Data, c.Classifier.Provider = t.TempDir(), inference.ProviderCPU
	d, err := openDesk(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	bare := d.model()
	putTaught(t, c, 1, "")
	d.look()
	if got := d.model(); got != bare {
		t.Errorf("within a coil the model changes to %s", got)
	}
	d.boundary()
	if got := d.model(); got != bare+"+line-2-v1" {
		t.Errorf("the next coil is judged by %s", got)
	}
	if s := d.engine().Scales(); len(s) == 0 || s[0] != 1.5 {
		t.Errorf("its detectors take the scales %v", s)
	}

	putTaught(t, c, 2, "other 2.0.0")
	d.look()
	d.boundary()
	if got, refused := d.model(), d.Models().Refused; got != bare+"+line-2-v1" || len(refused) != 1 || !strings.Contains(refused[0], "was learned with model other 2.0.0") {
		t.Errorf("a teaching of another model leaves %s, refused %v", got, refused)
	}
	if _, err := OpenTaughtEngine(c); err == nil || !strings.Contains(err.Error(), "coilsight teach off") {
		t.Errorf("a start with it gives %v", err)
	}

	if err := c.Teachings().Off(teach.Change{}); err != nil {
		t.Fatal(err)
	}
	d.look()
	d.boundary()
	if got := d.model(); got != bare || d.engine().Scales() != nil {
		t.Errorf("after off the model is %s with scales %v", got, d.engine().Scales())
	}
}
