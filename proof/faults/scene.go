package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

// A scene is a row of the table: something goes wrong while people sign in.
type scene struct {
	name   string
	domain func(*world) string // where the sync looks for Hasura; nil means where it is

	play func(ctx context.Context, w *world, size size) ([]visit, error)

	receives int // after which a parked sync is a dead letter; zero means 100, as in template.yaml

	want    []string // phrases that have to be in the log
	lossy   bool     // nothing is left to park in, so that syncs may be lost, but not silently
	mayFail int      // sign-ins that no code could have saved
}

// A size is that of the streams.
type size struct{ signIns, environments int }

// few is how many people sign in, one after the other, where a fault is alone.
const few = 5

// alone lets a few people sign in while something is wrong all the time.
func alone(t trouble) func(context.Context, *world, size) ([]visit, error) {
	return func(ctx context.Context, w *world, _ size) ([]visit, error) {
		if err := t.on(w); err != nil {
			return nil, err
		}
		c := w.cognito()
		for n := range few {
			c.signIn(ctx, person{n + 1, 1})
		}
		return c.visits, t.off(w)
	}
}

// stream lets people sign in from many environments while something goes wrong, ends,
// goes wrong again and ends again. Each person signs in a number of times.
func stream(t trouble, times int) func(context.Context, *world, size) ([]visit, error) {
	return func(ctx context.Context, w *world, size size) ([]visit, error) {
		c := w.cognito()
		var errs []error
		var mu sync.Mutex
		turn := func(do func(*world) error) {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, do(w))
		}
		var begun atomic.Int64
		each := size.signIns / size.environments
		var workers sync.WaitGroup
		for worker := range size.environments {
			workers.Go(func() {
				for i := range each {
					switch int(begun.Add(1)) {
					case size.signIns * 2 / 10, size.signIns * 6 / 10:
						turn(t.on)
					case size.signIns * 4 / 10, size.signIns * 8 / 10:
						turn(t.off)
					}
					c.signIn(ctx, person{worker*each + i/times + 1, i%times + 1})
				}
			})
		}
		workers.Wait()
		return c.visits, errors.Join(errs...)
	}
}

// replaying is play while the queue is replayed at the same time.
func replaying(play func(context.Context, *world, size) ([]visit, error)) func(context.Context, *world, size) ([]visit, error) {
	return func(ctx context.Context, w *world, size size) ([]visit, error) {
		running, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- w.mapping.Run(running) }()
		visits, err := play(ctx, w, size)
		stop()
		return visits, errors.Join(err, <-done)
	}
}

// rotation puts the second secret into Secrets Manager and into Hasura, once.
func rotation() trouble {
	return trouble{
		on: func(w *world) error {
			w.manager.Put(secretName, bag(secondSecret))
			w.hasura.become(w.rotated)
			return nil
		},
		off: func(*world) error { return nil },
	}
}

// copies calls the sync three times at once with one event.
func copies(ctx context.Context, w *world, _ size) ([]visit, error) {
	c := w.cognito()
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() { c.signIn(ctx, person{1, 1}) })
	}
	calls.Wait()
	return c.visits, nil
}

// disorder parks a sign-in, lets the next one through, and only then replays.
func disorder(ctx context.Context, w *world, _ size) ([]visit, error) {
	c := w.cognito()
	down := at(theHasura, status(http.StatusServiceUnavailable, ""))
	if err := down.on(w); err != nil {
		return nil, err
	}
	c.signIn(ctx, person{1, 1})
	if err := down.off(w); err != nil {
		return nil, err
	}
	other, err := lambda.Start(w.sync) // whose breaker is closed
	if err != nil {
		return nil, err
	}
	defer other.Close()
	c.invoke = other.Invoke
	c.signIn(ctx, person{1, 2})
	return c.visits, nil
}

// redriven parks what Hasura takes only once somebody has mended it, by which time it is
// all dead letters.
func redriven(ctx context.Context, w *world, _ size) ([]visit, error) {
	broken := at(theHasura, hasuraError("validation-failed", ""))
	if err := broken.on(w); err != nil {
		return nil, err
	}
	c := w.cognito()
	for n := range few {
		c.signIn(ctx, person{n + 1, 1})
	}
	if err := w.replay(ctx); err != nil {
		return nil, err
	}
	if err := broken.off(w); err != nil {
		return nil, err
	}
	if n := w.queue.Redrive(queueName); n != few {
		return nil, fmt.Errorf("%d dead letters, want %d", n, few)
	}
	return c.visits, nil
}

// killed ends the process when the row is written and not yet answered for; then the
// person signs in again.
func killed(ctx context.Context, w *world, _ size) ([]visit, error) {
	environment, err := lambda.Start(w.sync)
	if err != nil {
		return nil, err
	}
	defer environment.Close()
	c := w.cognito()
	c.invoke = environment.Invoke
	w.hasura.misbehave(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(rw, r)
			return
		}
		next.ServeHTTP(httptest.NewRecorder(), r)
		environment.Kill()
	})
	c.signIn(ctx, person{1, 1})
	w.hasura.misbehave(nil)
	c.signIn(ctx, person{1, 2})
	return c.visits, nil
}

// stalled loses the answers to the first two calls on their way, so that Cognito waits
// for five seconds each time and calls again.
func stalled(ctx context.Context, w *world, _ size) ([]visit, error) {
	c := w.cognito()
	c.lose = func(call int) bool { return call < attempts }
	c.signIn(ctx, person{1, 1})
	return c.visits, nil
}

// run plays a scene in a world of its own, ends what was wrong, replays the queue and
// asks the oracle.
func (s scene) run(ctx context.Context, functions string, size size) (f finding, w *world, err error) {
	if w, err = build(ctx, functions, s); err != nil {
		return f, nil, err
	}
	defer func() { err = errors.Join(err, w.end()) }()
	visits, err := s.play(ctx, w, size)
	if err != nil {
		return f, w, err
	}
	calls := 0
	for _, v := range visits {
		calls += v.calls
	}
	w.journal.settle(calls-s.mayFail, 5*time.Second)
	err = w.replay(ctx)
	return w.judge(ctx, s, visits), w, err
}
