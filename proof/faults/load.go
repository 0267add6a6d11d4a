package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	table "github.com/phenom-earth/hasura-cognito/pkg/users"
)

// users is how many users sign in, one after the other, if a row does not say otherwise.
const users = 5

// few lets some users sign in while the fault lasts.
func few(ctx context.Context, e *environment) error {
	if err := e.fault(true); err != nil {
		return err
	}
	for n := range users {
		e.signIn(ctx, e.call, user{n + 1, 1}, nil)
	}
	return nil
}

// faultsOfStream is how often the fault of a stream begins.
const faultsOfStream = 2

// recovers lets one user sign in while the fault lasts, and the others at once after it.
func recovers(ctx context.Context, e *environment) error {
	err := e.fault(true)
	e.signIn(ctx, e.call, user{1, 1}, nil)
	err = errors.Join(err, e.fault(false))
	for n := 1; n < users; n++ {
		e.signIn(ctx, e.call, user{n + 1, 1}, nil)
	}
	return err
}

// stream lets users sign in from many environments while the fault begins, ends, begins again and ends. Each user signs
// in a number of times.
func stream(times int) load {
	return func(ctx context.Context, e *environment) error {
		var begun atomic.Int64
		var mu sync.Mutex
		var errs []error
		turn := func(on bool) {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, e.fault(on))
		}
		each := e.size.signIns / e.size.environments
		var workers sync.WaitGroup
		for worker := range e.size.environments {
			workers.Go(func() {
				for i := range each {
					switch int(begun.Add(1)) {
					case e.size.signIns * 2 / 10, e.size.signIns * 6 / 10:
						turn(true)
					case e.size.signIns * 4 / 10, e.size.signIns * 8 / 10:
						turn(false)
					}
					e.signIn(ctx, e.call, user{worker*each + i/times + 1, i%times + 1}, nil)
				}
			})
		}
		workers.Wait()
		return errors.Join(errs...)
	}
}

// whileReplaying replays the queue at the same time.
func whileReplaying(l load) load {
	return func(ctx context.Context, e *environment) error {
		running, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- e.Mapping().Run(running) }()
		err := l(ctx, e)
		stop()
		return errors.Join(err, <-done)
	}
}

// copies sends one event three times at once.
func copies(ctx context.Context, e *environment) error {
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() { e.signIn(ctx, e.call, user{1, 1}, nil) })
	}
	calls.Wait()
	return nil
}

// outOfOrder parks a sign-in and writes the next one of the same user. The replay comes last. between runs between the two.
func outOfOrder(between load) load {
	return func(ctx context.Context, e *environment) error {
		err := e.fault(true)
		e.signIn(ctx, e.call, user{1, 1}, nil)
		if err := errors.Join(err, e.fault(false), between(ctx, e)); err != nil {
			return err
		}
		other, err := lambda.Start(e.Function(functions.Sync)) // whose breaker is closed
		if err != nil {
			return err
		}
		defer other.Close()
		e.signIn(ctx, other.Invoke, user{1, 2}, nil)
		return nil
	}
}

func nothing(context.Context, *environment) error { return nil }

// clockAhead parks the sync once more, with a time that is a day ahead.
func clockAhead(ctx context.Context, e *environment) error {
	ahead := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	body := regexp.MustCompile(`"synced_at":"[^"]*"`).ReplaceAllString(e.Queues.Bodies(stack.Queue)[0], `"synced_at":"`+ahead+`"`)
	queue := e.Mapping()
	_, err := queue.SQS.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue.QueueURL, MessageBody: &body})
	time.Sleep(2 * time.Millisecond) // SentTimestamp has whole milliseconds
	return err
}

// replayDuringFault replays until every parked sync is a dead letter.
func replayDuringFault(ctx context.Context, e *environment) error {
	if err := few(ctx, e); err != nil {
		return err
	}
	return e.Replay(ctx)
}

// killed ends the process when the row is written and the call is not yet answered. Then the user signs in again.
func killed(ctx context.Context, e *environment) error {
	environment, err := lambda.Start(e.Function(functions.Sync))
	if err != nil {
		return err
	}
	defer environment.Close()
	kill := stack.Serve(func(_ http.ResponseWriter, r *http.Request, service http.Handler) {
		service.ServeHTTP(httptest.NewRecorder(), r)
		environment.Kill()
	})
	if err := e.Hasura.Set(stack.Once(kill)); err != nil {
		return err
	}
	e.signIn(ctx, environment.Invoke, user{1, 1}, nil)
	e.signIn(ctx, environment.Invoke, user{1, 2}, nil)
	return nil
}

