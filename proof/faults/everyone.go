package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	table "github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A crowdLoad runs reconcile or follow while something is at fault. When it returns, the fault has ended. It returns the subs of users
// whose rows can never be written.
type crowdLoad func(context.Context, *crowd) (unwritten []string, err error)

// crowdRows are the rows of the table about reconcile and follow. There are none if the users table is not the shipped one.
func crowdRows() []row {
	if d := table.Description; d.Key != "id" || d.Sub != "id" || d.Enabled != "enabled" || d.DeletedAt != "deleted_at" || d.SyncedAt != "synced_at" {
		return nil
	}
	listing := func(f stack.Fault) crowdLoad { return reconciling(listings(f)) }
	logs := func(messages ...string) want { return want{logged: messages} }
	all := []row{
		{name: "nothing is wrong", crowd: reconciling(nil), want: logs("planned", "reconciled", "marked")},
		{name: "a page of one part fails for good", crowd: reconciling(onePart(awsStatus(500, "InternalErrorException"))), want: logs("will retry")},
		{name: "every listing is empty", crowd: listing(stack.Status(200, `{"Users":[]}`)), want: logs("marking refused")},
		{name: "every listing ends in the middle", crowd: listing(cut), want: logs("reconciled")},
		{name: "every third answer of the pool ends in the middle", crowd: reconciling(halfBodies), want: logs("reconciled")},
		{name: "most requests to the pool are throttled", crowd: reconciling(throttling), want: logs("reconciled")},
		{name: "the pool refuses the connection", crowd: reconciling(func(c *crowd) error { return c.Cognito.Set(stack.Refuse) }), want: logs("will retry")},
		{name: "Hasura goes down in the middle", crowd: reconciling(goesDown), want: logs("reconciled")},
		{name: "one row can never be written", crowd: oneBadRow, want: logs("permanent failure", "reconciled")},
		{name: "the process is killed at any point", crowd: killedOften, want: logs("reconciled")},
		{name: "users sign in, change, come and go", crowd: whileUsersLive, want: logs("reconciled", "synced")},
		{name: "ListUsers is 30 s behind", crowd: stale, want: logs("reconciled")},
		{name: "follow: nothing is wrong", crowd: following(func(_ *rand.Rand, events []string) []string { return events }), want: logs("followed", "marked")},
		{name: "follow: changes doubled, shuffled, a third lost", crowd: following(disorder), want: logs("followed", "reconciled")},
		{name: "follow: Hasura goes down in the middle", crowd: followDuringOutage, want: logs("followed", "reconciled")},
	}
	for i := range all {
		if !strings.HasPrefix(all[i].name, "follow") {
			all[i].name = "reconcile: " + all[i].name
		}
	}
	return all
}

// tryCrowd plays a row, runs reconcile once more and judges.
func (rep *report) tryCrowd(ctx context.Context, built string, s size) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	c, err := startCrowd(ctx, built, s.seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	watching, stop := context.WithCancel(ctx)
	watched := make(chan []string, 1)
	go func() { watched <- c.watch(watching) }()
	rep.unwritten, err = rep.row.crowd(ctx, c)
	if err == nil {
		err = c.again(ctx)
	}
	stop()
	rep.wrong = append(rep.wrong, <-watched...)
	rep.readLog(c.Log.Lines(), func(format string, args ...any) { rep.wrong = append(rep.wrong, fmt.Sprintf(format, args...)) })
	if err == nil {
		rep.wrong = append(rep.wrong, c.settled(ctx, rep.unwritten...)...)
	}
	return err
}

// again runs reconcile once more, as if ten minutes had passed.
func (c *crowd) again(ctx context.Context) error {
	err := c.Age(ctx, 10*time.Minute)
	return errors.Join(err, c.Reconcile(ctx))
}

// reconciling runs the reconcile function while a fault lasts.
func reconciling(begin func(*crowd) error) crowdLoad {
	return func(ctx context.Context, c *crowd) ([]string, error) {
		if err := c.drift(ctx); err != nil {
			return nil, err
		}
		if begin == nil {
			return nil, c.Reconcile(ctx)
		}
		if err := begin(c); err != nil {
			return nil, err
		}
		_ = c.Reconcile(ctx) // parts can become dead letters
		return nil, errors.Join(c.Cognito.Set(stack.Fault{}), c.Hasura.Set(stack.Fault{}))
	}
}

// isListing reports whether a request asks for a part of the pool, and not for one user.
func isListing(_ *http.Request, body []byte) bool { return strings.Contains(string(body), `sub ^= `) }

// listings is the fault of requests for a part of the pool.
func listings(f stack.Fault) func(*crowd) error {
	return func(c *crowd) error { return c.Cognito.Set(stack.If(f, isListing)) }
}

// onePart is the fault of the listing of the part that begins with 7.
func onePart(f stack.Fault) func(*crowd) error {
	return func(c *crowd) error {
		return c.Cognito.Set(stack.If(f, func(_ *http.Request, body []byte) bool { return strings.Contains(string(body), `sub ^= \"7`) }))
	}
}

// awsStatus is the answer of an AWS service to a failure, with a status.
func awsStatus(code int, name string) stack.Fault {
	return stack.Status(code, fmt.Sprintf(`{"__type":%q,"message":"%s"}`, name, canary))
}

