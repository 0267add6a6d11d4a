package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// drain parks syncs while Hasura is down, and replays them while each of its answers takes 5 ms, as over a network. It
// returns how many were replayed per second.
func drain(ctx context.Context, built string, syncs int) (rate float64, err error) {
	e, err := start(ctx, built, row{}, size{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if err := e.Hasura.Set(stack.Status(503, "")); err != nil {
		return 0, err
	}
	const environments = 10
	var workers sync.WaitGroup
	for first := range environments {
		workers.Go(func() {
			for n := first; n < syncs; n += environments {
				e.signIn(ctx, e.call, user{n + 1, 1}, nil)
			}
		})
	}
	workers.Wait()
	if n := len(e.Queues.Bodies(stack.Queue)); n != syncs {
		return 0, fmt.Errorf("%d syncs are parked, want %d", n, syncs)
	}
	if err := e.Hasura.Set(stack.Slow(5 * time.Millisecond)); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := e.Replay(ctx); err != nil {
		return 0, err
	}
	took := time.Since(began)
	rows, err := e.Users(ctx)
	if err == nil && len(rows) != syncs {
		err = fmt.Errorf("%d rows are written, want %d", len(rows), syncs)
	}
	return float64(syncs) / took.Seconds(), err
}
