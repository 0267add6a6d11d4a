package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/sqs"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/queue"
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
	return fmt.Sprintf(`{"source":"aws.cognito-idp","detail":{"eventSource":"cognito-idp.amazonaws.com","eventName":%q,"eventID":"%s-%d",`+
		`"eventTime":%q,"readOnly":false,"requestParameters":{"username":"canary"},"additionalEventData":{"sub":%q}}}`,
		name, name, n, time.Now().UTC().Format(time.RFC3339), reconciletest.Sub(n))
}

func records(bodies ...string) (batch events.SQSEvent) {
	for i, body := range bodies {
		batch.Records = append(batch.Records, events.SQSMessage{MessageId: fmt.Sprint(i), Body: body})
	}
	return batch
}

// A rig is the function over the stand-ins, and its queue.
type rig struct {
	*reconciletest.Services
	t        *testing.T
	queues   *sqs.Server
	function *function
	out      bytes.Buffer
}

func start(t *testing.T) *rig {
	t.Helper()
	f := &rig{Services: reconciletest.Start(t, "../../graphql", ""), t: t, queues: new(sqs.Server)}
	server := httptest.NewServer(f.queues)
	t.Cleanup(server.Close)
	own, err := queue.Open(t.Context(), server.URL+f.queues.Create(sqs.Queue{Name: "follow"}))
	if err != nil {
		t.Fatal(err)
	}
	r := f.Reconciler()
	f.function = &function{open: func(context.Context) (*reconcile.Reconciler, error) { return r, nil }, queue: own, poolID: reconciletest.PoolID,
		log: slog.New(slog.NewJSONHandler(&f.out, nil))}
	return f
}

// follow returns the messages that stay, the bodies of the delayed ones, and what was logged.
func (f *rig) follow(bodies ...string) (stay, delayed []string, log string) {
	f.t.Helper()
	f.out.Reset()
	f.queues.Create(sqs.Queue{Name: "follow"}) // without messages
	response, err := f.function.follow(f.t.Context(), records(bodies...))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, failure := range response.BatchItemFailures {
		stay = append(stay, failure.ItemIdentifier)
	}
	if strings.Contains(f.out.String()+f.Log.String(), "canary") || strings.Contains(f.out.String()+f.Log.String(), "example.com") {
		f.t.Errorf("values are logged: %s", &f.out)
	}
	return stay, f.queues.Bodies("follow"), f.out.String()
}

// settle follows the events, and then its own messages until there are none.
func (f *rig) settle(bodies ...string) (log string) {
	f.t.Helper()
	for n := 0; len(bodies) > 0; n++ {
		stay, delayed, more := f.follow(bodies...)
		log += more
		if len(stay) > 0 || n == 10 {
			f.t.Fatalf("%q stay after %d calls: %s", stay, n, log)
		}
		bodies = delayed
	}
	return log
}

func has(log string, n int, outcome string) bool {
	return strings.Contains(log, `"msg":"followed","user":"`+reconciletest.Sub(n)+`","outcome":"`+outcome+`"`)
}

func TestFollow(t *testing.T) {
	f := start(t)
	for _, n := range []int{0, 1, 2} {
		f.Users.Put(reconciletest.User(n, 1))
	}
	if stay, delayed, log := f.follow(event("AdminCreateUser", 0), event("AdminCreateUser", 1), event("AdminCreateUser", 1), event("AdminUpdateUserAttributes", 0), event("AdminCreateUser", 2), "canary"); len(stay) > 0 ||
		len(delayed) != 1 || strings.Count(log, `"msg":"followed"`) != 2 || strings.Count(log, `"msg":"will look up again"`) != 1 || strings.Count(log, `"outcome":"inserted"`) != 3 || !strings.Contains(log, `"msg":"ignored","reason":"not a CloudTrail record"`) || !strings.Contains(log, "lag_ms") {
		t.Errorf("%q stay, %q are sent: %s", stay, delayed, log)
	}
	calls := len(f.Cognito.Calls())
	if calls != 3 {
		t.Errorf("%d look-ups of three users, want one each", calls)
	}
	f.Age()
	f.Users.Put(reconciletest.User(0, 2))
	f.Users.Delete(reconciletest.Sub(1))
	stay, delayed, log := f.follow(event("AdminDeleteUser", 1), event("AdminDisableUser", 0), event("X", 2), event("DeleteUser", 99))
	if len(stay) > 0 || len(delayed) != 2 || !has(log, 0, "updated") || !has(log, 99, "absent") || strings.Count(log, `"msg":"will look up again"`) != 2 {
		t.Errorf("%q stay, %q are sent: %s", stay, delayed, log)
	}
	if !f.Rows()[reconciletest.Sub(1)].Time("deleted_at").IsZero() {
		t.Error("one look-up has marked a row")
	}
	if stay, more, log := f.follow(append(delayed, delayed...)...); len(stay)+len(more) > 0 || !has(log, 1, "marked") || !has(log, 2, "same") || !strings.Contains(log, "lag_ms") {
		t.Errorf("%q stay, %q are sent: %s", stay, more, log)
	}
	pooled := map[string]cognitoidp.User{reconciletest.Sub(0): reconciletest.User(0, 2), reconciletest.Sub(2): reconciletest.User(2, 1)}
	marked := f.Rows()[reconciletest.Sub(1)]
	if lines := f.Differences(pooled); len(lines) > 0 || marked.Time("deleted_at").IsZero() {
		t.Errorf("%q", lines)
	}
	if f.settle(delayed...); !reflect.DeepEqual(f.Rows()[reconciletest.Sub(1)], marked) {
		t.Error("a message that came again has changed the row")
	}
}

