package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

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

// outOfOrder parks a sign-in and writes the next one of the same user. The replay comes last.
func outOfOrder(ctx context.Context, p *play) error {
	if err := p.fault(true); err != nil {
		return err
	}
	p.signIn(ctx, p.call, user{1, 1}, nil)
	if err := p.fault(false); err != nil {
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

// each lets a user sign in with each of the values of a setting, in an environment each.
func each(setting string, values []string) func(context.Context, *play) error {
	return func(ctx context.Context, p *play) error {
		for i, value := range values {
			f := p.Function(stack.SyncUsers)
			f.Env[setting] = value
			environment, err := lambda.Start(f)
			if err != nil {
				return fmt.Errorf("%s=%q: %w", setting, value, err)
			}
			p.signIn(ctx, environment.Invoke, user{i + 1, 1}, nil)
			environment.Close()
		}
		return nil
	}
}
