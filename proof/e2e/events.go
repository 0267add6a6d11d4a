package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// events gives every recorded event to its function twice: under the local runtime, which
// make run holds to its rules, and in SAM's warm containers. Answer, outcome and at the end
// every row have to be the same.
func (m *machine) events(ctx context.Context) (string, error) {
	paths, err := filepath.Glob("events/*.json")
	if err != nil || len(paths) == 0 {
		return "", errors.Join(errors.New("there are no events"), err)
	}
	local, err := m.localStack(ctx, "events")
	if err != nil {
		return "", err
	}
	warm, err := m.startLambda(ctx, m.yard)
	if err != nil {
		return "", err
	}
	var faults []error
	for _, path := range paths {
		if err := event(ctx, local, warm, path); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := errors.Join(faults...); err != nil {
		return "", err
	}
	rows, err := sameRows(ctx, local, m.yard.hasura)
	return fmt.Sprintf("%d events, %d rows, as make run has them", len(paths), rows), err
}

// localStack is that of make run, with the functions that SAM built, over PostgreSQL.
func (m *machine) localStack(ctx context.Context, database string) (*stack.Stack, error) {
	functions := filepath.Join(m.dir, "functions")
	for name := range logical {
		to, err := filepath.Abs(filepath.Dir(built(name)))
		if err != nil {
			return nil, err
		}
		if err := errors.Join(os.MkdirAll(functions, 0o755), os.Symlink(to, filepath.Join(functions, name))); err != nil {
			return nil, err
		}
	}
	url, err := m.postgres.database(ctx, database)
	if err != nil {
		return nil, err
	}
	s, err := stack.Start(ctx, stack.Config{Functions: functions, Project: os.DirFS("graphql"), DatabaseURL: url})
	if err != nil {
		return nil, err
	}
	m.atEnd(s.Close)
	return s, nil
}

// event sends one event both ways.
func event(ctx context.Context, local *stack.Stack, warm *warmContainers, path string) error {
	event, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	function := stack.FunctionFor(filepath.Base(path), event)
	want, err := local.Send(ctx, function, event)
	if err != nil {
		return err
	}
	before := warm.logged()
	answer, err := warm.invoke(ctx, logical[function], event)
	if err != nil {
		return err
	}
	if !sameJSON(answer, want.Payload) {
		return fmt.Errorf("the container's answer is\n%s\nand the local runtime's\n%s", answer, want.Payload)
	}
	// What a container prints comes in a little after its answer.
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := warm.messages(before)
		if slices.Contains(got, want.Outcome) {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("in the container the function logged %q, and %q under the local runtime", got, want.Outcome)
		}
	}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// sameRows compares both tables but for the times of writing, and counts the rows.
func sameRows(ctx context.Context, local *stack.Stack, g *graphQL) (int, error) {
	want, err := local.Users(ctx)
	if err != nil {
		return 0, err
	}
	got, err := stack.Users(ctx, g.url, g.admin)
	if err != nil {
		return 0, err
	}
	for _, rows := range [][]stack.Row{want, got} {
		for _, row := range rows {
			for _, column := range []string{"synced_at", "last_sign_in_at", "created_at", "updated_at"} {
				row[column] = row[column] != nil
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		return 0, fmt.Errorf("the containers left %d rows and the local runtime %d, or they differ", len(got), len(want))
	}
	return len(got), nil
}
