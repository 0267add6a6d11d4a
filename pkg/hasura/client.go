// Package hasura is the only client of Hasura. It writes user rows, and says why that
// failed.
//
// Hasura answers nearly every failure with HTTP 200, so the code in the body decides; see
// [Error.Class]. Messages of Hasura and of the network can hold SQL, values and internal
// names. They never leave this package: an [Error] has the status and the codes alone.
package hasura

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/Khan/genqlient/graphql"
	"github.com/sony/gobreaker/v2"

	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A Client writes to one Hasura. It is safe for concurrent use and keeps its connection
// open between calls.
type Client struct {
	endpoint settings.Endpoint
	secrets  *secrets.Cache
	http     *http.Client
	role     string
	breaker  *gobreaker.CircuitBreaker[bool]
}

// New returns a client that sends the secret of the cache as the admin secret. With a role
// it acts as that role, with the user's key as x-hasura-user-id. With "" it acts as admin,
// to whom no permission applies.
func New(endpoint settings.Endpoint, cache *secrets.Cache, role string) *Client {
	return &Client{
		endpoint: endpoint,
		secrets:  cache,
		http:     HTTPClient(endpoint),
		role:     role,
		breaker:  newBreaker(),
	}
}

// Connect returns a client for the settings. It reads the secret and opens the connection,
// side by side, so that the first call is fast. If either fails, the first call tries again.
// The error comes from loading the AWS configuration.
func Connect(ctx context.Context, s settings.Hasura, log *slog.Logger) (*Client, error) {
	if s.Endpoint.IsPlainHTTP() {
		log.WarnContext(ctx, "plain http", "hint", "the admin secret is sent without TLS; "+
			"for a load balancer with a certificate set GRAPHQL_HOST to the name on it, and GRAPHQL_CA if a private authority issued it")
	}
	cache, err := secrets.Open(ctx, log, s.SecretARN, s.SecretKey)
	if err != nil {
		return nil, err
	}
	c := New(s.Endpoint, cache, s.Role)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.isHealthy(ctx)
	}()
	_, _ = cache.Get(ctx) // which logs its failure
	<-done
	return c, nil
}

// Upsert writes a row, with retries while ctx lasts where these can help. stale means that
// a newer event has written the row, which then stays as it is; if the stale event is the
// later sign-in, last_sign_in_at is still raised. Copies of one Upsert may run side by
// side: the row ends up the same.
//
// ctx must have a deadline. An error is an [*Error] or a [*secrets.Error]. After a failure
// that says that no row can be written, Upsert fails with [CodeOpen] for 10 seconds without
// sending anything; then one call is let through.
func (c *Client) Upsert(ctx context.Context, r users.Row) (stale bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, &Error{Code: CodeTimeout, err: err} // this says nothing about Hasura
	}
	probe := c.breaker.State() == gobreaker.StateHalfOpen
	stale, err = c.breaker.Execute(func() (bool, error) {
		if probe {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, probeTime)
			defer cancel()
		}
		return c.Write(ctx, r)
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return false, &Error{Code: CodeOpen, err: err}
	}
	return stale, err
}

// Write is [Client.Upsert] without the pause after a failure.
func (c *Client) Write(ctx context.Context, r users.Row) (stale bool, err error) {
	err = c.retry(ctx, doer{client: c, userID: r.Key, limit: maxBody, alias: "row"}, func(ctx context.Context, client graphql.Client) (err error) {
		stale, err = upsert(ctx, client, r)
		return err
	})
	return stale, err
}

