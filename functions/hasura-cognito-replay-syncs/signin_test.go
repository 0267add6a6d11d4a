package main

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/reconciletest"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A sign-in and a later password reset were parked, and a sign-in between them was written. Whatever the batches, the row gets the
// reset and keeps the time of the last sign-in.
func TestTimeOfTheLastSignIn(t *testing.T) {
	services := reconciletest.Start(t, "../../graphql", "")
	client := services.Client("cognito_sync")
	at := func(minute int) time.Time {
		return time.Now().Add(time.Duration(minute-10) * time.Minute).UTC().Truncate(time.Second)
	}
	for name, batches := range map[string][][]int{"one batch": {{3, 6}}, "two batches": {{3}, {6}}, "the later one first": {{6}, {3}}} {
		sub := reconciletest.Sub(len(name))
		row := func(minute int, email string) users.Row {
			r, _, err := users.Description.Row(users.Sync{At: at(minute), SignedIn: minute < 6,
				User: cognito.User{ID: sub, Username: "jane", Attributes: map[string]string{"sub": sub, "email": email}}})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		if _, err := client.Upsert(services.Context(), row(5, "old@example.com")); err != nil {
			t.Fatal(err)
		}
		f := &function{table: &users.Description, write: client.Write, log: slog.New(slog.DiscardHandler)}
		for _, batch := range batches {
			var in events.SQSEvent
			for _, minute := range batch {
				body, err := json.Marshal(parking.Message{Row: row(minute, "new@example.com"), Trigger: "x", Class: "transient"})
				if err != nil {
					t.Fatal(err)
				}
				in.Records = append(in.Records, events.SQSMessage{MessageId: "id", Body: string(body)})
			}
			if response, err := f.replay(services.Context(), in); err != nil || len(response.BatchItemFailures) > 0 {
				t.Fatalf("%s: %v, %v stay", name, err, response.BatchItemFailures)
			}
		}
		got := services.Rows()[sub]
		if got.Text("email") != "new@example.com" || !got.Time("last_sign_in_at").Equal(at(5)) {
			t.Errorf("%s: email %s, last_sign_in_at %s, want the new one and %s", name, got.Text("email"), got.Time("last_sign_in_at"), at(5))
		}
	}
}
