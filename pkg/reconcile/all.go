package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// All runs several parts, some of them side by side, and returns the sum of their reports.
// A part that fails does not keep the others from running; its error is in the error. done,
// if not nil, is called after each part, one call at a time.
func (r *Reconciler) All(ctx context.Context, prefixes []string, parallel int, done func(prefix string, err error)) (Report, error) {
	sum := Report{Complete: true}
	sum.init()
	var (
		mu      sync.Mutex
		errs    []error
		running sync.WaitGroup
		free    = make(chan struct{}, max(1, parallel))
	)
	for _, prefix := range prefixes {
		free <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			defer func() { <-free }()
			report, err := r.Part(ctx, prefix)
			mu.Lock()
			defer mu.Unlock()
			sum.Add(report)
			if err != nil {
				errs = append(errs, fmt.Errorf("part %q: %w", prefix, err))
			}
			if done != nil {
				done(prefix, err)
			}
		})
	}
	running.Wait()
	if ctx.Err() != nil {
		sum.Complete = false
		errs = append(errs, ctx.Err())
	}
	return sum, errors.Join(errs...)
}
