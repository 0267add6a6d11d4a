package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"
)

// Values of E2E_SKIP.
const (
	skipDocker       = "docker"        // skip the steps that need Docker
	skipBrokenDocker = "broken-docker" // skip them if Docker does not work on this machine
)

// A step is one row of the table that a run prints.
type step struct {
	name   string
	docker bool                                // runs containers
	limit  time.Duration                       // 0 means 3 minutes
	do     func(context.Context) (note string) // ends by check, must or fail if the step fails
}

// errDocker marks an error of Docker on this machine, which says nothing about the suite.
var errDocker = errors.New("no working Docker")

// A runner runs steps and prints a line for each.
type runner struct {
	w    io.Writer
	skip string // E2E_SKIP
}

// run returns the error of the first failed step. The steps after it are not run.
func (r runner) run(ctx context.Context, steps []step) error {
	for i, s := range steps {
		fmt.Fprintf(r.w, "%-48s ", s.name)
		began := time.Now()
		result, note, err := "skipped", "E2E_SKIP="+r.skip, error(nil)
		if !s.docker || r.skip != skipDocker {
			result = "ok"
			note, err = s.run(ctx)
		}
		if errors.Is(err, errDocker) && r.skip == skipBrokenDocker {
			result, note, err = "skipped", err.Error(), nil
			r.skip = skipDocker
		}
		if err != nil {
			result, note = "FAILED", fmt.Sprintf("%d steps are not run", len(steps)-i-1)
		}
		fmt.Fprintf(r.w, "%-7s %6.1f s  %s\n", result, time.Since(began).Seconds(), note)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (s step) run(ctx context.Context) (note string, err error) {
	limit := s.limit
	if limit == 0 {
		limit = 3 * time.Minute
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %v", limit))
	defer cancel()
	err = attempt(func() { note = s.do(ctx) })
	if err != nil && ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return note, err
}

// A failure is the panic that ends a step. It works as FailNow does in a test.
type failure struct{ err error }

// check ends the step if err is not nil.
func check(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// must returns v, or ends the step if err is not nil.
func must[T any](v T, err error) T {
	check(err)
	return v
}

// fail ends the step.
func fail(format string, args ...any) { check(fmt.Errorf(format, args...)) }

// attempt runs f and returns the error that ended it.
func attempt(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r.err
		default: // a bug in the step. It must not keep the run from ending its servers.
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	f()
	return nil
}

// during runs f and puts what was done before the error that ended it.
func during(what string, f func()) {
	if err := attempt(f); err != nil {
		fail("%s: %w", what, err)
	}
}

// poll calls f every 50 ms until it returns nil or ctx ends. It returns the last error of f.
func poll(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
