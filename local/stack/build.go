package stack

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Build compiles a package of this module, such as functions/hasura-cognito-trigger, for
// this machine. The Makefile holds the build flags, so Build runs make. root is the
// module's folder, path the binary's. flags are further flags of go build. If GOCOVERDIR is
// set, the binary counts the statements that it executes.
func Build(root, pkg, path string, flags ...string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if os.Getenv("GOCOVERDIR") != "" {
		flags = append(flags, "-cover", "-covermode=atomic", "-coverpkg=./pkg/...,./functions/...")
	}
	cmd := exec.Command("make", "-s", "-C", root, "compile", "PACKAGE="+pkg, "OUTPUT="+path)
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" "+strings.Join(flags, " "))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}
