package main

import (
	"context"
	"sync/atomic"
	"time"
)

// margin is what is left of a call's own deadline for answering.
const margin = 300 * time.Millisecond

// A budget bounds the time of each call. Cognito's clock also runs while a cold
// environment starts, so the first call's time counts from the process's start,
// if it was that call which started the environment.
type budget struct {
	time    time.Duration
	started time.Time   // of the process
	ready   time.Time   // when it began to take calls
	cold    atomic.Bool // no call came yet
	demand  bool        // environments start when a call needs one
}

// waiting is how soon the first call comes, once the process takes calls, if it was
// waiting for that. Lambda also starts environments ahead of need, some of them
// without saying so; their first call has all its time before it.
const waiting = 100 * time.Millisecond

// newBudget is called when the process is ready to take calls.
func newBudget(d time.Duration, started time.Time, getenv func(string) string) *budget {
	b := &budget{time: d, started: started, ready: time.Now(), demand: getenv("AWS_LAMBDA_INITIALIZATION_TYPE") == "on-demand"}
	b.cold.Store(true)
	return b
}

// call returns the context of a call that came in at a time, and whether it is the
// environment's first.
func (b *budget) call(ctx context.Context, at time.Time) (_ context.Context, cancel context.CancelFunc, first bool) {
	from := at
	if first = b.cold.CompareAndSwap(true, false); first && b.demand && at.Sub(b.ready) < waiting {
		from = b.started
	}
	end := from.Add(b.time)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-margin).Before(end) {
		end = deadline.Add(-margin)
	}
	ctx, cancel = context.WithDeadline(ctx, end)
	return ctx, cancel, first
}

// reserve is what is kept of a call's time for parking; of a small budget, a third.
const reserve = time.Second

// less returns the context of a call without the time that is kept for parking.
func (b *budget) less(call context.Context) (context.Context, context.CancelFunc) {
	end, _ := call.Deadline()
	return context.WithDeadline(call, end.Add(-min(reserve, b.time/3)))
}
