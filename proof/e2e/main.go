// Command e2e proves the suite against parts that others wrote: the SAM CLI validates,
// builds, deploys and invokes it, two emulators of Cognito sign people in, moto and
// MiniStack keep the secrets, Docker runs the functions, and the rows land in PostgreSQL.
//
//	make e2e-deps                    installs what it needs, once
//	make e2e                         every step
//	make e2e E2E_SKIP=docker         all but those in containers
//	make e2e E2E_SKIP=broken-docker  those too, unless no Docker can be used here
//
// Everything listens on loopback alone, on ports that the system chooses, and is ended
// by its process id. The logs of the parts stay in .aws-sam/e2e/logs.
//
// The first step that fails ends the run, since the others build on it. The command
// exits with 0 when every step passed or was asked to be skipped, with 1 when one did
// not, and with 2 when it cannot begin.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Getenv, os.Stdout)
	stop()
	os.Exit(code)
}

// run is the command; it expects the repository's root as working directory.
func run(ctx context.Context, getenv func(string) string, stdout io.Writer) int {
	skip, err := skips(getenv("E2E_SKIP"))
	if err != nil {
		fmt.Fprintln(stdout, err)
		return 2
	}
	m, err := newMachine()
	if err != nil {
		fmt.Fprintln(stdout, err)
		return 2
	}
	t := table{w: stdout, skip: skip}
	t.run(ctx, m.steps())
	if err := m.close(); err != nil {
		t.end("everything ended", err)
	}
	return t.summary()
}
