package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/queue"
)

// margin is kept of the call's time for the messages to send and the response.
const margin = 10 * time.Second

// A function is the follow function. A message is an event, or one that the function has sent to itself.
type function struct {
	open   func(context.Context) (*reconcile.Reconciler, error)
	queue  *queue.Queue
	poolID string
	log    *slog.Logger
}

// changed is what a batch says about one user.
type changed struct {
	look     reconcile.Look
	messages []string  // ids
	at       time.Time // of the earliest call
}

// follow returns the messages that stay in the queue. It returns no error, which would keep
// the whole batch in the queue.
func (f *function) follow(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	all := f.read(ctx, batch.Records)
	if len(all) == 0 {
		return response, nil
	}
	outcomes, again, err := f.look(ctx, all)
	if sendErr := f.lookAgain(ctx, all, again); sendErr != nil {
		err = sendErr
		for sub := range again {
			delete(outcomes, sub)
		}
	}
	for _, c := range all {
		sub := c.look.Sub
		outcome, done := outcomes[sub]
		_, later := again[sub]
		lag := slog.Attr{} // an empty attribute is not logged
		if !c.at.IsZero() {
			lag = slog.Int64("lag_ms", time.Since(c.at).Milliseconds())
		}
		switch {
		case done && later:
			f.log.InfoContext(ctx, "will look up again", "user", sub, "outcome", outcome)
			continue
		case done:
			f.log.InfoContext(ctx, "followed", "user", sub, "outcome", outcome, lag)
			continue
		case reconcile.IsPermanent(err):
			f.log.ErrorContext(ctx, "permanent failure", "user", sub, "error", err, lag)
		default:
			f.log.WarnContext(ctx, "will retry", "user", sub, "error", err, lag)
		}
		for _, id := range c.messages {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
	}
	return response, nil
}

// look looks the users up in the time that the call has.
func (f *function) look(ctx context.Context, all []*changed) (map[string]reconcile.Outcome, map[string]reconcile.Look, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-min(margin, time.Until(end)/4)))
		defer cancel()
	}
	r, err := f.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	looks := make([]reconcile.Look, len(all))
	for i, c := range all {
		looks[i] = c.look
	}
	return r.Look(ctx, looks)
}

// lookAgain sends a delayed message for each user who must be looked up again.
func (f *function) lookAgain(ctx context.Context, all []*changed, again map[string]reconcile.Look) error {
	var messages []queue.Message
	for _, c := range all {
		if look, ok := again[c.look.Sub]; ok {
			messages = append(messages, queue.Message{Body: message{version, look, c.at}, Delay: look.Wait})
		}
	}
	if err := f.queue.Send(ctx, messages); err != nil {
		return fmt.Errorf("send the users to look up again: %w", err)
	}
	return nil
}

// read merges the messages of a batch by user, in the order of their first messages. An event
// that says nothing about a user leaves the queue.
func (f *function) read(ctx context.Context, records []events.SQSMessage) (all []*changed) {
	byUser, known := make(map[string]*changed), make(map[string]bool)
	for _, record := range records {
		look, at, again := reconcile.Look{}, time.Time{}, false
		if m, ok := readMessage([]byte(record.Body)); ok {
			look, at = m.Look, m.ChangedAt
		} else {
			h, reason := readHint([]byte(record.Body), f.poolID)
			if reason != "" {
				f.log.InfoContext(ctx, "ignored", "reason", reason, "event_id", h.eventID)
				continue
			}
			look.Sub, at, again = h.sub, h.at, known[h.eventID]
			known[h.eventID] = h.eventID != ""
		}
		c := byUser[look.Sub]
		if c == nil {
			c = &changed{look: look, at: at}
			byUser[look.Sub] = c
			all = append(all, c)
		} else if !again {
			c.look = c.look.Merge(look)
			c.look.Several = true
		}
		if at.Before(c.at) {
			c.at = at
		}
		if !slices.Contains(c.messages, record.MessageId) {
			c.messages = append(c.messages, record.MessageId)
		}
	}
	return all
}
