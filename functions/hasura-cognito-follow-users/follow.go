package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
)

// margin is kept of the call's time for the response.
const margin = 5 * time.Second

// A follower handles batches of events.
type follower struct {
	open   func(context.Context) (*reconcile.Reconciler, error)
	poolID string
	log    *slog.Logger
}

// changed is what a batch says about one user.
type changed struct {
	messages []string  // ids
	at       time.Time // of the earliest call
}

// follow returns the messages that stay in the queue. It returns no error, which would keep
// the whole batch in the queue.
func (f *follower) follow(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-min(margin, time.Until(end)/4)))
		defer cancel()
	}
	byUser, subs := f.read(ctx, batch.Records)
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	if len(subs) == 0 {
		return response, nil
	}
	var outcomes map[string]reconcile.Outcome
	r, err := f.open(ctx)
	if err == nil {
		outcomes, err = r.Users(ctx, subs)
	}
	for _, sub := range subs {
		outcome, done := outcomes[sub]
		lag := slog.Attr{} // an empty attribute is not logged
		if at := byUser[sub].at; !at.IsZero() {
			lag = slog.Int64("lag_ms", time.Since(at).Milliseconds())
		}
		switch {
		case done && outcome != reconcile.Pending:
			f.log.InfoContext(ctx, "followed", "user", sub, "outcome", outcome, lag)
			continue
		case done:
			f.log.InfoContext(ctx, "will retry", "user", sub, "reason", "the row was written too recently to mark it", lag)
		case reconcile.IsPermanent(err):
			f.log.ErrorContext(ctx, "permanent failure", "user", sub, "error", err, lag)
		default:
			f.log.WarnContext(ctx, "will retry", "user", sub, "error", err, lag)
		}
		for _, id := range byUser[sub].messages {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
	}
	return response, nil
}

// read merges the events of a batch by user. It returns the subs in the order of their
// first events. An event that says nothing about a user leaves the queue.
func (f *follower) read(ctx context.Context, records []events.SQSMessage) (byUser map[string]*changed, subs []string) {
	byUser = make(map[string]*changed)
	for _, record := range records {
		h, reason := readHint([]byte(record.Body), f.poolID)
		if reason != "" {
			f.log.InfoContext(ctx, "ignored", "reason", reason, "event_id", h.eventID)
			continue
		}
		c := byUser[h.sub]
		if c == nil {
			c = &changed{at: h.at}
			byUser[h.sub] = c
			subs = append(subs, h.sub)
		}
		if h.at.Before(c.at) {
			c.at = h.at
		}
		if !slices.Contains(c.messages, record.MessageId) {
			c.messages = append(c.messages, record.MessageId)
		}
	}
	return byUser, subs
}
