package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/reconciletest"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// parked returns the messages of a user who has an attribute for every column, of both versions.
func parked(t *testing.T, sub string, now time.Time) (bodies []string) {
	t.Helper()
	attributes := map[string]string{
		"sub": sub, "email": "canary@example.com", "email_verified": "true", "phone_number": "+15550100", "phone_number_verified": "true",
		"name": "canary", "given_name": "canary", "family_name": "canary", "picture": "canary", "locale": "canary",
		"cognito:user_status": "CONFIRMED", "nickname": "canary", "zoneinfo": "canary", "custom:plan": "canary", "custom:org_id": sub, "identities": `[{"providerName":"canary","primary":true}]`,
	}
	for _, age := range []time.Duration{0, time.Second, 6 * time.Minute, 13 * 24 * time.Hour, 28 * 24 * time.Hour} {
		row, _, err := users.Description.Row(users.Sync{At: now.Add(-age), SignedIn: true,
			User: cognito.User{ID: sub, Username: "canary", Attributes: attributes}})
		if err != nil {
			t.Fatal(err)
		}
		if len(row.Values) != len(users.Description.Columns)-3 { // not among the values: the key, synced_at and last_sign_in_at
			t.Fatalf("the message has %d values, want one of each column", len(row.Values))
		}
		v2, err := json.Marshal(parking.Message{Row: row, Trigger: "PostAuthentication_Authentication", Class: hasura.Transient})
		if err != nil {
			t.Fatal(err)
		}
		object, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(v2), fmt.Sprintf(`{"version":1,"user":%s,"trigger":"PostAuthentication_Authentication","class":"transient"}`, object))
	}
	return bodies
}

// After the row of a user was emptied, no parked sync of the user brings a value back, in any order and of any version, not even
// the time of the last sign-in. Without the erasure, each message does.
func TestErasedRowStaysEmpty(t *testing.T) {
	if graphql.Users.Select != "users" {
		t.Skip("the test deletes rows through the shipped root field")
	}
	w := reconciletest.Start(t, "../../graphql", "")
	endpoint, err := settings.NewEndpoint(w.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := secrets.Open(t.Context(), slog.New(slog.DiscardHandler), w.SecretARN, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"", "cognito_sync"} {
		client := hasura.New(endpoint, cache, role)
		f := &function{table: &users.Description, write: client.Write, log: slog.New(slog.DiscardHandler)}
		replay := func(bodies ...string) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var batch events.SQSEvent
			for i, body := range bodies {
				batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint(i), Body: body})
			}
			if response, err := f.replay(ctx, batch); err != nil || len(response.BatchItemFailures) > 0 {
				t.Fatalf("as %q: %v, %v stay", role, err, response.BatchItemFailures)
			}
		}
		r := w.Reconciler()
		r.OnDelete = settings.Anonymize
		for n := range 8 {
			sub := reconciletest.Sub(n)
			bodies := parked(t, sub, time.Now())
			w.Query(`mutation ($id: uuid!) { delete_users(where: {id: {_eq: $id}}) { affected_rows } }`, map[string]any{"id": sub})
			replay(bodies[n])
			if users.Description.IsErased(w.Rows()[sub]) {
				t.Fatalf("as %q: message %d has written no value", role, n)
			}
			w.Age(sub)
			if outcomes, err := r.Users(t.Context(), []string{sub}); err != nil || outcomes[sub] != reconcile.Marked {
				t.Fatalf("as %q: erase: got %v, %v", role, outcomes, err)
			}
			random := rand.New(rand.NewPCG(uint64(n), 13))
			random.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
			for batch := range slices.Chunk(append(bodies, bodies...), 1+n%3) { // each message twice
				replay(batch...)
			}
			row := w.Rows()[sub]
			if !users.Description.IsErased(row) || !row.Time("last_sign_in_at").IsZero() || row.Time("deleted_at").IsZero() {
				t.Errorf("as %q, order %d: the row is %s", role, n, row)
			}
		}
	}
}