// cut leaves out the second half of a page, and the token of the next one.
var cut = stack.Serve(func(w http.ResponseWriter, r *http.Request, service http.Handler) {
	answer := httptest.NewRecorder()
	service.ServeHTTP(answer, r)
	var page struct{ Users []json.RawMessage }
	if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	page.Users = page.Users[:len(page.Users)/2]
	_ = json.NewEncoder(w).Encode(page) // the client may be gone
})

// throttling refuses six of ten requests.
func throttling(c *crowd) error {
	var n atomic.Int64
	return c.Cognito.Set(stack.If(awsStatus(400, "TooManyRequestsException"), func(*http.Request, []byte) bool { return n.Add(7)%10 < 6 }))
}

// halfBodies breaks the connection in every third answer.
func halfBodies(c *crowd) error {
	var n atomic.Int64
	return c.Cognito.Set(stack.If(stack.HalfBody, func(*http.Request, []byte) bool { return n.Add(1)%3 == 0 }))
}

// goesDown makes Hasura unavailable from its tenth request on, for three seconds.
func goesDown(c *crowd) error {
	var n atomic.Int64
	var until atomic.Pointer[time.Time]
	return c.Hasura.Set(stack.If(stack.Status(http.StatusServiceUnavailable, canary), func(*http.Request, []byte) bool {
		if n.Add(1) == 10 {
			end := time.Now().Add(3 * time.Second)
			until.Store(&end)
		}
		end := until.Load()
		return end != nil && time.Now().Before(*end)
	}))
}

// oneBadRow makes Hasura refuse the row of one user, also in the last run.
func oneBadRow(ctx context.Context, c *crowd) ([]string, error) {
	user := c.UserPool.Users.All()[0]
	err := errors.Join(c.drift(ctx), c.edit(ctx, user))
	refuse := stack.If(hasuraError("constraint-violation", ""), func(_ *http.Request, body []byte) bool {
		return strings.Contains(string(body), "mutation") && strings.Contains(string(body), user.Sub())
	})
	if err := errors.Join(err, c.Hasura.Set(refuse)); err != nil {
		return nil, err
	}
	return []string{user.Sub()}, c.Reconcile(ctx)
}

// killedOften ends the processes of the reconcile function at any point, again and again.
func killedOften(ctx context.Context, c *crowd) ([]string, error) {
	if err := c.drift(ctx); err != nil {
		return nil, err
	}
	var requests atomic.Int64
	random := rand.New(rand.NewPCG(c.random.Uint64(), 0))
	next := atomic.Int64{}
	next.Store(3)
	kill := func(_ *http.Request, _ []byte) bool { return requests.Add(1) >= next.Load() }
	fault := stack.If(stack.Serve(func(w http.ResponseWriter, r *http.Request, service http.Handler) {
		next.Store(requests.Load() + 5 + random.Int64N(25))
		if random.IntN(2) == 0 { // after the request was served, or before
			service.ServeHTTP(httptest.NewRecorder(), r)
		}
		c.Lambda.Kill(functions.Reconcile)
	}), kill)
	if err := errors.Join(c.Hasura.Set(fault), c.Cognito.Set(fault)); err != nil {
		return nil, err
	}
	_ = c.Reconcile(ctx) // parts can become dead letters
	return nil, errors.Join(c.Cognito.Set(stack.Fault{}), c.Hasura.Set(stack.Fault{}))
}

// whileUsersLive runs the reconcile function two times while users sign in, change, come and go.
func whileUsersLive(ctx context.Context, c *crowd) ([]string, error) {
	if err := c.drift(ctx); err != nil {
		return nil, err
	}
	living, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- c.live(living) }()
	err := errors.Join(c.Reconcile(ctx), c.Reconcile(ctx))
	stop()
	return nil, errors.Join(err, <-done)
}

// stale lets ListUsers show every change half a minute late. The last run begins after that time.
func stale(ctx context.Context, c *crowd) ([]string, error) {
	const behind = 30 * time.Second
	c.UserPool.Users.Stale = behind
	if err := c.drift(ctx); err != nil {
		return nil, err
	}
	settled := time.Now().Add(behind)
	err := errors.Join(c.Reconcile(ctx), c.Reconcile(ctx))
	select {
	case <-time.After(time.Until(settled)):
	case <-ctx.Done():
	}
	return nil, err
}

// following runs the follow function with the changes that arrive.
func following(arrive func(*rand.Rand, []string) []string) crowdLoad {
	return func(ctx context.Context, c *crowd) ([]string, error) {
		deliver := c.UserPool.Recorded
		var events []string
		c.UserPool.Recorded = func(_ context.Context, event []byte) { events = append(events, string(event)) }
		if err := c.drift(ctx); err != nil {
			return nil, err
		}
		c.UserPool.Recorded = deliver
		for _, event := range arrive(c.random, events) {
			c.Deliver([]byte(event))
		}
		return nil, c.Follow(ctx)
	}
}

// disorder doubles and shuffles events, and loses a third of them.
func disorder(random *rand.Rand, events []string) []string {
	var kept []string
	for i, event := range events {
		if i%3 != 0 {
			kept = append(kept, event, event)
		}
	}
	random.Shuffle(len(kept), func(i, j int) { kept[i], kept[j] = kept[j], kept[i] })
	return kept
}

// followDuringOutage runs the follow function while Hasura goes down and comes back.
func followDuringOutage(ctx context.Context, c *crowd) ([]string, error) {
	if err := c.drift(ctx); err != nil {
		return nil, err
	}
	if err := goesDown(c); err != nil {
		return nil, err
	}
	_ = c.Follow(ctx) // changes can become dead letters
	return nil, c.Hasura.Set(stack.Fault{})
}
