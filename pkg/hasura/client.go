// Package hasura is the suite's one door to Hasura: it writes the row of a person
// and says how that went.
//
// Hasura answers HTTP 200 to nearly every failure, so what counts is the code in
// the body; see [Error.Class]. Its messages, and those of the network, hold SQL,
// arguments and internal names. They never leave this package: an [Error] has the
// status and the codes alone.
package hasura

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/Khan/genqlient/graphql"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

// A Client writes to one Hasura. It is safe for concurrent use and keeps its
// connection open between calls.
type Client struct {
	endpoint Endpoint
	bag      *secrets.Bag
	http     *http.Client
	role     string
}

// New returns a client that sends the bag's secret as the admin secret. With a
// role it acts as that role, and on the row of the person at hand alone
// (x-hasura-user-id); with "" it acts as admin, whom no permission binds.
func New(endpoint Endpoint, bag *secrets.Bag, role string) *Client {
	return &Client{endpoint: endpoint, bag: bag, http: newHTTPClient(endpoint), role: role}
}

// A Sync is what one event says about a person.
type Sync struct {
	User     cognito.User
	At       time.Time // when the event came in: only a newer event overwrites the row
	SignedIn bool      // the event is a sign-in, at At
}

// A Result is how a sync went that did not fail.
type Result struct {
	Stale   bool     // the row is there, and newer
	Dropped []string // attributes whose values no column can hold, by name
}

// Warm opens the connection, so that the first upsert need not. It says nothing of
// how that went: the upsert will.
func (c *Client) Warm(ctx context.Context) {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, c.endpoint.health(), nil)
	if err != nil {
		return
	}
	request.Host = c.endpoint.Host
	if response, err := c.http.Do(request); err == nil {
		response.Body.Close()
	}
}

// Upsert writes the row of a person, trying again while ctx lasts where that can
// help. Copies of one sync may run side by side: the row ends up the same. An
// error is an [*Error], a [*secrets.Error] or another of the bag's.
func (c *Client) Upsert(ctx context.Context, s Sync) (Result, error) {
	if !isUUID(s.User.ID) {
		return Result{}, &Error{Code: CodeNoUUID}
	}
	row, dropped := rowOf(s)
	result := Result{Dropped: dropped}
	secret, err := c.bag.Secret(ctx)
	if err != nil {
		return result, err
	}
	for attempt, second := 1, false; ; attempt++ {
		result.Stale, err = c.upsert(ctx, secret, row)
		failure, ok := errors.AsType[*Error](err)
		if !ok {
			return result, err
		}
		switch failure.Class() {
		case Later:
			if !sleep(ctx, backoff(attempt)) {
				return result, err
			}
		case Once:
			if second || !sleep(ctx, backoff(attempt)) {
				return result, err
			}
			second = true
		case Denied:
			replaced, bagErr := c.bag.Replace(ctx, secret)
			if second || bagErr != nil || replaced.Equal(secret) {
				return result, err
			}
			secret, second = replaced, true
		default:
			return result, err
		}
	}
}

// upsert is one attempt. It reports whether the row was newer.
func (c *Client) upsert(ctx context.Context, secret secrets.Secret, r row) (stale bool, err error) {
	client := graphql.NewClient(c.endpoint.URL.String(), doer{c, secret, r.Id})
	answer, err := upsertUser(ctx, client, r, r.columns(), *r.Synced_at)
	if err != nil {
		return false, redact(err)
	}
	return answer.Insert_users_one == nil, nil
}

// backoff is how long to wait after a failed attempt: 50 ms, doubled for each one
// after the first, half of it by chance.
func backoff(attempt int) time.Duration {
	full := 50 * time.Millisecond << min(attempt-1, 4)
	return full/2 + rand.N(full/2)
}

// sleep waits, unless ctx would not outlast the wait.
func sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
