package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// namespace is where the claims stand that Hasura reads.
const namespace = "https://hasura.io/jwt/claims"

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

	untried bool // no token is made of this answer
}

// A token is one that the app would get, and what Hasura says to it.
type token struct {
	use     string // id or access
	claims  userpool.Claims
	hasura  *hasuraClaims // nil when it has none
	own     []stack.Row
	refused *stack.Refusal
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

// checkTokens has the pool make tokens of the answer and gives them to Hasura.
func (v *visit) checkTokens(ctx context.Context, e recorded, s *seen) {
	f := e.facts()
	claims, err := v.stack.Pool.Tokens(e.json, s.call.Payload, time.Now())
	if err != nil {
		s.fault("Cognito would say: %v", err)
		return
	}
	id, access, err := v.stack.Pool.Sign(claims)
	if err != nil {
		s.fault("%v", err)
		return
	}
	person := f.outcome() == "shaped"
	if claims.ID != nil {
		s.tokens = append(s.tokens, v.read(ctx, "id", claims.ID, id, s))
		v.checkToken(f, s.tokens[0], person, s)
	}
	t := v.read(ctx, "access", claims.Access, access, s)
	s.tokens = append(s.tokens, t)
	v.checkToken(f, t, person && f.access(), s)
}

func (v *visit) read(ctx context.Context, use string, claims userpool.Claims, signed string, s *seen) token {
	t := token{use: use, claims: claims}
	if text, ok := claims[namespace].(string); ok {
		if err := json.Unmarshal([]byte(text), &t.hasura); err != nil {
			s.fault("%s token: Hasura's claims are not JSON: %v", use, err)
		}
	} else if claims[namespace] != nil {
		s.fault("%s token: Hasura's claims are no string, as stringified_json wants", use)
	}
	var err error
	if t.own, err = v.stack.Own(ctx, signed); err != nil {
		var ok bool
		if t.refused, ok = errors.AsType[*stack.Refusal](err); !ok {
			s.fault("%s token: %v", use, err)
		}
	}
	return t
}

// checkToken compares a token with what the event promises.
func (v *visit) checkToken(f facts, t token, claims bool, s *seen) {
	if groups := f.Request.GroupConfiguration.GroupsToOverride; len(groups) > 0 && !reflect.DeepEqual(t.claims["cognito:groups"], groups) {
		s.fault("%s token: cognito:groups = %v, want %v", t.use, t.claims["cognito:groups"], groups)
	}
	if roles := f.Request.GroupConfiguration.IAMRolesToOverride; t.use == "id" && len(roles) > 0 && !reflect.DeepEqual(t.claims["cognito:roles"], roles) {
		s.fault("id token: cognito:roles = %v, want %v", t.claims["cognito:roles"], roles)
	}
	if !claims {
		if t.hasura != nil {
			s.fault("%s token: has Hasura's claims, want none", t.use)
		}
		if t.refused == nil || t.refused.Code != "jwt-invalid-claims" {
			s.fault("%s token: Hasura answered %v, want jwt-invalid-claims", t.use, t.refused)
		}
		return
	}
	if want := f.claims(); t.hasura == nil || !reflect.DeepEqual(*t.hasura, want) {
		s.fault("%s token: Hasura's claims = %+v, want %+v", t.use, t.hasura, want)
	}
	if t.refused != nil {
		s.fault("%s token: Hasura refused it: %v", t.use, t.refused)
		return
	}
	want := 0
	if v.rows[f.attribute("sub")] {
		want = 1
	}
	if len(t.own) != want || want == 1 && t.own[0].Text("id") != f.attribute("sub") {
		s.fault("%s token: Hasura showed %d rows, want %d, the person's own", t.use, len(t.own), want)
	}
}
