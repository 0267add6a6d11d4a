package main

import (
	"context"
	"sync/atomic"
	"time"
)

// margin is kept of a call's own deadline for the response.
const margin = 300 * time.Millisecond

// A budget bounds the time of each call. Cognito's five seconds also pass while a cold
// execution environment starts. So the time of the first call counts from the start of the
// process, if that call caused the cold start.
type budget struct {
	time     time.Duration
	started  time.Time   // when the process started
	ready    time.Time   // when it was ready for calls
	cold     atomic.Bool // there was no call yet
	onDemand bool        // execution environments start when a call needs one
}

// A first call within coldCall after ready is assumed to have caused the cold start.
// Lambda also starts execution environments before a call needs one, sometimes without
// saying so; their first call has its whole time.
const coldCall = 100 * time.Millisecond

// newBudget returns a budget for a process that is now ready for calls.
func newBudget(d time.Duration, started time.Time, getenv func(string) string) *budget {
	b := &budget{time: d, started: started, ready: time.Now(), onDemand: getenv("AWS_LAMBDA_INITIALIZATION_TYPE") == "on-demand"}
	b.cold.Store(true)
	return b
}

// call returns the context of a call that came in at a time, and whether it is the first
// call of the execution environment.
func (b *budget) call(ctx context.Context, at time.Time) (_ context.Context, cancel context.CancelFunc, first bool) {
	from := at
	if first = b.cold.CompareAndSwap(true, false); first && b.onDemand && at.Sub(b.ready) < coldCall {
		from = b.started
	}
	end := from.Add(b.time)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-margin).Before(end) {
		end = deadline.Add(-margin)
	}
	ctx, cancel = context.WithDeadline(ctx, end)
	return ctx, cancel, first
}

// parkTime is kept of a call's time for parking; of a small budget it is a third.
const parkTime = time.Second

// beforeParking returns the context of a call without the time for parking.
func (b *budget) beforeParking(call context.Context) (context.Context, context.CancelFunc) {
	end, _ := call.Deadline()
	return context.WithDeadline(call, end.Add(-min(parkTime, b.time/3)))
}
