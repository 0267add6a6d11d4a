package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
)

// A replayer writes the rows of a batch of parked syncs.
type replayer struct {
	upsert func(context.Context, hasura.Row) (stale bool, err error)
	log    *slog.Logger
}

// patience bounds what one row may take, so that one that hangs leaves time for
// the others; margin is what is left of the call's time for answering.
const (
	patience = 3 * time.Second
	margin   = time.Second
)

// replay answers with the messages that are to stay in the queue. It returns no
// error: that would keep the whole batch there.
func (r *replayer) replay(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	stay := func(ids ...string) {
		for _, id := range ids {
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
	}
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-margin))
		defer cancel()
	}
	people, unreadable := r.read(ctx, batch.Records)
	stay(unreadable...)
	for _, p := range people {
		if !r.write(ctx, p) {
			stay(p.ids...)
		}
	}
	return answer, nil
}

// A person is what a batch says about one: the newest sync, and all messages that
// are done with when it is.
type person struct {
	newest parking.Message
	ids    []string
}

// read sorts a batch by person, in the order of their first messages. What is no
// parked sync stays in the queue for its dead letters.
func (r *replayer) read(ctx context.Context, records []events.SQSMessage) (people []*person, unreadable []string) {
	byID := make(map[string]*person)
	for _, record := range records {
		var m parking.Message
		if err := m.UnmarshalJSON([]byte(record.Body)); err != nil {
			r.log.ErrorContext(ctx, "broken", "message", record.MessageId, "error", err)
			unreadable = append(unreadable, record.MessageId)
			continue
		}
		p := byID[m.Row.Id]
		if p == nil {
			p = &person{newest: m}
			byID[m.Row.Id] = p
			people = append(people, p)
		} else if m.Row.Synced_at.After(*p.newest.Row.Synced_at) {
			p.newest = m
		}
		p.ids = append(p.ids, record.MessageId)
	}
	return people, unreadable
}

// write reports whether a person's messages are done with.
func (r *replayer) write(ctx context.Context, p *person) bool {
	m := p.newest
	log := r.log.With("user", m.Row.Id, "trigger", m.Trigger, "parked_as", m.Class)
	one, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stale, err := r.upsert(one, m.Row)
	age := time.Since(*m.Row.Synced_at).Milliseconds()
	if err != nil {
		class := hasura.ClassOf(err)
		if class == hasura.Broken {
			log.ErrorContext(ctx, "broken", "error", err, "age_ms", age)
		} else {
			log.WarnContext(ctx, "left for later", "error", err, "class", class, "age_ms", age)
		}
		return false
	}
	if stale {
		log.InfoContext(ctx, "stale", "age_ms", age)
	} else {
		log.InfoContext(ctx, "replayed", "age_ms", age)
	}
	return true
}