// twoUsers puts two users into the pool and the table. Their rows are old enough to be marked.
func (f *rig) twoUsers() {
	f.t.Helper()
	for n := range 2 {
		f.Users.Put(reconciletest.User(n, 1))
	}
	f.settle(event("A", 0), event("A", 1))
	f.Age()
}

// An event does not hide what the message of an earlier look-up says, in any order.
func TestEventBesideMessage(t *testing.T) {
	f := start(t)
	f.twoUsers()
	for n := range 2 {
		f.Users.Delete(reconciletest.Sub(n))
	}
	_, delayed, _ := f.follow(event("AdminDeleteUser", 0), event("AdminDeleteUser", 1))
	stay, more, log := f.follow(event("X", 0), delayed[0], delayed[1], event("X", 1))
	if len(stay)+len(more) > 0 || !has(log, 0, "marked") || !has(log, 1, "marked") {
		t.Errorf("%q stay, %q are sent: %s", stay, more, log)
	}
}

// A first look-up can be older than the change.
func TestStalePool(t *testing.T) {
	f := start(t)
	f.twoUsers()
	_, delayed, _ := f.follow(event("AdminUpdateUserAttributes", 0), event("AdminDeleteUser", 1))
	f.Users.Put(reconciletest.User(0, 4)) // the changes show
	f.Users.Delete(reconciletest.Sub(1))
	if log := f.settle(delayed...); !has(log, 0, "updated") || !has(log, 1, "marked") {
		t.Errorf("logged %s", log)
	}
}

// Nobody is marked who came back between the look-ups, or whose row was written.
func TestBetweenTheLooks(t *testing.T) {
	f := start(t)
	f.twoUsers()
	for n := range 2 {
		f.Users.Delete(reconciletest.Sub(n))
	}
	_, delayed, _ := f.follow(event("AdminDeleteUser", 0), event("AdminDeleteUser", 1))
	f.Users.Put(reconciletest.User(0, 2))
	f.SetSynced(time.Now(), reconciletest.Sub(1))
	_, delayed, log := f.follow(delayed...)
	if !has(log, 0, "updated") || len(delayed) != 1 || !f.Rows()[reconciletest.Sub(1)].Time("deleted_at").IsZero() {
		t.Errorf("%q are sent: %s", delayed, log)
	}

	// The row that was written is marked later, or is left to reconcile after a few more look-ups.
	if log := f.settle(delayed...); !has(log, 1, "pending") {
		t.Errorf("logged %s", log)
	}
	f.Age(reconciletest.Sub(1))
	if log := f.settle(delayed...); !has(log, 1, "marked") {
		t.Errorf("logged %s", log)
	}
}

