package main

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A function is the replay function. It writes the rows of a batch of parked syncs.
type function struct {
	table *users.Table
	write func(context.Context, users.Row) (stale bool, err error)
	log   *slog.Logger
}

const (
	rowTime = 3 * time.Second // bounds one row
	margin  = time.Second     // is kept of the call's time for the response
	// parallel bounds the rows that are written at the same time. A slow row then costs the
	// others nothing, and Hasura gets at most so many requests from one batch.
	parallel = 10
)

// replay returns the messages that stay in the queue. It returns no error, which would
// keep the whole batch in the queue.
func (r *function) replay(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-margin))
		defer cancel()
	}
	syncs, stay := r.read(ctx, batch.Records)
	written := make([]bool, len(syncs))
	var writers sync.WaitGroup
	free := make(chan struct{}, parallel)
	for i, s := range syncs {
		free <- struct{}{}
		writers.Go(func() {
			written[i] = r.writeOne(ctx, s)
			<-free
		})
	}
	writers.Wait()
	for i, s := range syncs {
		if !written[i] {
			stay = append(stay, s.messages...)
		}
	}
	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, id := range stay {
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return response, nil
}

// A userSync is what a batch says about one user: the newest sync, and the ids of all
// messages that are done when it is written.
type userSync struct {
	newest   parking.Message
	messages []string
}

// read groups a batch by user, in the order of their first messages. unreadable has the ids
// of messages that are not parked syncs; they stay in the queue until it moves them to the
// dead-letter queue.
func (r *function) read(ctx context.Context, records []events.SQSMessage) (syncs []*userSync, unreadable []string) {
	byUser := make(map[string]*userSync)
	for _, record := range records {
		m, err := parking.Read([]byte(record.Body), r.table)
		if err != nil {
			r.log.ErrorContext(ctx, "permanent failure", "message_id", record.MessageId, "error", err)
			unreadable = append(unreadable, record.MessageId)
			continue
		}
		if len(m.Dropped) > 0 {
			r.log.WarnContext(ctx, "attributes dropped", "user", m.Row, "columns", m.Dropped)
		}
		// No event came in after its message was sent. A later time comes from a wrong
		// clock, and would keep newer events out of the row.
		// SentTimestamp has whole milliseconds, so the event can be from any part of that one.
		if sent, err := strconv.ParseInt(record.Attributes["SentTimestamp"], 10, 64); err == nil {
			m.Row.Cap(time.UnixMilli(sent + 1))
		}
		s := byUser[m.Row.Key]
		if s == nil {
			s = &userSync{newest: m}
			byUser[m.Row.Key] = s
			syncs = append(syncs, s)
		} else {
			s.newest = merge(s.newest, m)
		}
		s.messages = append(s.messages, record.MessageId)
	}
	return syncs, unreadable
}

// merge returns the newer of two syncs of one user, with the later of their sign-in times.
func merge(a, b parking.Message) parking.Message {
	newer, older := a, b
	if b.Row.SyncedAt.After(a.Row.SyncedAt) {
		newer, older = b, a
	}
	if older.Row.SignedInAt.After(newer.Row.SignedInAt) {
		newer.Row.SignedInAt = older.Row.SignedInAt
	}
	return newer
}

// writeOne reports whether a user's messages can leave the queue.
func (r *function) writeOne(ctx context.Context, s *userSync) bool {
	m := s.newest
	log := r.log.With("user", m.Row, "trigger", m.Trigger, "parked_as", m.Class)
	one, cancel := context.WithTimeout(ctx, rowTime)
	defer cancel()
	stale, err := r.write(one, m.Row)
	class := hasura.ClassOf(err)
	age := slog.Int64("age_ms", time.Since(m.Row.SyncedAt).Milliseconds())
	switch {
	case stale && class == hasura.Permanent:
		log.WarnContext(ctx, "stale", "error", err, age)
	case err != nil && class == hasura.Permanent:
		log.ErrorContext(ctx, "permanent failure", "error", err, age)
		return false
	case err != nil:
		log.WarnContext(ctx, "will retry", "error", err, "class", class, age)
		return false
	case stale:
		log.InfoContext(ctx, "stale", age)
	default:
		log.InfoContext(ctx, "replayed", age)
	}
	return true
}
