package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// A visit sends events, one after the other, and remembers who has a row by now.
type visit struct {
	stack *stack.Stack
	rows  map[string]bool // by sub
}

// newVisit looks up who has a row before: with PostgreSQL, those of earlier runs.
func newVisit(ctx context.Context, s *stack.Stack) (*visit, error) {
	rows, err := s.Users(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the users: %w", err)
	}
	v := &visit{stack: s, rows: make(map[string]bool)}
	for _, row := range rows {
		v.rows[row.Text("id")] = true
	}
	return v, nil
}

// seen is what came of an event.
type seen struct {
	call   stack.Call
	tokens []token
	row    stack.Row // of a sync
	faults []string  // what is not as expected

	untried bool   // no token is made of this answer
	note    string // what else there is to say
}

func (s *seen) fault(format string, args ...any) {
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

func (v *visit) send(ctx context.Context, e recorded) seen {
	var s seen
	var err error
	if s.call, err = v.stack.Send(ctx, e.function(), e.json); err != nil {
		s.fault("no call: %v", err)
		return s
	}
	if s.call.FunctionError != "" {
		s.fault("Cognito would say: %v", userpool.Failed(e.facts().TriggerSource, s.call.Payload))
		return s
	}
	if want := e.outcome(); s.call.Outcome != want {
		s.fault("outcome = %q, want %q", s.call.Outcome, want)
	}
	if err := userpool.Check(e.json, s.call.Payload); err != nil {
		s.fault("Cognito would say: %v", err)
		return s
	}
	if changed := changed(e.json, s.call.Payload); len(changed) > 0 {
		s.fault("members that came back changed: %s", strings.Join(changed, ", "))
	}
	switch {
	case e.trigger == anOutage:
	case e.function() == stack.SyncUsers:
		v.checkRow(ctx, e.facts(), &s)
	case e.test():
		s.untried = true
	default:
		v.checkTokens(ctx, e, &s)
	}
	return s
}

// changed names the members of the event that did not come back as they were, but for
// the response, which is ours.
func changed(sent, answer []byte) []string {
	var before, after map[string]json.RawMessage
	if json.Unmarshal(sent, &before) != nil || json.Unmarshal(answer, &after) != nil {
		return []string{"all"}
	}
	delete(before, "response")
	delete(after, "response")
	maps.DeleteFunc(after, func(name string, value json.RawMessage) bool {
		same := bytes.Equal(value, before[name])
		if same {
			delete(before, name)
		}
		return same
	})
	maps.Copy(before, after)
	return slices.Sorted(maps.Keys(before))
}

// checkRow looks at the row that a sync has left.
func (v *visit) checkRow(ctx context.Context, f facts, s *seen) {
	if f.outcome() != "synced" {
		return
	}
	want := f.row()
	v.rows[want["id"]] = true
	rows, err := v.stack.Users(ctx)
	if err != nil {
		s.fault("read the users: %v", err)
		return
	}
	i := slices.IndexFunc(rows, func(r stack.Row) bool { return r.Text("id") == want["id"] })
	if i < 0 {
		s.fault("there is no row")
		return
	}
	s.row = rows[i]
	for _, column := range slices.Sorted(maps.Keys(want)) {
		if got := s.row.Text(column); got != want[column] {
			s.fault("%s of the row = %q, want %q", column, got, want[column])
		}
	}
	if s.row.Text("synced_at") == "" {
		s.fault("synced_at of the row is empty")
	}
}
