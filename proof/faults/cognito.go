package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

// Cognito waits five seconds for a trigger and then may call it again while the first
// call still runs ("Customizing user pool workflows with Lambda triggers"); it gives up
// after three calls. What it does not repeat is a call that failed.
const (
	patience = 5 * time.Second
	attempts = 3
)

// A person has signed in a number of times.
type person struct {
	n, times int
}

func (p person) id() string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", p.n, p.n) }

// The columns that tell the newest sign-in of a person.
func (p person) username() string { return fmt.Sprintf("%s-%d", canary, p.n) }
func (p person) email() string    { return fmt.Sprintf("%s-%d-%d@example.com", canary, p.n, p.times) }
func (p person) name() string     { return fmt.Sprintf("%s the %dth", canary, p.times) }

// event is the sign-in as Cognito tells it.
func (p person) event() []byte {
	event, err := json.Marshal(map[string]any{
		"version": "1", "region": lambda.Region, "userPoolId": "us-east-1_ExaMPle01", "userName": p.username(),
		"callerContext": map[string]string{"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789"},
		"triggerSource": "PostAuthentication_Authentication",
		"request": map[string]any{"newDeviceUsed": false, "userAttributes": map[string]string{
			"sub": p.id(), "email": p.email(), "name": p.name(), "cognito:user_status": "CONFIRMED"}},
		"response": map[string]any{},
	})
	if err != nil {
		panic(err) // strings and maps always marshal
	}
	return event
}

// A visit is one sign-in and what Cognito made of the function's answers.
type visit struct {
	person  person
	calls   int
	refused string        // why; empty when the person was let in
	took    time.Duration // the slowest call, the environment's start with it
	request string        // id of the call that was answered
}

// A cognito calls the sync.
type cognito struct {
	invoke func(ctx context.Context, event []byte) (lambda.Result, error)
	// lose, if there is one, says which answers never come back.
	lose func(call int) bool

	mu     sync.Mutex
	visits []visit
}

// signIn is one sign-in, as often as Cognito calls for it.
func (c *cognito) signIn(ctx context.Context, p person) {
	v := visit{person: p, refused: "no answer in time"}
	event := p.event()
	for v.calls < attempts && v.refused == "no answer in time" {
		v.calls++
		began := time.Now()
		call, cancel := context.WithTimeout(ctx, patience)
		result, err := c.invoke(call, event)
		took := time.Since(began)
		if c.lose != nil && c.lose(v.calls) {
			<-call.Done()
			err = call.Err()
		}
		cancel()
		switch {
		case err != nil && ctx.Err() != nil, err == nil && result.FunctionError != "":
			v.refused = "the function failed: " + result.Failure().Type
		case err == nil && !same(event, result.Payload):
			v.refused = "the event came back changed"
		case err == nil:
			v.refused, v.request = "", result.RequestID
		}
		v.took = max(v.took, took)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.visits = append(c.visits, v)
}

func same(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
