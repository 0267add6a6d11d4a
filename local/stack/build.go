package stack

import (
	"fmt"
	"os"
	"os/exec"
)

// Tags leave out what no function uses: net/rpc and HTTP/2.
const Tags = "lambda.norpc,nethttpomithttp2"

// Build compiles a package of this module, such as functions/hasura-cognito-trigger,
// with the flags of the Makefile, for this machine. With GOCOVERDIR set the program
// counts what it executes. root is the module's folder; flags are more of go build's.
func Build(root, pkg, path string, flags ...string) error {
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", Tags, "-ldflags=-s -w -buildid=", "-o", path}
	if os.Getenv("GOCOVERDIR") != "" {
		args = append(args, "-cover", "-covermode=atomic", "-coverpkg=./pkg/...,./functions/...")
	}
	args = append(args, flags...)
	cmd := exec.Command("go", append(args, "./"+pkg)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}
