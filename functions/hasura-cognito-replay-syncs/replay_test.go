package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const (
	jane = "69f23de6-af9e-43cc-b208-8b269334667d"
	john = "3c6fcb0d-b156-4d9b-8dd3-77a8fd9a8954"
)

// table is a table for these tests. They do not follow changes of users.Description.
var table = users.Table{Key: "id", SyncedAt: "synced_at", SignedInAt: "last_sign_in_at", Columns: []users.Column{
	{Name: "id", Kind: users.UUID, Source: users.Sub},
	{Name: "email", Kind: users.Text, Source: users.Attribute("email")},
	{Name: "last_sign_in_at", Kind: users.Timestamp, Source: users.SignInTime},
	{Name: "synced_at", Kind: users.Timestamp, Source: users.SyncTime},
}}

// message returns a parked sync of a user at a second of a minute.
func message(id, user string, second int) events.SQSMessage {
	return events.SQSMessage{MessageId: id, Body: fmt.Sprintf(
		`{"version":1,"user":{"id":%q,"email":"canary@example.com","synced_at":"2026-11-23T12:00:%02d.000001Z"},"trigger":"PostAuthentication_Authentication","class":"transient"}`, user, second)}
}

func TestReplay(t *testing.T) {
	transient, permanent := &hasura.Error{Status: 503}, &hasura.Error{Status: 200, Code: "data-exception"}
	rows := []struct {
		name    string
		batch   []events.SQSMessage
		errs    map[string]error // by user
		stale   bool
		written []string // user/second
		stay    []string
		log     string
	}{
		{"an empty batch", nil, nil, false, nil, nil, ""},
		{"all are written", []events.SQSMessage{message("1", jane, 1), message("2", john, 2)}, nil, false, []string{jane + "/1", john + "/2"}, nil, `"msg":"replayed","user":"` + jane},
		{"a newer row stays", []events.SQSMessage{message("1", jane, 1)}, nil, true, []string{jane + "/1"}, nil, `"msg":"stale","user":"` + jane},
		{"of several syncs of one user the newest is written", []events.SQSMessage{message("1", jane, 2), message("2", john, 1), message("3", jane, 3), message("4", jane, 1)}, nil, false, []string{jane + "/3", john + "/1"}, nil, ""},
		{"when it fails, all messages of the user stay", []events.SQSMessage{message("1", jane, 2), message("2", john, 1), message("3", jane, 3)}, map[string]error{jane: transient}, false, []string{jane + "/3", john + "/1"}, []string{"1", "3"}, `"level":"WARN","msg":"will retry","user":"` + jane},
		{"a message that cannot be written stays, for the dead-letter queue", []events.SQSMessage{message("1", jane, 1)}, map[string]error{jane: permanent}, false, []string{jane + "/1"}, []string{"1"}, `"level":"ERROR","msg":"permanent failure","user":"` + jane},
		{"a secret that cannot be read can be readable later", []events.SQSMessage{message("1", jane, 1)}, map[string]error{jane: errors.New("secret x is empty")}, false, []string{jane + "/1"}, []string{"1"}, `"msg":"will retry"`},
		{"a message that is not a parked sync stays", []events.SQSMessage{{MessageId: "1", Body: "canary"}, {MessageId: "2", Body: `{"version":3,"user":{"id":"canary"}}`}, {MessageId: "3", Body: `{"version":1,"user":{"id":"canary"}}`}, message("4", jane, 1)}, nil, false, []string{jane + "/1"}, []string{"1", "2", "3"}, `"msg":"permanent failure","message_id":"2","error":"the message has version 3, not 2"`},
	}
	for _, row := range rows {
		var log bytes.Buffer
		var mu sync.Mutex
		var written []string
		r := &function{
			table: &table,
			write: func(_ context.Context, r users.Row) (bool, error) {
				mu.Lock()
				defer mu.Unlock()
				written = append(written, fmt.Sprintf("%s/%d", r.Key, r.SyncedAt.Second()))
				return row.stale, row.errs[r.Key]
			},
			log: slog.New(slog.NewJSONHandler(&log, nil)),
		}
		answer, err := r.replay(t.Context(), events.SQSEvent{Records: row.batch})
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		stay := make([]events.SQSBatchItemFailure, 0)
		for _, id := range row.stay {
			stay = append(stay, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
		slices.Sort(written)
		slices.Sort(row.written)
		if !slices.Equal(written, row.written) || !reflect.DeepEqual(answer.BatchItemFailures, stay) {
			t.Errorf("%s: wrote %q, want %q; %+v stay, want %q", row.name, written, row.written, answer.BatchItemFailures, row.stay)
		}
		if !strings.Contains(log.String(), row.log) || strings.Contains(log.String(), "canary") {
			t.Errorf("%s: logs %s, want %s", row.name, &log, row.log)
		}
	}
}

// make invoke sends the batch in events/sqs to the function.
func TestRecordedBatch(t *testing.T) {
	data, err := os.ReadFile("../../events/sqs/parked-syncs.json")
	if err != nil {
		t.Fatal(err)
	}
	var batch events.SQSEvent
	if err := json.Unmarshal(data, &batch); err != nil {
		t.Fatal(err)
	}
	for _, record := range batch.Records {
		if sum := fmt.Sprintf("%x", md5.Sum([]byte(record.Body))); sum != record.Md5OfBody {
			t.Errorf("md5OfBody of %s = %s, want %s", record.MessageId, record.Md5OfBody, sum)
		}
	}
	var written []users.Row
	r := &function{
		table: &table,
		write: func(_ context.Context, r users.Row) (bool, error) { written = append(written, r); return false, nil },
		log:   slog.New(slog.DiscardHandler),
	}
	answer, err := r.replay(t.Context(), batch)
	if err != nil || len(answer.BatchItemFailures) != 0 || len(written) != 1 || written[0].SignedInAt.IsZero() || written[0].Values["email"] != "paula@example.com" {
		t.Errorf("wrote %+v, answered %+v, %v; want the row of Paula's sign-in and nothing left", written, answer, err)
	}
}

func TestRowsAreWrittenSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &function{
			table: &table,
			write: func(ctx context.Context, r users.Row) (bool, error) {
				if r.Key == jane {
					<-ctx.Done()
					return false, &hasura.Error{Code: hasura.CodeTimeout}
				}
				return false, nil
			},
			log: slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		answer, err := r.replay(ctx, events.SQSEvent{Records: []events.SQSMessage{message("1", jane, 1), message("2", john, 1)}})
		want := []events.SQSBatchItemFailure{{ItemIdentifier: "1"}}
		if err != nil || !reflect.DeepEqual(answer.BatchItemFailures, want) || time.Since(start) != rowTime {
			t.Errorf("%+v, %v after %v, want %+v after %v", answer.BatchItemFailures, err, time.Since(start), want, rowTime)
		}
	})
}

