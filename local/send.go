package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A runner sends events, one after the other.
type runner struct {
	stack  *stack.Stack
	chosen choice
	known  map[string]bool // users who have a row, by id
}

// A result is what an event led to.
type result struct {
	call   stack.Call
	tokens []token
	row    stack.Row // nil if the event wrote none
	note   string
	wrong  []string // facts that are not as expected
}

// sendDuringOutage sends an event while Hasura is down. Then Hasura comes back and the queue is replayed.
func (r runner) sendDuringOutage(ctx context.Context, e event) result {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := r.stack.Hasura.Set(stack.Status(503, "no healthy upstream")); err != nil {
		return result{wrong: []string{err.Error()}}
	}
	res := r.send(ctx, e, func() error { return errors.Join(r.stack.Hasura.Set(stack.Fault{}), r.stack.Replay(ctx)) })
	if res.note = fmt.Sprintf("answered after %.1f s", res.call.Duration.Seconds()); res.row != nil {
		res.note += ", row written later"
	}
	return res
}

// send sends an event and compares what it led to with the expectation. after runs when the call has ended.
func (r runner) send(ctx context.Context, e event, after func() error) (res result) {
	want, got := e.expect(r.chosen, r.known), facts{}
	defer func() { res.wrong = differences(got, want) }()
	call, err := r.stack.Send(ctx, e.function(), e.json)
	if res.call = call; after != nil {
		err = errors.Join(err, after())
	}
	if err != nil {
		got["error"] = err.Error()
		return res
	}
	got["outcome"] = res.call.Outcome
	if res.call.FunctionError != "" {
		got["Cognito"] = userpool.Failed(e.TriggerSource, res.call.Payload).Error()
		return res
	}
	got["event"] = changes(e.json, res.call.Payload)
	if err := userpool.Check(e.json, res.call.Payload); err != nil {
		got["Cognito"] = err.Error()
		return res
	}
	got["Cognito"] = "accepts the answer"
	switch {
	case e.function() == functions.Sync:
		res.row = r.readRow(ctx, want, got)
	case e.test():
		res.note = "no token is made for a test event"
	default:
		claims, err := r.stack.Pool.Tokens(e.json, res.call.Payload, time.Now())
		if err != nil {
			got["Cognito"] = err.Error()
			return res
		}
		res.tokens, err = r.tokens(ctx, claims, got)
		if err != nil {
			got["tokens"] = err.Error()
		}
	}
	return res
}

// changes names the members of the event that did not come back as they were, apart from the response.
func changes(sent, answer []byte) string {
	var before, after map[string]json.RawMessage
	if json.Unmarshal(sent, &before) != nil || json.Unmarshal(answer, &after) != nil {
		return "not an object"
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool {
		return name == "response" || bytes.Equal(before[name], after[name])
	})
	if len(all) == 0 {
		return "unchanged"
	}
	return "changed: " + strings.Join(slices.Sorted(maps.Keys(all)), ", ")
}

// readRow reads the row that the expectation is about, and adds the columns that it names.
func (r runner) readRow(ctx context.Context, want, got facts) stack.Row {
	id := want["row, "+users.Description.Key]
	if id == "" {
		return nil
	}
	r.known[id] = true
	rows, err := r.stack.Users(ctx)
	if err != nil {
		got["row"] = err.Error()
		return nil
	}
	i := slices.IndexFunc(rows, func(row stack.Row) bool { return row.ID() == id })
	if i < 0 {
		return nil
	}
	for name := range want {
		if column, ok := strings.CutPrefix(name, "row, "); ok {
			got[name] = rows[i].Text(column)
		}
	}
	for _, column := range users.Description.Columns {
		if name := "row, " + column.Name; column.Kind == users.Timestamp && got[name] != "" {
			got[name] = "set"
		}
	}
	return rows[i]
}

// differences compares facts, in the order of their names.
func differences(got, want facts) (texts []string) {
	all := maps.Clone(got)
	maps.Copy(all, want)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if got[name] != want[name] {
			texts = append(texts, fmt.Sprintf("%s: %s, want %s", name, shown(got[name]), shown(want[name])))
		}
	}
	return texts
}

func shown(fact string) string {
	if fact == "" {
		return "nothing"
	}
	return fact
}
