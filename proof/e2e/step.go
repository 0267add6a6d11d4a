package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// What E2E_SKIP can ask for: to leave out the steps in containers, or only where Docker
// cannot be used, as a CI does that need not have one.
const (
	docker       = "docker"
	brokenDocker = "broken-docker"
)

// An unusable error is of a Docker that does not work here, and not of the suite.
type unusable struct{ err error }

func (u *unusable) Error() string { return u.err.Error() }
func (u *unusable) Unwrap() error { return u.err }

// A step is one line of the table.
type step struct {
	name  string
	kind  string        // by which E2E_SKIP can leave it out; usually none
	limit time.Duration // zero means three minutes
	do    func(context.Context) (note string, err error)
}

// skips reads E2E_SKIP, names with commas between them.
func skips(value string) ([]string, error) {
	if value == "" {
		return nil, nil
	}
	names := strings.Split(value, ",")
	for _, name := range names {
		if name != docker && name != brokenDocker {
			return nil, fmt.Errorf("E2E_SKIP=%s: only %s can be skipped, or %s", value, docker, brokenDocker)
		}
	}
	return names, nil
}

// A table runs steps and keeps what became of them.
type table struct {
	w     io.Writer
	skip  []string
	lines []string
	wrong error // what failed
	begun time.Time
}

// run does one step after the other, until one fails.
func (t *table) run(ctx context.Context, steps []step) {
	t.begun = time.Now()
	for _, s := range steps {
		switch {
		case t.wrong != nil:
			t.line("not run", s.name, 0, "")
		case s.kind != "" && slices.Contains(t.skip, s.kind):
			t.line("skipped", s.name, 0, t.reason())
		default:
			t.do(ctx, s)
		}
	}
}

func (t *table) do(ctx context.Context, s step) {
	limit := s.limit
	if limit == 0 {
		limit = 3 * time.Minute
	}
	bounded, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %v", limit))
	defer cancel()
	began := time.Now()
	fmt.Fprintf(t.w, "==== %s\n", s.name)
	note, err := s.do(bounded)
	if err != nil && bounded.Err() != nil {
		err = errors.Join(context.Cause(bounded), err)
	}
	if _, broken := errors.AsType[*unusable](err); broken && slices.Contains(t.skip, brokenDocker) {
		fmt.Fprintf(t.w, "Docker cannot be used here, so that nothing runs in containers: %v\n", err)
		t.skip = append(t.skip, docker)
		t.line("skipped", s.name, 0, t.reason())
		return
	}
	if err != nil {
		t.fail(s.name, time.Since(began), err)
		return
	}
	t.line("ok", s.name, time.Since(began), note)
}

// reason says why containers are left out.
func (t *table) reason() string {
	if slices.Contains(t.skip, brokenDocker) {
		return "no Docker works here, and E2E_SKIP=" + brokenDocker
	}
	return "as E2E_SKIP=" + docker + " asks"
}

// end notes a failure that belongs to no step.
func (t *table) end(name string, err error) { t.fail(name, 0, err) }

func (t *table) fail(name string, took time.Duration, err error) {
	t.wrong = errors.Join(t.wrong, fmt.Errorf("%s: %w", name, err))
	t.line("FAILED", name, took, "")
}

func (t *table) line(result, name string, took time.Duration, note string) {
	seconds := ""
	if took > 0 {
		seconds = fmt.Sprintf("%.1f s", took.Seconds())
	}
	text := fmt.Sprintf("%-7s %9s  %-46s %s", result, seconds, name, note)
	t.lines = append(t.lines, strings.TrimRight(text, " "))
}

// summary prints the table and gives the exit code.
func (t *table) summary() int {
	fmt.Fprintf(t.w, "\n%s\n\n", strings.Join(t.lines, "\n"))
	took := time.Since(t.begun).Round(time.Second)
	if t.wrong != nil {
		fmt.Fprintf(t.w, "FAILED after %v: %v\n", took, t.wrong)
		return 1
	}
	fmt.Fprintf(t.w, "all as expected after %v\n", took)
	return 0
}
