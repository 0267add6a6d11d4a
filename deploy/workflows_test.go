package deploy_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// A tag of an action can be moved to other code. A commit cannot.
func TestActionsArePinnedByCommit(t *testing.T) {
	atRoot(t)
	workflows, _ := filepath.Glob(".github/workflows/*.yml")
	actions, _ := filepath.Glob(".github/actions/*/action.yml")
	if len(workflows) == 0 || len(actions) == 0 {
		t.Fatalf("workflows: %v, actions: %v, want at least one of each", workflows, actions)
	}
	uses, pinned := regexp.MustCompile(`(?m)^.*\buses:.*$`), regexp.MustCompile(`uses: (\./.*|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$`)
	for _, path := range append(workflows, actions...) {
		for _, line := range uses.FindAllString(string(readFile(t, path)), -1) {
			if !pinned.MatchString(line) {
				t.Errorf("%s: %q: want a commit, and its version in a comment", path, line)
			}
		}
	}
	for _, path := range workflows {
		var workflow struct{ Permissions map[string]string }
		if err := yaml.Unmarshal(readFile(t, path), &workflow); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if len(workflow.Permissions) != 1 || workflow.Permissions["contents"] != "read" {
			t.Errorf("%s: the workflow's token has the permissions %v, want only contents: read", path, workflow.Permissions)
		}
	}
}

// The workflows install the Go of go.mod's toolchain line. The recorded sizes must be those of the same Go.
func TestTheRecordIsOfThePinnedGo(t *testing.T) {
	pinned := regexp.MustCompile(`(?m)^toolchain (go1\.\d+\.\d+)$`).FindStringSubmatch(string(readFile(t, "go.mod")))
	if pinned == nil {
		t.Fatal("go.mod has no toolchain line with a full version")
	}
	const record = "proof/binaries/testdata/made.json"
	if want := `"Go": "` + pinned[1] + `"`; !strings.Contains(string(readFile(t, record)), want) {
		t.Errorf("%s does not hold %s. Run make record", record, want)
	}
}
