package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestTeachLearnsActivatesAndLetsGo(t *testing.T) {
	data, strips := t.TempDir(), t.TempDir()
	for i := range 8 {
		strip(t, filepath.Join(strips, fmt.Sprintf("%d.png", i)), 1600)
	}
	code, out, errs := command(t, "teach", "learn", "--data", data, "--name", "line-2", "--by", "Kim", "--json", strips)
	if code != exitDone {
		t.Fatalf("learning ends with %d: %s", code, errs)
	}
	var info taughtInfo
	if err := json.Unmarshal([]byte(out), &info); err != nil {
		t.Fatal(err)
	}
	if info.ID != "line-2-v1" || info.Pictures != 8 || info.By != "Kim" || info.Before.Found == 0 {
		t.Errorf("learned is %+v", info)
	}
	for _, k := range info.Scales {
		if k.Factor < 1 || k.Factor > 2 {
			t.Errorf("the limit of %s is taken times %g", k.Measure, k.Factor)
		}
	}
	if code, _, errs = command(t, "teach", "activate", "--data", data, "line-2-v1"); code != exitDone {
		t.Fatalf("activating ends with %d: %s", code, errs)
	}
	if _, out, _ = command(t, "teach", "list", "--data", data); !strings.HasPrefix(out, "* line-2-v1") {
		t.Errorf("the list is %q", out)
	}
	if _, _, errs = command(t, "teach", "off", "--data", data); errs != "" {
		t.Error(errs)
	}
	if _, out, _ = command(t, "teach", "list", "--data", data); !strings.HasPrefix(out, "  line-2-v1") {
		t.Errorf("after off the list is %q", out)
	}
	if code, out, errs = command(t, "teach", "rollback", "--data", data, "--by", "Lee"); code != exitDone || !strings.HasPrefix(out, "teaching line-2-v1 is active") {
		t.Errorf("going back ends with %d: %s%s", code, out, errs)
	}
}

func TestTeachRefusesWhatCannotBeMeant(t *testing.T) {
	data, few := t.TempDir(), t.TempDir()
	strip(t, filepath.Join(few, "1.png"), 1600)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"learn", "--name", "Line 2", few}, exitMisused, "the name \"Line 2\" is not possible"},
		{[]string{"learn", few}, exitMisused, "name"},
		{[]string{"learn", "--name", "a", few}, exitFailed, "there are 1 pictures of strip; what recurs shows on 8 and more"},
		{[]string{"answer", "--name", "a", "1=normal"}, exitFailed, "nothing was taught under the name a"},
		{[]string{"rollback"}, exitFailed, "there is none to go back to"},
		{[]string{"activate", "a-v1"}, exitFailed, "teaching a-v1 is not in"},
		{[]string{"activate", "../a"}, exitFailed, "is not the name of one"},
	} {
		code, _, errs := command(t, append([]string{"teach", c.args[0], "--data", data}, c.args[1:]...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%v ends with %d: %s; want %d and %q", c.args, code, errs, c.code, c.want)
		}
	}
}
