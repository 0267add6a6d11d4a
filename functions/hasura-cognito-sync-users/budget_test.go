package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestBudget(t *testing.T) {
	const onDemand = "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand"
	rows := []struct {
		name     string
		env      string
		start    time.Duration // how long the process took to start
		wait     time.Duration // until the first call
		deadline time.Duration // of the call; 0 is none
		want     time.Duration // the first call's
		second   time.Duration // the second call's
	}{
		{"a cold start takes from the first call's time", onDemand, time.Second, 10 * time.Millisecond, 5 * time.Second, 2490 * time.Millisecond, 3500 * time.Millisecond},
		{"it may take all of it", onDemand, 6 * time.Second, 0, 5 * time.Second, -2500 * time.Millisecond, 3500 * time.Millisecond},
		{"an environment that was started ahead has its time", onDemand, time.Second, time.Minute, 5 * time.Second, 3500 * time.Millisecond, 3500 * time.Millisecond},
		{"so has provisioned concurrency", "AWS_LAMBDA_INITIALIZATION_TYPE=provisioned-concurrency", time.Second, 0, 5 * time.Second, 3500 * time.Millisecond, 3500 * time.Millisecond},
		{"and whatever does not say", "", time.Second, 0, 5 * time.Second, 3500 * time.Millisecond, 3500 * time.Millisecond},
		{"the call's own deadline comes first, less a margin", "", 0, 0, 3 * time.Second, 2700 * time.Millisecond, 2700 * time.Millisecond},
		{"no deadline at all", "", 0, 0, 0, 3500 * time.Millisecond, 3500 * time.Millisecond},
	}
	for _, row := range rows {
		synctest.Test(t, func(t *testing.T) {
			started := time.Now()
			time.Sleep(row.start)
			b := newBudget((3500 * time.Millisecond), started, environ(row.env))
			time.Sleep(row.wait)
			for i, want := range []time.Duration{row.want, row.second} {
				ctx := t.Context()
				if row.deadline != 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, row.deadline)
					defer cancel()
				}
				call, cancel, first := b.call(ctx, time.Now())
				defer cancel()
				deadline, _ := call.Deadline()
				if got := time.Until(deadline); got != want || first != (i == 0) {
					t.Errorf("%s: call %d has %v (first: %t), want %v", row.name, i+1, got, first, want)
				}
			}
		})
	}
}
