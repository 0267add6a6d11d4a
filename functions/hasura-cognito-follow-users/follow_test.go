package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/reconciletest"
)

const poolID = "eu-north-1_Kq7Lm2PzX"

// edit replaces texts in a recorded event, in pairs.
func edit(t *testing.T, name string, pairs ...string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s does not have %s", name, pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

func TestReadHint(t *testing.T) {
	const deleted, updated, signedUp = "d0ac93f6-8011-70e4-f2a7-1c5e48b7903d", "50bc1e7a-2061-7092-8d4f-93a06e1b5c27", "306c72e8-c0a1-7051-44d0-e8b19f6a2573"
	rows := []struct {
		name, event string
		sub, reason string
	}{
		{"an administrator deletes a user", edit(t, "admin-delete-user"), deleted, ""},
		{"a user edits attributes", edit(t, "update-user-attributes"), updated, ""},
		{"a sign-up", edit(t, "sign-up"), signedUp, ""},
		{"managed login", edit(t, "managed-login-confirm"), signedUp, ""},
		{"a failed call", edit(t, "failed-update"), "", "the call failed"},
		{"an empty error code", edit(t, "admin-delete-user", `"readOnly"`, `"errorCode": "", "readOnly"`), deleted, ""},
		{"an error code that is null", edit(t, "admin-delete-user", `"readOnly"`, `"errorCode": null, "readOnly"`), deleted, ""},
		{"an error code that is a number", edit(t, "admin-delete-user", `"readOnly"`, `"errorCode": 7, "readOnly"`), "", "the call failed"},
		{"a call that reads", edit(t, "admin-delete-user", `"readOnly": false`, `"readOnly": true`), "", "the call reads only"},
		{"readOnly is a text", edit(t, "admin-delete-user", `"readOnly": false`, `"readOnly": "true"`), deleted, ""},
		{"readOnly is absent", edit(t, "admin-delete-user", `"readOnly": false`, `"x": 1`), deleted, ""},
		{"another pool", edit(t, "admin-delete-user", poolID, "eu-north-1_Vb3Nr8TyW"), "", "another user pool"},
		{"managed login of another pool", edit(t, "managed-login-confirm", poolID, "eu-north-1_Vb3Nr8TyW"), "", "another user pool"},
		{"a pool that is not readable", edit(t, "admin-delete-user", `"`+poolID+`"`, `7`), deleted, ""},
		{"an unknown call", edit(t, "admin-delete-user", `"AdminDeleteUser"`, `"AdminInventUser"`), deleted, ""},
		{"a sign-in", edit(t, "admin-delete-user", `"AdminDeleteUser"`, `"InitiateAuth"`), "", "the call changes no column"},
		{"a group", edit(t, "admin-delete-user", `"AdminDeleteUser"`, `"AdminAddUserToGroup"`), "", "the call changes no column"},
		{"a password challenge", edit(t, "admin-delete-user", `"AdminDeleteUser"`, `"RespondToAuthChallenge"`), "", "the call changes no column"},
		{"a new password", edit(t, "admin-delete-user", `"AdminDeleteUser"`, `"RespondToAuthChallenge"`, `"userPoolId"`, `"challengeName": "NEW_PASSWORD_REQUIRED", "userPoolId"`), deleted, ""},
		{"another source", edit(t, "admin-delete-user", `"aws.cognito-idp"`, `"aws.s3"`), "", "not a call to Cognito user pools"},
		{"another event source", edit(t, "admin-delete-user", `"cognito-idp.amazonaws.com"`, `"s3.amazonaws.com"`), "", "not a call to Cognito user pools"},
		{"no sub", edit(t, "admin-delete-user", `"sub"`, `"x"`), "", "no sub"},
		{"a sub that is a name", edit(t, "admin-delete-user", deleted, "canary"), "", "no sub"},
		{"a sub in upper case", edit(t, "admin-delete-user", deleted, strings.ToUpper(deleted)), "", "no sub"},
		{"a sub with a filter in it", edit(t, "admin-delete-user", deleted, `\" or sub ^= \"`), "", "no sub"},
		{"a list of subs in an API call", edit(t, "admin-delete-user", `"`+deleted+`"`, `["`+deleted+`"]`), "", "no sub"},
		{"two subs of managed login", edit(t, "managed-login-confirm", `"`+signedUp+`"`, `"`+signedUp+`", "`+deleted+`"`), "", "no sub"},
		{"no detail", `{"source":"aws.cognito-idp"}`, "", "not a CloudTrail record"},
		{"detail is a text", `{"source":"aws.cognito-idp","detail":"{}"}`, "", "not a CloudTrail record"},
		{"not JSON", `canary`, "", "not a CloudTrail record"},
		{"a list", `[]`, "", "not a CloudTrail record"},
	}
	for _, row := range rows {
		h, reason := readHint([]byte(row.event), poolID)
		if h.sub != row.sub || reason != row.reason {
			t.Errorf("%s: got sub %q and %q, want %q and %q", row.name, h.sub, reason, row.sub, row.reason)
		}
	}
}

// event returns an event about a user of the pool of the stand-ins.
func event(name string, n int) string {
	return fmt.Sprintf(`{"source":"aws.cognito-idp","detail":{"eventSource":"cognito-idp.amazonaws.com","eventName":%q,"eventID":"id-%d",`+
		`"eventTime":%q,"readOnly":false,"requestParameters":{"username":"canary"},"additionalEventData":{"sub":%q}}}`,
		name, n, time.Now().UTC().Format(time.RFC3339), reconciletest.Sub(n))
}

func records(bodies ...string) (batch events.SQSEvent) {
	for i, body := range bodies {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint(i), Body: body})
	}
	return batch
}