// retry calls send, with retries while ctx lasts where these can help. The error is an
// [*Error] or a [*secrets.Error].
func (c *Client) retry(ctx context.Context, d doer, send func(context.Context, graphql.Client) error) error {
	secret, err := c.secret(ctx)
	if err != nil {
		return err
	}
	var healthy <-chan bool // the result of a health check, once one was sent
	var answered *Error     // the last failure that was not a time-out
	for attempt, repeated := 1, false; ; attempt++ {
		d.secret = secret
		err := c.attempt(ctx, attempt, d, send)
		if err == nil {
			return nil
		}
		failure := redact(err)
		retry := false
		switch failure.Class() {
		case Transient:
			if failure.Code == CodeTimeout && healthy == nil {
				healthy = c.checkHealth(ctx) // beside the next attempt
			}
			retry = sleep(ctx, backoff(attempt))
		case Unclear:
			failure.repeated = repeated
			retry = !repeated && sleep(ctx, backoff(attempt))
			repeated = true
		case AccessDenied:
			replaced, fetchErr := c.secrets.Refresh(ctx, secret)
			retry = !repeated && fetchErr == nil && !replaced.Equal(secret)
			secret, repeated = replaced, true
		}
		switch {
		case !retry && failure.Code == CodeTimeout && answered != nil:
			// Only the time for a further attempt ran out.
			return answered
		case !retry && failure.Code == CodeTimeout && healthy != nil:
			failure.hangs = !<-healthy
			return failure
		case !retry:
			return failure
		case failure.Code != CodeTimeout:
			answered = failure
		}
	}
}

// secret reads the admin secret, with retries where these can help.
func (c *Client) secret(ctx context.Context) (secrets.Secret, error) {
	for attempt := 1; ; attempt++ {
		secret, err := c.secrets.Get(ctx)
		if failure, ok := errors.AsType[*secrets.Error](err); !ok || !failure.Transient() || !sleep(ctx, backoff(attempt)) {
			return secret, err
		}
	}
}

// attempt calls send once. The first attempt may take half of the time, so that a second
// one is possible when its request or response is lost.
func (c *Client) attempt(ctx context.Context, number int, d doer, send func(context.Context, graphql.Client) error) error {
	if end, ok := ctx.Deadline(); ok && number == 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	return send(ctx, graphql.NewClient(c.endpoint.URL.String(), d))
}

// upsert sends the mutation of [Client.Upsert] once, and one more if the row may have a later
// sign-in than r.
func upsert(ctx context.Context, client graphql.Client, r users.Row) (stale bool, err error) {
	columns := columnsOf(r)
	hasSignIn := r.Table.SignedInAt != "" && !r.SignedInAt.IsZero()
	// A sign-in from before the sync can be older than the one that the row has.
	isEarlier := hasSignIn && r.SignedInAt.Before(r.SyncedAt)
	if isEarlier {
		signIn := updateColumn(r.Table.SignedInAt)
		columns = slices.DeleteFunc(columns, func(c column) bool { return c == signIn })
	}
	response, err := upsertUser(ctx, client, r, columns, olderThan(r.Table, r.SyncedAt))
	if err != nil {
		return false, err
	}
	stale = response.Row == nil
	if hasSignIn && (stale || isEarlier) {
		_, err = upsertUser(ctx, client, r, []column{updateColumn(r.Table.SignedInAt)}, signedInBefore(r))
	}
	return stale, err
}

// checkHealth asks for Hasura's health in the background.
func (c *Client) checkHealth(ctx context.Context) <-chan bool {
	healthy := make(chan bool, 1)
	go func() { healthy <- c.isHealthy(ctx) }()
	return healthy
}

// isHealthy reports whether the health check has a whole response other than a server error. A
// 403 or 404 is one: a load balancer may not forward the check. At a cold start the check
// opens the connection.
func (c *Client) isHealthy(ctx context.Context) bool {
	// Not HEAD: if a body comes all the same, Go prints its beginning.
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.endpoint.Health(), nil)
	if err != nil {
		return false
	}
	request.Host = c.endpoint.Host
	response, err := c.http.Do(request)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	response.Body.Close()
	return err == nil && response.StatusCode < http.StatusInternalServerError
}

// backoff is the pause after a failed attempt: 50 ms, doubled with each further attempt up
// to 800 ms, and up to half of it left out at random.
func backoff(attempt int) time.Duration {
	full := 50 * time.Millisecond << min(attempt-1, 4)
	return full/2 + rand.N(full/2)
}

// sleep waits for d and returns true. It returns false if ctx ends first, and at once if
// its deadline is earlier.
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
