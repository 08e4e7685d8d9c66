package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/coilsight/coilsight/"

// mayImport is the architecture: which packages of ours a package may import. A trailing slash stands for
// a folder and all below it.
var mayImport = map[string][]string{
	"inspection":          {},
	"durable":             {},
	"rollmark":            {"inspection"},
	"rollmark/":           {"inspection", "rollmark"},
	"camera":              {"inspection"},
	"camera/":             {"camera", "inspection"},
	"calibration":         {"inspection", "durable"},
	"calibration/":        {"calibration", "inspection"},
	"models":              {"inspection", "durable"},
	"inference":           {"inspection", "models"},
	"appliance/line":      {"inspection", "camera"},
	"appliance/store":     {"inspection"},
	"appliance/alarm":     {"inspection"},
	"appliance/teach":     {"inspection", "durable", "models", "inference", "camera", "camera/replay"},
	"report":              {"inspection", "report/font"},
	"report/font":         {},
	"web":                 {"inspection", "report"},
	"web/ui":              {},
	"deploy":              {},
	"appliance/bench":     nil,
	"appliance/accuracy":  nil,
	"appliance/stability": nil,
	"appliance":           nil, // the composition root: everything below
	"cmd/":                nil,
}

// fences are libraries that may be used in one place.
var fences = map[string]string{
	"github.com/gin-gonic/gin":         "web",
	"github.com/danielgtaylor/huma":    "web",
	"github.com/mattn/go-sqlite3":      "appliance/store",
	"github.com/parquet-go/parquet-go": "cmd/coilsight",
	"github.com/simonvetter/modbus":    "camera/encoder",
	"github.com/xuri/excelize":         "report",
	"github.com/yalue/onnxruntime_go":  "inference",
}

// native are libraries of the distribution that may be linked in some places.
var native = map[string][]string{
	"aravis-0.8":       {"camera/genicam"},
	"-lopencv_core":    {"inference", "calibration/checkerboard"},
	"-lopencv_imgproc": {"inference", "calibration/checkerboard"},
	"-lopencv_calib3d": {"calibration/checkerboard"},
}

func rule(pkg string) (allowed []string, known bool) {
	if allowed, known = mayImport[pkg]; known {
		return allowed, true
	}
	for folder, a := range mayImport {
		if strings.HasSuffix(folder, "/") && strings.HasPrefix(pkg, folder) {
			return a, true
		}
	}
	return nil, false
}

func TestPackagesImportOnlyWhatTheArchitectureAllows(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,CgoPkgConfig,CgoLDFLAGS", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath   string
			Imports      []string
			CgoPkgConfig []string
			CgoLDFLAGS   []string
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		pkg := strings.TrimPrefix(p.ImportPath, module)
		allowed, known := rule(pkg)
		if !known {
			t.Errorf("package %s is not in the architecture", pkg)
			continue
		}
		for _, lib := range append(p.CgoPkgConfig, p.CgoLDFLAGS...) {
			if !slices.Contains(native[lib], pkg) {
				t.Errorf("%s links %s, which it may not", pkg, lib)
			}
		}
		for _, i := range p.Imports {
			for lib, home := range fences {
				if strings.HasPrefix(i, lib) && pkg != home {
					t.Errorf("%s imports %s, which stays in %s", pkg, i, home)
				}
			}
			own, isOurs := strings.CutPrefix(i, module)
			if !isOurs || allowed == nil {
				continue
			}
			ok := false
			for _, a := range allowed {
				ok = ok || own == a
			}
			if !ok {
				t.Errorf("%s imports %s; it may import %v", pkg, own, allowed)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d packages were looked at", seen)
	}
}
