package usertable

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/phenom-earth/hasura-cognito/pkg/pool"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
)

// parallel is how many parts run side by side. One chain of pages of 150 ms takes about 6 requests per second.
const parallel = 8

// A Result is what a run did, or would do.
type Result struct {
	UserPoolID string       `json:"userPoolId"`
	DryRun     bool         `json:"dryRun"`
	Complete   bool         `json:"complete"`
	InPool     int          `json:"inPool"`
	InTable    int          `json:"inTable"` // rows of users in the pool
	Counts     Counts       `json:"counts"`
	Columns    Columns      `json:"columns"`           // rows to update, by column
	Refused    []string     `json:"refused,omitempty"` // why rows of users who seem to be gone were not looked at
	Samples    []Difference `json:"samples"`
	Failed     []Failure    `json:"failed,omitempty"`
	Stopped    bool         `json:"interrupted,omitempty"`
}

// Counts has the number of users by outcome.
type Counts map[reconcile.Outcome]int

// Columns counts rows by column.
type Columns map[string]int

// A Difference is a user whose row is not equal to the pool. It has no values.
type Difference struct {
	Sub     string            `json:"sub"`
	Outcome reconcile.Outcome `json:"outcome"`
	Columns []string          `json:"columns,omitempty"`
}

// A Failure is a part that did not end.
type Failure struct {
	Prefix string `json:"prefix"` // of the subs
	Error  string `json:"error"`
}

// Findings reports whether the table is not equal to the pool: what a dry run would write, and what a run could not.
func (r Result) Findings() bool {
	found := []reconcile.Outcome{reconcile.Ignored, reconcile.Duplicate, reconcile.Failed, reconcile.Gone}
	if r.DryRun {
		found = append(found, reconcile.Inserted, reconcile.Updated, reconcile.Marked)
	}
	return len(r.Refused) > 0 || slices.ContainsFunc(found, func(o reconcile.Outcome) bool { return r.Counts[o] > 0 })
}

// Total returns about how many users a run reads: all, or those of a prefix.
func (t *Table) Total(ctx context.Context, prefix string) (int, error) {
	total, err := t.Pool.Estimate(ctx)
	if err != nil {
		return 0, hint(fmt.Errorf("estimate the number of users: %w", err))
	}
	if prefix != "" { // in newer pools the second digit is the same for all users
		total = int(math.Ceil(float64(total) / math.Pow(16, float64(min(len(prefix), 1)+max(len(prefix)-2, 0)))))
	}
	return total, nil
}

// Run compares all users, or those of a prefix, and writes the differences unless it is a dry run. total is from Total.
// A part that fails does not stop the others, unless all would fail.
func (t *Table) Run(ctx context.Context, prefix string, total int) Result {
	parts := reconcile.Plan(total)
	if prefix != "" {
		parts = []string{prefix}
	}
	var mu sync.Mutex
	sum := reconcile.Report{Complete: true}
	result := Result{UserPoolID: t.Pool.ID, DryRun: t.DryRun}
	group, all := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, part := range parts {
		group.Go(func() error {
			if all.Err() != nil {
				return nil
			}
			report, err := t.Part(all, part)
			mu.Lock()
			defer mu.Unlock()
			sum.Add(report)
			if report.Refused != "" {
				result.Refused = append(result.Refused, strings.TrimPrefix(part+": "+report.Refused, ": "))
			}
			switch {
			case err == nil:
				return nil
			case all.Err() == nil:
				result.Failed = append(result.Failed, Failure{part, hint(err).Error()})
			}
			if _, ofPool := errors.AsType[*pool.Error](err); reconcile.IsPermanent(err) && ofPool {
				return err // the other parts would fail too
			}
			return nil
		})
	}
	stopped := group.Wait() != nil || ctx.Err() != nil
	result.Stopped = ctx.Err() != nil
	result.Complete = !stopped && sum.Complete
	result.InPool, result.Counts, result.Columns = sum.InPool, sum.Counts, sum.Columns
	result.InTable = sum.Counts[reconcile.Same] + sum.Counts[reconcile.Newer] + sum.Counts[reconcile.Updated]
	if !t.DryRun {
		result.InTable += sum.Counts[reconcile.Inserted]
	}
	result.Samples = make([]Difference, len(sum.Samples))
	for i, d := range sum.Samples {
		result.Samples[i] = Difference{d.Sub, d.Outcome, d.Columns}
	}
	slices.Sort(result.Refused)
	return result
}
