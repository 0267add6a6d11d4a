package deploy_test

import (
	"os"
	"testing"
)

// TestMain runs the tests at the root of the repository, where the files are that they read.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
