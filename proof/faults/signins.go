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

	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// users is how many users sign in, one after the other, if a row does not say otherwise.
const users = 5

// few lets some users sign in while the fault lasts.
func few(ctx context.Context, p *play) error {
	if err := p.fault(true); err != nil {
		return err
	}
	for n := range users {
		p.signIn(ctx, p.call, user{n + 1, 1}, nil)
	}
	return nil
}

// stream lets users sign in from many environments while the fault begins, ends, begins again and ends. Each user signs
// in a number of times.
func stream(times int) func(context.Context, *play) error {
	return func(ctx context.Context, p *play) error {
		var begun atomic.Int64
		var mu sync.Mutex
		var errs []error
		turn := func(on bool) {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, p.fault(on))
		}
		each := p.size.signIns / p.size.environments
		var workers sync.WaitGroup
		for worker := range p.size.environments {
			workers.Go(func() {
				for i := range each {
					switch int(begun.Add(1)) {
					case p.size.signIns * 2 / 10, p.size.signIns * 6 / 10:
						turn(true)
					case p.size.signIns * 4 / 10, p.size.signIns * 8 / 10:
						turn(false)
					}
					p.signIn(ctx, p.call, user{worker*each + i/times + 1, i%times + 1}, nil)
				}
			})
		}
		workers.Wait()
		return errors.Join(errs...)
	}
}

// whileReplaying replays the queue at the same time.
func whileReplaying(signIns func(context.Context, *play) error) func(context.Context, *play) error {
	return func(ctx context.Context, p *play) error {
		running, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- p.Mapping().Run(running) }()
		err := signIns(ctx, p)
		stop()
		return errors.Join(err, <-done)
	}
}

// copies sends one event three times at once.
func copies(ctx context.Context, p *play) error {
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() { p.signIn(ctx, p.call, user{1, 1}, nil) })
	}
	calls.Wait()
	return nil
}

// outOfOrder parks a sign-in and writes the next one of the same user. The replay comes last. between runs between the two.
func outOfOrder(between func(context.Context, *play) error) func(context.Context, *play) error {
	return func(ctx context.Context, p *play) error {
		err := p.fault(true)
		p.signIn(ctx, p.call, user{1, 1}, nil)
		if err := errors.Join(err, p.fault(false), between(ctx, p)); err != nil {
			return err
		}
		other, err := lambda.Start(p.Function(stack.SyncUsers)) // whose breaker is closed
		if err != nil {
			return err
		}
		defer other.Close()
		p.signIn(ctx, other.Invoke, user{1, 2}, nil)
		return nil
	}
}

func nothing(context.Context, *play) error { return nil }

// clockAhead parks the sync once more, with a time that is a day ahead.
func clockAhead(ctx context.Context, p *play) error {
	ahead := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	body := regexp.MustCompile(`"synced_at":"[^"]*"`).ReplaceAllString(p.Queues.Bodies(stack.Queue)[0], `"synced_at":"`+ahead+`"`)
	queue := p.Mapping()
	_, err := queue.SQS.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queue.QueueURL, MessageBody: &body})
	time.Sleep(2 * time.Millisecond) // SentTimestamp has whole milliseconds
	return err
}

// replayDuringFault replays until every parked sync is a dead letter.
func replayDuringFault(ctx context.Context, p *play) error {
	if err := few(ctx, p); err != nil {
		return err
	}
	return p.Replay(ctx)
}

// killed ends the process when the row is written and the call is not yet answered. Then the user signs in again.
func killed(ctx context.Context, p *play) error {
	environment, err := lambda.Start(p.Function(stack.SyncUsers))
	if err != nil {
		return err
	}
	defer environment.Close()
	kill := stack.Serve(func(_ http.ResponseWriter, r *http.Request, service http.Handler) {
		service.ServeHTTP(httptest.NewRecorder(), r)
		environment.Kill()
	})
	if err := p.Hasura.Set(stack.Once(kill)); err != nil {
		return err
	}
	p.signIn(ctx, environment.Invoke, user{1, 1}, nil)
	p.signIn(ctx, environment.Invoke, user{1, 2}, nil)
	return nil
}

// lostAnswers loses the answers to the first two calls, so that Cognito waits for five seconds each time and calls again.
func lostAnswers(ctx context.Context, p *play) error {
	p.signIn(ctx, p.call, user{1, 1}, func(attempt int) bool { return attempt < attempts })
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
func slowReplay(ctx context.Context, p *play) error {
	if err := p.fault(true); err != nil {
		return err
	}
	for n := range 100 {
		p.signIn(ctx, p.call, user{n + 1, 1}, nil)
	}
	if err := p.Hasura.Set(lockedRows(3)); err != nil {
		return err
	}
	return p.Replay(ctx)
}

// aheadBy writes the user's row with a synced_at in the future, and lets the user sign in.
func aheadBy(d time.Duration) func(context.Context, *play) error {
	return func(ctx context.Context, p *play) error {
		u := user{1, 1}
		at := time.Now().Add(d).UTC().Format("2006-01-02T15:04:05.000000+00:00")
		if _, err := p.Database.SQL.ExecContext(ctx, "INSERT INTO users (id, username, email, name, synced_at) VALUES (?, ?, ?, ?, ?)",
			u.id(), u.username(), u.email(), u.name(), at); err != nil {
			return err
		}
		p.signIn(ctx, p.call, user{1, 2}, nil)
		return nil
	}
}

// wrongSync lets a user sign in with each of the values of a setting of the sync function.
func wrongSync(setting string, values []string) func(context.Context, *play) error {
	return func(ctx context.Context, p *play) error {
		return p.each(stack.SyncUsers, setting, values, func(i int, call invoke) error {
			p.signIn(ctx, call, user{i + 1, 1}, nil)
			return nil
		})
	}
}

// wrongClaims lets a user get tokens with each of the values of a setting of the claims function. No token may have more
// rights than without the setting, and invalid ROLES give no role.
func wrongClaims(setting string, values []string) func(context.Context, *play) error {
	return func(ctx context.Context, p *play) error {
		event, err := os.ReadFile("events/pre-token-generation-v2-authentication.json") // in the group editor
		if err != nil {
			return err
		}
		want := map[string]any{"x-hasura-user-id": "1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15", "x-hasura-default-role": "user",
			"x-hasura-allowed-roles": []any{"user", "editor"}}
		if setting == "ROLES" {
			want["x-hasura-allowed-roles"] = []any{"user"}
		}
		return p.each(stack.Trigger, setting, values, func(_ int, call invoke) error {
			began := time.Now()
			result, err := call(ctx, event)
			s := signIn{calls: 1, slowest: time.Since(began), request: result.RequestID}
			if err != nil || result.FunctionError != "" {
				s.refused = "the function failed"
			}
			p.signIns = append(p.signIns, s)
			tokens, err := p.Pool.Tokens(event, result.Payload, time.Now())
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
func (p *play) each(function, setting string, values []string, do func(i int, call invoke) error) error {
	var errs []error
	for i, value := range values {
		f := p.Function(function)
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
	for _, line := range p.Log.Lines() {
		if line.Message == "misconfigured" && strings.Contains(line.Text, setting) {
			logged++
		}
	}
	if logged != len(values) {
		errs = append(errs, fmt.Errorf("%d values of %s are logged as misconfigured, want %d", logged, setting, len(values)))
	}
	return errors.Join(errs...)
}
