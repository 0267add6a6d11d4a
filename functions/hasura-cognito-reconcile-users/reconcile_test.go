package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/sqs"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/queue"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/reconciletest"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// start returns the function over the stand-ins, and what it logs.
func start(t *testing.T) (*function, *reconciletest.Services, *sqs.Server, *bytes.Buffer) {
	t.Helper()
	services := reconciletest.Start(t, "../../graphql", "")
	queues := new(sqs.Server)
	server := httptest.NewServer(queues)
	t.Cleanup(server.Close)
	env := map[string]string{
		"GRAPHQL_DOMAIN": services.URL, "SECRETS_ARN": services.SecretARN, "USER_POOL_ID": reconciletest.PoolID,
		"RECONCILE_HASURA_ROLE": reconciletest.Role, "RECONCILE_ON_DELETE": "mark", "RECONCILE_QUEUE_URL": server.URL + queues.Create(sqs.Queue{Name: "reconcile"}),
	}
	getenv := func(name string) string { return env[name] }
	s, h, faults := settings.ReadReconcile(getenv)
	url, more := settings.ReadReconcileQueue(getenv)
	if len(faults)+len(more) > 0 {
		t.Fatal(faults, more)
	}
	own, err := queue.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	log := new(bytes.Buffer)
	logger := slog.New(slog.NewJSONHandler(log, nil))
	return &function{
		opener: &reconcile.Opener{Settings: s, Hasura: h, PerSecond: 1e6, Log: logger},
		queue:  own,
		log:    logger,
	}, services, queues, log
}

func call(t *testing.T, ctx context.Context, f *function, body string) (stays bool) {
	t.Helper()
	response, err := f.handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "message-1", Body: body}}})
	if err != nil {
		t.Fatal(err)
	}
	return len(response.BatchItemFailures) > 0
}

// The message of the schedule makes one message per part, and these make the table equal to
// the pool.
func TestRun(t *testing.T) {
	f, services, queues, log := start(t)
	pooled := make(map[string]cognitoidp.User)
	for n := range 100 {
		pooled[reconciletest.Sub(n)] = reconciletest.User(n, n)
		services.Users.Put(reconciletest.User(n, n))
	}
	services.Cognito.Pool["EstimatedNumberOfUsers"] = 300_000
	if call(t, t.Context(), f, `{"version":1}`) {
		t.Fatalf("the first message stays: %s", log)
	}
	bodies := queues.Bodies("reconcile")
	if len(bodies) != 16 || bodies[3] != `{"version":1,"run":"message-1","prefix":"3"}` {
		t.Fatalf("sent %q, want 16 parts", bodies)
	}
	for _, body := range bodies {
		if call(t, t.Context(), f, body) {
			t.Errorf("%s stays: %s", body, log)
		}
	}
	if lines := services.Differences(pooled); len(lines) > 0 {
		t.Errorf("after all parts: %q", lines)
	}
	if n := strings.Count(log.String(), `"msg":"reconciled","run":"message-1"`); n != 16 || strings.Contains(log.String(), "example.com") {
		t.Errorf("%d parts are logged, want 16, without values: %s", n, log)
	}
	if len(queues.Bodies("reconcile")) != 16 {
		t.Error("a part that ended in time was split")
	}
}

func TestSmallPoolIsOnePart(t *testing.T) {
	f, _, queues, _ := start(t)
	if call(t, t.Context(), f, `{"version":1}`) || !slices.Equal(queues.Bodies("reconcile"), []string{`{"version":1,"run":"message-1","prefix":""}`}) {
		t.Errorf("sent %q", queues.Bodies("reconcile"))
	}
}

func TestPartThatDoesNotEndInTime(t *testing.T) {
	f, services, queues, log := start(t)
	for n := range 500 {
		services.Users.Put(reconciletest.User(n, n))
	}
	if call(t, t.Context(), f, `{"version":1,"run":"r","prefix":"zz"}`) == false {
		t.Error("a part that is not a prefix of a sub leaves the queue")
	}
	services.Cognito.Intercept = func(string) string { time.Sleep(100 * time.Millisecond); return "" }
	ctx, cancel := context.WithTimeout(t.Context(), 800*time.Millisecond)
	defer cancel()
	if call(t, ctx, f, `{"version":1,"run":"r","prefix":""}`) {
		t.Fatalf("the part stays: %s", log)
	}
	var prefixes []string
	for _, body := range queues.Bodies("reconcile") {
		var m message
		if err := json.Unmarshal([]byte(body), &m); err != nil || m.Run != "r" || m.Prefix == nil {
			t.Fatalf("sent %s", body)
		}
		prefixes = append(prefixes, *m.Prefix)
	}
	if len(prefixes) != 16 || !strings.Contains(log.String(), `"msg":"split"`) {
		t.Errorf("sent the parts %q, logged %s", prefixes, log)
	}
}