func follow(t *testing.T, services *reconciletest.Services, bodies ...string) (stay []string, log string) {
	t.Helper()
	var out bytes.Buffer
	r := services.Reconciler()
	f := &follower{open: func(context.Context) (*reconcile.Reconciler, error) { return r, nil }, poolID: reconciletest.PoolID,
		log: slog.New(slog.NewJSONHandler(&out, nil))}
	response, err := f.follow(t.Context(), records(bodies...))
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range response.BatchItemFailures {
		stay = append(stay, failure.ItemIdentifier)
	}
	if strings.Contains(out.String()+services.Log.String(), "canary") || strings.Contains(out.String()+services.Log.String(), "example.com") {
		t.Errorf("values are logged: %s", &out)
	}
	return stay, out.String()
}

func TestFollow(t *testing.T) {
	services := reconciletest.Start(t, "../../graphql", "")
	for _, n := range []int{0, 1, 2} {
		services.Users.Put(reconciletest.User(n, 1))
	}
	if stay, log := follow(t, services, event("AdminCreateUser", 0), event("AdminCreateUser", 1), event("AdminUpdateUserAttributes", 0), event("AdminCreateUser", 2), "canary"); len(stay) > 0 ||
		strings.Count(log, `"outcome":"inserted"`) != 3 || !strings.Contains(log, `"msg":"ignored","reason":"not a CloudTrail record"`) || !strings.Contains(log, "lag_ms") {
		t.Errorf("%q stay: %s", stay, log)
	}
	calls := len(services.Cognito.Calls())
	if calls != 3 {
		t.Errorf("%d look-ups of three users, want one each", calls)
	}
	services.Age()
	services.Users.Put(reconciletest.User(0, 2))
	services.Users.Delete(reconciletest.Sub(1))
	if stay, log := follow(t, services, event("AdminDeleteUser", 1), event("AdminDisableUser", 0), event("X", 2), event("DeleteUser", 99)); len(stay) > 0 ||
		!strings.Contains(log, reconciletest.Sub(0)+`","outcome":"updated"`) || !strings.Contains(log, reconciletest.Sub(1)+`","outcome":"marked"`) ||
		!strings.Contains(log, reconciletest.Sub(2)+`","outcome":"same"`) || !strings.Contains(log, reconciletest.Sub(99)+`","outcome":"absent"`) {
		t.Errorf("%q stay: %s", stay, log)
	}
	pooled := map[string]cognitoidp.User{reconciletest.Sub(0): reconciletest.User(0, 2), reconciletest.Sub(2): reconciletest.User(2, 1)}
	if lines := services.Differences(pooled); len(lines) > 0 || services.Rows()[reconciletest.Sub(1)].Time("deleted_at").IsZero() {
		t.Errorf("%q", lines)
	}

	// A row that was written a moment ago is not marked: the pool's answer can be older.
	services.Users.Put(reconciletest.User(3, 1))
	follow(t, services, event("AdminCreateUser", 3))
	services.Users.Delete(reconciletest.Sub(3))
	if stay, log := follow(t, services, event("AdminDeleteUser", 3)); !slices.Equal(stay, []string{"0"}) || !strings.Contains(log, `"msg":"will retry"`) {
		t.Errorf("%q stay: %s", stay, log)
	}
	services.Age()
	if stay, log := follow(t, services, event("AdminDeleteUser", 3)); len(stay) > 0 || !strings.Contains(log, `"outcome":"marked"`) {
		t.Errorf("%q stay: %s", stay, log)
	}
}

