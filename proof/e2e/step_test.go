package main

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	passes := func(context.Context) (string, error) { return "as it should", nil }
	fails := func(context.Context) (string, error) { return "", errors.New("a function is wrong") }
	breaks := func(context.Context) (string, error) { return "", &unusable{errors.New("no iptables")} }
	rows := []struct {
		name  string
		skip  string
		steps []step
		code  int
		want  []string
	}{
		{"every step passes", "", []step{{name: "one", do: passes}, {name: "two", kind: docker, do: passes}}, 0,
			[]string{"ok  one as it should", "ok  two as it should", "all as expected"}},
		{"one that fails ends it", "", []step{{name: "one", do: fails}, {name: "two", do: passes}}, 1,
			[]string{"FAILED  one", "not run  two", "one: a function is wrong"}},
		{"containers are left out on demand", "docker", []step{{name: "one", kind: docker, do: fails}, {name: "two", do: passes}}, 0,
			[]string{"skipped  one as E2E_SKIP=docker asks", "ok  two"}},
		{"nothing else is", "docker", []step{{name: "one", do: fails}}, 1, []string{"FAILED  one"}},
		{"a Docker that does not work is a failure", "", []step{{name: "one", kind: docker, do: breaks}}, 1, []string{"FAILED  one", "no iptables"}},
		{"but not where it may be broken", "broken-docker", []step{{name: "one", kind: docker, do: breaks}, {name: "two", kind: docker, do: fails}, {name: "three", do: passes}}, 0,
			[]string{"so that nothing runs in containers: no iptables", "skipped  one no Docker works here, and E2E_SKIP=broken-docker", "skipped  two", "ok  three"}},
		{"where a function still may not be wrong", "broken-docker", []step{{name: "one", kind: docker, do: passes}, {name: "two", kind: docker, do: fails}}, 1,
			[]string{"ok  one", "FAILED  two"}},
	}
	for _, row := range rows {
		skip, err := skips(row.skip)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		table := table{w: &out, skip: skip}
		table.run(t.Context(), row.steps)
		if code := table.summary(); code != row.code {
			t.Errorf("%s: exit code = %d, want %d", row.name, code, row.code)
		}
		for _, want := range row.want {
			if !contains(out.String(), want) {
				t.Errorf("%s: it printed\n%s\nwant %q in it", row.name, &out, want)
			}
		}
	}
}

// contains looks for words in their order on one line, whatever stands between them: the
// table has times and blanks there.
func contains(text, words string) bool {
	for line := range strings.Lines(text) {
		found := true
		for _, word := range strings.Fields(words) {
			_, line, found = strings.Cut(line, word)
			if !found {
				break
			}
		}
		if found {
			return true
		}
	}
	return false
}

func TestSkips(t *testing.T) {
	if _, err := skips("docker,moto"); err == nil || !strings.Contains(err.Error(), "only docker can be skipped") {
		t.Errorf("skips(docker,moto) = %v, want an error that says what can be skipped", err)
	}
}