// The part does not wait for the second look-up. It sends delayed messages, and these mark.
func TestLookAgain(t *testing.T) {
	f, services, queues, log := start(t)
	f.opener.Settings.MaxGone = 1
	const gone = 250
	for n := range 2 * gone {
		services.Users.Put(reconciletest.User(n, 1))
	}
	const part = `{"version":1,"run":"r","prefix":""}`
	if call(t, t.Context(), f, part) || len(queues.Bodies("reconcile")) > 0 || !strings.Contains(log.String(), `"again":0`) {
		t.Fatalf("sent %q: %s", queues.Bodies("reconcile"), log)
	}
	services.Age()
	for n := range gone {
		services.Users.Delete(reconciletest.Sub(n))
	}
	marked := func() (n int) {
		for _, row := range services.Rows() {
			if !row.Time("deleted_at").IsZero() {
				n++
			}
		}
		return n
	}
	now := time.Now()
	queues.Now = func() time.Time { return now }
	log.Reset()
	if call(t, t.Context(), f, part) || marked() > 0 || strings.Count(log.String(), `"msg":"reconciled"`) != 1 ||
		!strings.Contains(log.String(), `"users":{"in_pool":250,"same":250},"drift":0`) || !strings.Contains(log.String(), `"again":250`) {
		t.Fatalf("%d are marked: %s", marked(), log)
	}
	bodies := queues.Bodies("reconcile")
	if len(bodies) != 2 || len(bodies[0]) > 10_000 || !strings.HasPrefix(bodies[0], `{"version":1,"run":"r","prefix":"","missing":{"subs":["`) {
		t.Fatalf("sent %d messages: %q", len(bodies), bodies)
	}
	for _, row := range []struct {
		after   time.Duration
		visible int
	}{{59 * time.Second, 0}, {time.Minute, 2}} {
		queues.Now = func() time.Time { return now.Add(row.after) }
		if visible := queues.Visible("reconcile"); visible != row.visible {
			t.Errorf("%d messages can be received after %s, want %d", visible, row.after, row.visible)
		}
	}
	services.Users.Put(reconciletest.User(0, 1)) // is back
	log.Reset()
	for _, body := range append(bodies, bodies...) { // each twice
		if call(t, t.Context(), f, body) {
			t.Fatalf("%s stays: %s", body, log)
		}
	}
	if n := strings.Count(log.String(), `"msg":"marked"`); n != gone-1 || marked() != gone-1 || strings.Count(log.String(), `"msg":"looked up again","run":"r"`) != 4 ||
		strings.Contains(log.String(), `"msg":"reconciled"`) || strings.Contains(log.String(), "example.com") {
		t.Errorf("%d rows are marked, and %d logged: %s", marked(), n, log)
	}
}

// What does not end in time is tried again.
func TestLookAgainThatDoesNotEndInTime(t *testing.T) {
	f, services, _, log := start(t)
	services.Cognito.Intercept = func(string) string { time.Sleep(50 * time.Millisecond); return "" }
	var subs []string
	for n := range 100 {
		subs = append(subs, reconciletest.Sub(n))
	}
	prefix := ""
	body, err := json.Marshal(message{Version: 1, Run: "r", Prefix: &prefix, Missing: &reconcile.Missing{Subs: subs, Listed: time.Now()}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	if !call(t, ctx, f, string(body)) || ctx.Err() != nil || !strings.Contains(log.String(), `"msg":"will retry","message_id":"message-1","error":"look up again: look up a user: `) {
		t.Errorf("the message leaves the queue, or the call ends too late (%v): %s", ctx.Err(), log)
	}
}

func TestMessageStays(t *testing.T) {
	rows := []struct {
		name, body string
		disturb    func(services *reconciletest.Services)
		want       string // in the log
	}{
		{"not JSON", "canary", nil, `"msg":"permanent failure","message_id":"message-1","error":"not a message of version 1"`},
		{"another version", `{"version":2,"prefix":"canary"}`, nil, `"error":"not a message of version 1"`},
		{"no sub to look up again", `{"version":1,"run":"r","prefix":"","missing":{"subs":["canary"],"listed":"2026-11-28T12:00:00Z"}}`, nil, `"error":"not a message of version 1"`},
		{"no time of the listing", `{"version":1,"run":"r","prefix":"","missing":{"subs":[]}}`, nil, `"error":"not a message of version 1"`},
		{"Hasura is down", `{"version":1,"run":"r","prefix":""}`, func(services *reconciletest.Services) {
			handle := func(rw http.ResponseWriter, _ []byte) bool {
				fmt.Fprint(rw, `{"errors":[{"extensions":{"code":"permission-denied"}}]}`)
				return true
			}
			services.Hasura.Store(&handle)
		}, `"msg":"permanent failure"`},
		{"the right to read the pool is missing", `{"version":1,"run":"r","prefix":""}`, func(services *reconciletest.Services) {
			services.Cognito.Intercept = func(string) string { return "AccessDeniedException" }
		}, `"msg":"permanent failure","message_id":"message-1","error":"part \"\": cognito-idp: status 400, code AccessDeniedException"`},
		{"the pool cannot be described", `{"version":1}`, func(services *reconciletest.Services) {
			services.Cognito.Intercept = func(string) string { return "ResourceNotFoundException" }
		}, `"error":"estimate the number of users: cognito-idp: status 400, code ResourceNotFoundException"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f, services, _, log := start(t)
			if row.disturb != nil {
				row.disturb(services)
			}
			if !call(t, t.Context(), f, row.body) || !strings.Contains(log.String(), row.want) || strings.Contains(log.String(), "canary") {
				t.Errorf("logged %s, want %s", log, row.want)
			}
		})
	}
}
