package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/queue"
)

// margin is kept of the call's time: for the rows that are under way when a part is given
// up, and for the messages to send.
const margin = time.Minute

// A function is the reconcile function. It handles the messages of its queue.
type function struct {
	opener *reconcile.Opener
	queue  *queue.Queue
	log    *slog.Logger
}

// handle returns the messages that stay in the queue. It returns no error, which would
// keep the whole batch in the queue.
func (f *function) handle(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, record := range batch.Records {
		if err := f.one(ctx, record); err != nil {
			if errors.Is(err, errMessage) || reconcile.IsPermanent(err) {
				f.log.ErrorContext(ctx, "permanent failure", "message_id", record.MessageId, "error", err)
			} else {
				f.log.WarnContext(ctx, "will retry", "message_id", record.MessageId, "error", err)
			}
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: record.MessageId})
		}
	}
	return response, nil
}

func (f *function) one(ctx context.Context, record events.SQSMessage) error {
	m, err := readMessage(record.Body)
	if err != nil {
		return err
	}
	r, err := f.opener.Open(ctx)
	if err != nil {
		return err
	}
	switch {
	case m.Prefix == nil:
		return f.plan(ctx, r, record.MessageId)
	case m.Missing == nil:
		return f.part(ctx, r, m)
	}
	return f.lookAgain(ctx, r, m)
}

// plan sends a message for each part of the pool.
func (f *function) plan(ctx context.Context, r *reconcile.Reconciler, run string) error {
	estimate, err := r.Pool.Estimate(ctx)
	if err != nil {
		return fmt.Errorf("estimate the number of users: %w", err)
	}
	prefixes := reconcile.Plan(estimate)
	if err := f.queue.Send(ctx, parts(run, prefixes)); err != nil {
		return fmt.Errorf("send the parts: %w", err)
	}
	f.log.InfoContext(ctx, "planned", "run", run, "parts", len(prefixes), "about_users", estimate)
	return nil
}

// part reconciles one part. If that does not end in time, it sends messages for smaller
// parts. They begin at the start, but what is written already is not written again.
func (f *function) part(ctx context.Context, r *reconcile.Reconciler, m message) error {
	start, until := time.Now(), time.Time{}
	if end, ok := ctx.Deadline(); ok {
		until = end.Add(-min(margin, time.Until(end)/4))
	}
	report, missing, err := r.Compare(ctx, *m.Prefix, until)
	if unfinished, ok := errors.AsType[*reconcile.Unfinished](err); ok && len(unfinished.Parts) > 0 {
		if err := f.queue.Send(ctx, parts(m.Run, unfinished.Parts)); err != nil {
			return fmt.Errorf("send the smaller parts: %w", err)
		}
		f.done(m, report, start).InfoContext(ctx, "split", "parts", len(unfinished.Parts))
		return nil
	}
	if err != nil {
		return fmt.Errorf("part %q: %w", *m.Prefix, err)
	}
	if err := f.queue.Send(ctx, again(m, missing)); err != nil {
		return fmt.Errorf("send the users to look up again: %w", err)
	}
	f.done(m, report, start).InfoContext(ctx, "reconciled", "again", len(missing.Subs))
	return nil
}

// lookAgain looks up once more who was missing in a part. A message that does not end in
// time stays in the queue. Rows that it has marked stay as they are the next time.
func (f *function) lookAgain(ctx context.Context, r *reconcile.Reconciler, m message) error {
	start := time.Now()
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-min(margin, time.Until(end)/4)))
		defer cancel()
	}
	report, err := r.Confirm(ctx, *m.Missing)
	if err != nil {
		return fmt.Errorf("look up again: %w", err)
	}
	f.done(m, report, start).InfoContext(ctx, "looked up again")
	return nil
}

// done returns the log with what was done.
func (f *function) done(m message, report reconcile.Report, start time.Time) *slog.Logger {
	return f.log.With("run", m.Run, "prefix", *m.Prefix, "users", report, "drift", report.Drift(),
		"written", report.Counts[reconcile.Inserted]+report.Counts[reconcile.Updated], "ms", time.Since(start).Milliseconds())
}
