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
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/Khan/genqlient/graphql"
	"github.com/sony/gobreaker/v2"

	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

// A Client writes to one Hasura. It is safe for concurrent use and keeps its
// connection open between calls.
//
// When a call has failed for a reason that passes, the next ones fail at once with
// [CodeOpen] for a while, so that a Hasura that is down costs each of them nothing;
// then one call is let through to see.
type Client struct {
	endpoint Endpoint
	bag      *secrets.Bag
	http     *http.Client
	role     string
	breaker  *gobreaker.CircuitBreaker[bool]
}

// New returns a client that sends the bag's secret as the admin secret. With a
// role it acts as that role, and on the row of the person at hand alone
// (x-hasura-user-id); with "" it acts as admin, whom no permission binds.
func New(endpoint Endpoint, bag *secrets.Bag, role string) *Client {
	return &Client{
		endpoint: endpoint,
		bag:      bag,
		http:     newHTTPClient(endpoint),
		role:     role,
		breaker:  newBreaker(),
	}
}

// warm opens the connection, so that the first upsert need not. It says nothing of
// how that went: the upsert will.
func (c *Client) warm(ctx context.Context) {
	// Not HEAD: Go prints the beginning of a body that comes all the same.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.endpoint.health(), nil)
	if err != nil {
		return
	}
	request.Host = c.endpoint.Host
	if response, err := c.http.Do(request); err == nil {
		_, _ = io.CopyN(io.Discard, response.Body, maxBody)
		response.Body.Close()
	}
}

// Upsert writes a row, trying again while ctx lasts where that can help, and
// reports whether it was stale: a newer event has written the row already. Copies
// of one upsert may run side by side; the row ends up the same. ctx must have a
// deadline. An error is an [*Error] or one of the bag's.
func (c *Client) Upsert(ctx context.Context, r Row) (stale bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, &Error{Code: CodeTimeout, err: err} // which says nothing of Hasura
	}
	probe := c.breaker.State() == gobreaker.StateHalfOpen
	stale, err = c.breaker.Execute(func() (bool, error) {
		if probe {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, probing)
			defer cancel()
		}
		return c.try(ctx, r)
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return false, &Error{Code: CodeOpen, err: err}
	}
	return stale, err
}

// try attempts until one succeeds or no further one can help.
func (c *Client) try(ctx context.Context, r Row) (stale bool, err error) {
	secret, err := c.secret(ctx)
	if err != nil {
		return false, err
	}
	for attempt, second := 1, false; ; attempt++ {
		stale, err = c.attempt(ctx, attempt, secret, r)
		failure, ok := errors.AsType[*Error](err)
		if !ok {
			return stale, err
		}
		switch failure.Class() {
		case Later:
			if !sleep(ctx, backoff(attempt)) {
				return false, err
			}
		case Once:
			if second || !sleep(ctx, backoff(attempt)) {
				return false, err
			}
			second = true
		case Denied:
			replaced, bagErr := c.bag.Replace(ctx, secret)
			if second || bagErr != nil || replaced.Equal(secret) {
				return false, err
			}
			secret, second = replaced, true
		default:
			return false, err
		}
	}
}

// secret reads the admin secret, trying again where that can help.
func (c *Client) secret(ctx context.Context) (secrets.Secret, error) {
	for attempt := 1; ; attempt++ {
		secret, err := c.bag.Secret(ctx)
		if failure, ok := errors.AsType[*secrets.Error](err); !ok || !failure.Passes() || !sleep(ctx, backoff(attempt)) {
			return secret, err
		}
	}
}

// attempt sends the mutation once. The first may take half of the time: should its
// request or answer have been lost, there is time for a second.
func (c *Client) attempt(ctx context.Context, number int, secret secrets.Secret, r Row) (stale bool, err error) {
	if end, ok := ctx.Deadline(); ok && number == 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
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
