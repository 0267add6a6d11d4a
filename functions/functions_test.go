package functions

import (
	"os"
	"slices"
	"testing"
)

// The Makefile builds each folder here, so All and Optional must list each folder.
func TestAllListsEachFolder(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, entry := range entries {
		if entry.IsDir() {
			folders = append(folders, entry.Name())
		}
	}
	if got := slices.Sorted(slices.Values(append(All(), Optional()...))); !slices.Equal(got, folders) {
		t.Errorf("All and Optional list %q, want the folders %q", got, folders)
	}
}
