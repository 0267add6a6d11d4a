package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	passes := func(context.Context) string { return "as it should" }
	fails := func(context.Context) string { return must("", errors.New("a function is wrong")) }
	noDocker := func(context.Context) string { fail("%w: no iptables", errDocker); return "" }
	for _, row := range []struct {
		name  string
		skip  string
		steps []step
		want  string // a regular expression for each line
		err   string
	}{
		{"every step passes", "", []step{{name: "one", do: passes}, {name: "two", docker: true, do: passes}},
			"one ok .* as it should\ntwo ok .* as it should\n", ""},
		{"a failed step ends the run", "", []step{{name: "one", do: fails}, {name: "two", do: passes}},
			"one FAILED .* 1 steps are not run\n", "one: a function is wrong"},
		{"E2E_SKIP=docker skips steps in containers", skipDocker, []step{{name: "one", docker: true, do: fails}, {name: "two", do: passes}},
			"one skipped .* E2E_SKIP=docker\ntwo ok .*\n", ""},
		{"E2E_SKIP=docker skips nothing else", skipDocker, []step{{name: "one", do: fails}}, "one FAILED .*\n", "one: a function is wrong"},
		{"a broken Docker fails the run", "", []step{{name: "one", docker: true, do: noDocker}}, "one FAILED .*\n", "no iptables"},
		{"E2E_SKIP=broken-docker skips steps if Docker is broken", skipBrokenDocker,
			[]step{{name: "one", docker: true, do: noDocker}, {name: "two", docker: true, do: fails}, {name: "three", do: passes}},
			"one skipped .* no iptables\ntwo skipped .*\nthree ok .*\n", ""},
		{"E2E_SKIP=broken-docker does not hide a wrong function", skipBrokenDocker,
			[]step{{name: "one", docker: true, do: passes}, {name: "two", docker: true, do: fails}}, "one ok .*\ntwo FAILED .*\n", "two: a function is wrong"},
	} {
		var out strings.Builder
		err := runner{&out, row.skip}.run(t.Context(), row.steps)
		if row.err == "" && err != nil || row.err != "" && !strings.Contains(fmt.Sprint(err), row.err) {
			t.Errorf("%s: error = %v, want %q in it", row.name, err, row.err)
		}
		got := regexp.MustCompile(` +`).ReplaceAllString(out.String(), " ")
		if !regexp.MustCompile(`^` + row.want + `$`).MatchString(got) {
			t.Errorf("%s: it printed\n%swant\n%s", row.name, got, row.want)
		}
	}
}

func TestRunRefusesAnUnknownSkip(t *testing.T) {
	var out strings.Builder
	if code := run(t.Context(), "moto", &out); code != 2 || !strings.Contains(out.String(), "E2E_SKIP=moto: want docker or broken-docker") {
		t.Errorf("exit code = %d, output %q, want 2 and what E2E_SKIP can be", code, &out)
	}
}