// What a look-up has found goes with its message, and SQS keeps it for a minute.
func TestMessage(t *testing.T) {
	f := start(t)
	for n := range 3 {
		f.Users.Put(reconciletest.User(n, 1))
	}
	f.settle(event("A", 0), event("A", 1))
	f.Age(reconciletest.Sub(0), reconciletest.Sub(1))
	f.Users.Delete(reconciletest.Sub(1))
	f.settle(event("A", 2))
	f.Users.Delete(reconciletest.Sub(2))
	now := time.Now()
	f.queues.Now = func() time.Time { return now }
	for n, want := range []struct {
		absent bool
		delay  time.Duration
	}{{false, time.Minute}, {true, time.Minute}, {false, 6 * time.Minute}} {
		_, delayed, log := f.follow(event("A", n))
		if len(delayed) != 1 {
			t.Fatalf("user %d: %q are sent: %s", n, delayed, log)
		}
		m, ok := readMessage([]byte(delayed[0]))
		if !ok || m.Look.Sub != reconciletest.Sub(n) || m.Look.Earlier != 1 || m.Look.AbsentAt.IsZero() == want.absent || m.ChangedAt.IsZero() {
			t.Errorf("user %d: sent %s", n, delayed[0])
		}
		for _, step := range []struct {
			after   time.Duration
			visible int
		}{{want.delay - time.Second, 0}, {want.delay, 1}} {
			now = now.Add(step.after)
			if got := f.queues.Visible("follow"); got != step.visible {
				t.Errorf("user %d: %d messages after %s, want %d", n, got, step.after, step.visible)
			}
			now = now.Add(-step.after)
		}
	}
}

// What cannot be sent again stays in the queue, and nothing else does.
func TestQueueIsDown(t *testing.T) {
	f := start(t)
	for n := range 2 {
		f.Users.Put(reconciletest.User(n, 1))
	}
	f.settle(event("A", 0))
	own, err := queue.Open(t.Context(), "http://127.0.0.1:1/1/q")
	if err != nil {
		t.Fatal(err)
	}
	f.function.queue = own
	if stay, _, log := f.follow(event("A", 0), event("A", 1)); !slices.Equal(stay, []string{"0"}) || !has(log, 1, "inserted") ||
		!strings.Contains(log, `"msg":"will retry","user":"`+reconciletest.Sub(0)+`","error":"send the users to look up again: sqs: code `) {
		t.Errorf("%q stay: %s", stay, log)
	}
}

// A message leaves the queue only if its user is done.
func TestFollowFails(t *testing.T) {
	f := start(t)
	for _, n := range []int{0, 1} {
		f.Users.Put(reconciletest.User(n, 1))
	}
	var requests atomic.Int32
	f.Cognito.Intercept = func(string) string {
		if requests.Add(1) == 1 {
			return "NotAuthorizedException"
		}
		return ""
	}
	if stay, _, log := f.follow(event("A", 0), event("A", 1), event("B", 0)); !slices.Equal(stay, []string{"0", "2"}) || !strings.Contains(log, `"msg":"permanent failure"`) {
		t.Errorf("%q stay: %s", stay, log)
	}
	f.Cognito.Intercept = nil
	handle := func(rw http.ResponseWriter, body []byte) bool {
		if !strings.Contains(string(body), "mutation") {
			return false
		}
		fmt.Fprint(rw, `{"errors":[{"extensions":{"code":"permission-denied"}}]}`)
		return true
	}
	f.Hasura.Store(&handle)
	if stay, _, _ := f.follow(event("A", 0)); len(stay) != 1 {
		t.Errorf("Hasura refuses the row: %q stay", stay)
	}
	f.function.open = func(context.Context) (*reconcile.Reconciler, error) { return nil, errors.New("Hasura is down") }
	if stay, _, _ := f.follow(event("A", 0), "canary"); len(stay) != 1 {
		t.Errorf("Hasura is down: %q stay", stay)
	}
}

// Hints in any order, doubled, with a stale pool, end in the same state: that of the pool.
func TestOrderOfHintsDoesNotMatter(t *testing.T) {
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 5))
		f := start(t)
		pooled := make(map[string]cognitoidp.User)
		var hints []string
		for range 40 {
			n := random.IntN(12)
			if sub := reconciletest.Sub(n); n%4 == 0 && pooled[sub].Username != "" {
				delete(pooled, sub)
				f.Users.Delete(sub)
			} else {
				pooled[sub] = reconciletest.User(n, random.IntN(9))
				f.Users.Put(pooled[sub])
			}
			hints = append(hints, event("Any", n), event("Any", n))
			if random.IntN(4) == 0 {
				_, delayed, _ := f.follow(hints[:random.IntN(len(hints))]...)
				hints = append(hints, delayed...)
				f.Age()
			}
			random.Shuffle(len(hints), func(i, j int) { hints[i], hints[j] = hints[j], hints[i] })
		}
		f.settle(hints...)
		if lines := f.Differences(pooled); len(lines) > 0 {
			t.Errorf("seed %d: %q", seed, lines)
		}
		for sub, row := range f.Rows() {
			if _, alive := pooled[sub]; alive == !row.Time("deleted_at").IsZero() {
				t.Errorf("seed %d: %s is in the pool: %t, and deleted_at is %s", seed, sub, alive, row.Get("deleted_at"))
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