// A message leaves the queue only if its user is done.
func TestFollowFails(t *testing.T) {
	services := reconciletest.Start(t, "../../graphql", "")
	for _, n := range []int{0, 1} {
		services.Users.Put(reconciletest.User(n, 1))
	}
	var requests atomic.Int32
	services.Cognito.Intercept = func(string) string {
		if requests.Add(1) == 1 {
			return "NotAuthorizedException"
		}
		return ""
	}
	if stay, log := follow(t, services, event("A", 0), event("A", 1), event("B", 0)); !slices.Equal(stay, []string{"0", "2"}) || !strings.Contains(log, `"msg":"permanent failure"`) {
		t.Errorf("%q stay: %s", stay, log)
	}
	services.Cognito.Intercept = nil
	handle := func(rw http.ResponseWriter, body []byte) bool {
		if !strings.Contains(string(body), "mutation") {
			return false
		}
		fmt.Fprint(rw, `{"errors":[{"extensions":{"code":"permission-denied"}}]}`)
		return true
	}
	r := services.Reconciler()
	services.Hasura.Store(&handle)
	var out bytes.Buffer
	f := &follower{open: func(context.Context) (*reconcile.Reconciler, error) { return r, nil }, poolID: reconciletest.PoolID, log: slog.New(slog.NewJSONHandler(&out, nil))}
	if response, err := f.follow(t.Context(), records(event("A", 0))); err != nil || len(response.BatchItemFailures) != 1 {
		t.Errorf("Hasura refuses the row: %v, %v", response, err)
	}
	f.open = func(context.Context) (*reconcile.Reconciler, error) { return nil, errors.New("Hasura is down") }
	if response, err := f.follow(t.Context(), records(event("A", 0), "canary")); err != nil || len(response.BatchItemFailures) != 1 {
		t.Errorf("Hasura is down: %v, %v", response, err)
	}
}

// Hints in any order, doubled, with a stale pool, end in the same state: that of the pool.
func TestOrderOfHintsDoesNotMatter(t *testing.T) {
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 5))
		services := reconciletest.Start(t, "../../graphql", "")
		pooled := make(map[string]cognitoidp.User)
		var hints []string
		for range 40 {
			n := random.IntN(12)
			if sub := reconciletest.Sub(n); n%4 == 0 && pooled[sub].Username != "" {
				delete(pooled, sub)
				services.Users.Delete(sub)
			} else {
				pooled[sub] = reconciletest.User(n, random.IntN(9))
				services.Users.Put(pooled[sub])
			}
			hints = append(hints, event("Any", n), event("Any", n))
			if random.IntN(4) == 0 {
				follow(t, services, hints[:random.IntN(len(hints))]...)
				services.Age()
			}
			random.Shuffle(len(hints), func(i, j int) { hints[i], hints[j] = hints[j], hints[i] })
		}
		if stay, log := follow(t, services, hints...); len(stay) > 0 {
			t.Errorf("seed %d: %q stay: %s", seed, stay, log)
		}
		if lines := services.Differences(pooled); len(lines) > 0 {
			t.Errorf("seed %d: %q", seed, lines)
		}
		for sub, row := range services.Rows() {
			if _, alive := pooled[sub]; alive == !row.Time("deleted_at").IsZero() {
				t.Errorf("seed %d: %s is in the pool: %t, and deleted_at is %s", seed, sub, alive, row["deleted_at"])
			}
		}
	}
}

func FuzzReadHint(f *testing.F) {
	for _, name := range []string{"admin-delete-user", "managed-login-confirm", "failed-update"} {
		data, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, reason := readHint(data, poolID)
		if (reason == "") != (h.sub != "") || h.sub != "" && strings.Trim(h.sub, "0123456789abcdef-") != "" {
			t.Errorf("%q: the sub %q and the reason %q", data, h.sub, reason)
		}
	})
}