// A later password reset is newer than a sign-in, but must not hide when it was.
func TestNewerSyncKeepsTheTimeOfTheSignIn(t *testing.T) {
	signIn := events.SQSMessage{MessageId: "1", Body: `{"version":1,"user":{"id":"` + jane + `","last_sign_in_at":"2026-11-23T12:00:01Z","synced_at":"2026-11-23T12:00:01Z"}}`}
	for _, batch := range [][]events.SQSMessage{{signIn, message("2", jane, 2)}, {message("2", jane, 2), signIn}} {
		var written users.Row
		r := &function{
			table: &table,
			write: func(_ context.Context, r users.Row) (bool, error) { written = r; return false, nil },
			log:   slog.New(slog.DiscardHandler),
		}
		if _, err := r.replay(t.Context(), events.SQSEvent{Records: batch}); err != nil {
			t.Fatal(err)
		}
		if written.SyncedAt.Second() != 2 || written.SignedInAt.Second() != 1 {
			t.Errorf("wrote synced_at %v and last_sign_in_at %v, want seconds 2 and 1", written.SyncedAt, written.SignedInAt)
		}
	}
}

// A message from a function whose clock was wrong must not keep newer events out. The order of two
// syncs in one millisecond must stay.
func TestTimeIsCappedAtSentTimestamp(t *testing.T) {
	sent := time.Date(2026, 11, 23, 12, 0, 7, 0, time.UTC)
	rows := []struct {
		name          string
		synced, wrote time.Time
	}{
		{"a time after the message was sent", sent.Add(23 * time.Second), sent.Add(time.Millisecond)},
		{"a time in the millisecond of SentTimestamp", sent.Add(123 * time.Microsecond), sent.Add(123 * time.Microsecond)},
		{"a time before the message was sent", sent.Add(-time.Second), sent.Add(-time.Second)},
	}
	for _, row := range rows {
		m := events.SQSMessage{MessageId: "1",
			Body:       `{"version":1,"user":{"id":"` + jane + `","synced_at":"` + row.synced.Format(time.RFC3339Nano) + `"}}`,
			Attributes: map[string]string{"SentTimestamp": strconv.FormatInt(sent.UnixMilli(), 10)}}
		var written users.Row
		r := &function{
			table: &table,
			write: func(_ context.Context, r users.Row) (bool, error) { written = r; return false, nil },
			log:   slog.New(slog.DiscardHandler),
		}
		if _, err := r.replay(t.Context(), events.SQSEvent{Records: []events.SQSMessage{m}}); err != nil || !written.SyncedAt.Equal(row.wrote) {
			t.Errorf("%s: wrote synced_at %v (%v), want %v", row.name, written.SyncedAt, err, row.wrote)
		}
	}
}