// lostAnswers loses the answers to the first two calls, so that Cognito waits for five seconds each time and calls again.
func lostAnswers(ctx context.Context, e *environment) error {
	e.signIn(ctx, e.call, user{1, 1}, func(attempt int) bool { return attempt < attempts })
	return nil
}

// lockedRows is the fault of rows that another transaction has locked: an upsert of the first users never ends, and
// everything else is answered.
func lockedRows(first int) stack.Fault {
	return stack.If(stack.Hang, func(_ *http.Request, body []byte) bool {
		for n := range first {
			if strings.Contains(string(body), user{n + 1, 1}.id()) {
				return true
			}
		}
		return false
	})
}

// slowReplay parks many syncs while Hasura is down, and replays them while the first three rows are locked.
func slowReplay(ctx context.Context, e *environment) error {
	if err := e.fault(true); err != nil {
		return err
	}
	for n := range 100 {
		e.signIn(ctx, e.call, user{n + 1, 1}, nil)
	}
	if err := e.Hasura.Set(lockedRows(3)); err != nil {
		return err
	}
	return e.Replay(ctx)
}

// aheadBy writes the user's row with a synced_at in the future, and lets the user sign in.
func aheadBy(d time.Duration) load {
	return func(ctx context.Context, e *environment) error {
		u := user{1, 1}
		row := u.values()
		row[table.SyncTime.Name] = time.Now().Add(d).UTC().Format(time.RFC3339)
		if err := e.Insert(ctx, row); err != nil {
			return err
		}
		e.signIn(ctx, e.call, user{1, 2}, nil)
		return nil
	}
}

// wrongSync lets a user sign in with each of the values of a setting of the sync function.
func wrongSync(setting string, values []string) load {
	return func(ctx context.Context, e *environment) error {
		return e.each(functions.Sync, setting, values, func(i int, call invoke) error {
			e.signIn(ctx, call, user{i + 1, 1}, nil)
			return nil
		})
	}
}

// wrongClaims lets a user get tokens with each of the values of a setting of the claims function. No token may have more
// rights than without the setting, and with invalid ROLES or TENANT_GROUPS no group gives a role.
func wrongClaims(setting string, values []string) load {
	return func(ctx context.Context, e *environment) error {
		event, err := os.ReadFile("events/pre-token-generation-v2-authentication.json") // in the group editor
		if err != nil {
			return err
		}
		want := map[string]any{"x-hasura-user-id": "1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15", "x-hasura-default-role": "user",
			"x-hasura-allowed-roles": []any{"user", "editor"}}
		if setting == "ROLES" || setting == "TENANT_GROUPS" {
			want["x-hasura-allowed-roles"] = []any{"user"}
		}
		return e.each(functions.Claims, setting, values, func(_ int, call invoke) error {
			began := time.Now()
			result, err := call(ctx, event)
			s := signIn{calls: 1, slowest: time.Since(began), request: result.RequestID}
			if err != nil || result.FunctionError != "" {
				s.refused = "the function failed"
			}
			e.signIns = append(e.signIns, s)
			tokens, err := e.Pool.Tokens(event, result.Payload, time.Now())
			if err != nil {
				return err
			}
			text, _ := tokens.ID["https://hasura.io/jwt/claims"].(string)
			var got map[string]any
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				return fmt.Errorf("claims %q: %w", text, err)
			}
			for name := range got {
				if want[name] == nil { // a valid entry of SESSION_VARIABLES
					delete(got, name)
				}
			}
			if !reflect.DeepEqual(got, want) {
				return fmt.Errorf("claims = %v, want %v", got, want)
			}
			return nil
		})
	}
}

// each starts an environment of a function with each of the values of a setting.
func (e *environment) each(function, setting string, values []string, do func(i int, call invoke) error) error {
	var errs []error
	for i, value := range values {
		f := e.Function(function)
		f.Env[setting] = value
		environment, err := lambda.Start(f)
		if err == nil {
			err = do(i, environment.Invoke)
			environment.Close()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s=%q: %w", setting, value, err))
		}
	}
	logged := 0
	for _, line := range e.Log.Lines() {
		if line.Message == "misconfigured" && strings.Contains(line.Text, setting) {
			logged++
		}
	}
	if logged != len(values) {
		errs = append(errs, fmt.Errorf("%d values of %s are logged as misconfigured, want %d", logged, setting, len(values)))
	}
	return errors.Join(errs...)
}
