package deploy_test

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/goccy/go-yaml"
)

// A tag of an action can be moved to other code; a commit cannot.
func TestActionsArePinnedByCommit(t *testing.T) {
	paths, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	uses, pinned := regexp.MustCompile(`(?m)^.*\buses:.*$`), regexp.MustCompile(`uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, path := range paths {
		text := readFile(t, path)
		var workflow struct{ Permissions map[string]string }
		if err := yaml.Unmarshal(text, &workflow); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if len(workflow.Permissions) != 1 || workflow.Permissions["contents"] != "read" {
			t.Errorf("%s: its token may do %v, want to read the contents; a job asks for more", path, workflow.Permissions)
		}
		for _, line := range uses.FindAllString(string(text), -1) {
			if !pinned.MatchString(line) {
				t.Errorf("%s: %q is not pinned by commit with its version beside it", path, line)
			}
		}
	}
}
