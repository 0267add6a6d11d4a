package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	table "github.com/phenom-earth/hasura-cognito/pkg/users"
)

// Cognito waits five seconds for a trigger. Then it can call it again while the first call still runs, and it gives up
// after three calls ("Customizing user pool workflows with Lambda triggers"). It does not repeat a call that failed.
const (
	timeout  = 5 * time.Second
	attempts = 3
)

// canary is part of everything that must not be logged: attributes, admin secrets, and what the services answer.
const canary = "canary"

// A user has signed in a number of times.
type user struct{ n, times int }

func (u user) id() string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", u.n, u.n) }

// The columns show which sign-in of the user they come from.
func (u user) username() string { return fmt.Sprintf("%s-%d", canary, u.n) }
func (u user) email() string    { return fmt.Sprintf("%s-%d-%d@example.com", canary, u.n, u.times) }
func (u user) name() string     { return fmt.Sprintf("%s the %dth", canary, u.times) }

// values are those of the user's row, by the names of sources.
func (u user) values() map[string]string {
	return map[string]string{table.Sub.Name: u.id(), table.UserID.Name: u.id(), table.Username.Name: u.username(), "email": u.email(), "name": u.name()}
}

// event is the sign-in as Cognito sends it.
func (u user) event() []byte {
	event, err := json.Marshal(map[string]any{
		"version": "1", "region": lambda.Region, "userPoolId": stack.PoolID, "userName": u.username(),
		"callerContext": map[string]string{"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789"},
		"triggerSource": "PostAuthentication_Authentication",
		"request": map[string]any{"newDeviceUsed": false, "userAttributes": map[string]string{
			"sub": u.id(), "email": u.email(), "name": u.name(), "cognito:user_status": "CONFIRMED"}},
		"response": map[string]any{},
	})
	if err != nil {
		panic(err) // strings and maps always marshal
	}
	return event
}

// A signIn is what Cognito made of the function's answers.
type signIn struct {
	user    user
	calls   int
	refused string        // why; empty if the user was let in
	slowest time.Duration // call, with the cold start
	request string        // id of the call that was answered
}

type invoke func(ctx context.Context, event []byte) (lambda.Result, error)

// signIn lets a user sign in. lost tells which answers never reach Cognito; nil means none.
func (e *environment) signIn(ctx context.Context, call invoke, u user, lost func(attempt int) bool) {
	const noAnswer = "no answer in time"
	s := signIn{user: u, refused: noAnswer}
	event := u.event()
	for s.calls < attempts && s.refused == noAnswer {
		s.calls++
		began := time.Now()
		limited, cancel := context.WithTimeout(ctx, timeout)
		result, err := call(limited, event)
		s.slowest = max(s.slowest, time.Since(began))
		if lost != nil && lost(s.calls) {
			<-limited.Done()
			err = limited.Err()
		}
		cancel()
		switch {
		case err != nil && ctx.Err() != nil, err == nil && result.FunctionError != "":
			s.refused, s.request = "the function failed: "+result.Failure().Type, result.RequestID
		case err == nil && !equalJSON(event, result.Payload):
			s.refused = "the event came back changed"
		case err == nil:
			s.refused, s.request = "", result.RequestID
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.signIns = append(e.signIns, s)
}

func equalJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
