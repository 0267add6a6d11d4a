// Package secrets reads Hasura's admin secret from a secret in AWS Secrets Manager.
//
// A [Cache] keeps what it read, because an execution environment lives longer than a
// secret: it reads again after ten minutes, serves the old value when that fails, and
// reads at once when told that Hasura refused the value.
package secrets

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// A Cache serves the admin secret. Open makes one. It is safe for concurrent use.
type Cache struct {
	fetch func(context.Context) (Secret, error)
	log   *slog.Logger

	turn   chan struct{} // a lock: the holder of its one token may use the fields below
	secret Secret        // zero until the first fetch that succeeded
	stale  time.Time     // when to fetch again
}

// A secret is served for ten minutes, less up to a tenth at random, so that execution
// environments that started together do not fetch together. After a failed fetch the old
// secret is served for another minute.
const (
	freshFor   = 10 * time.Minute
	retryAfter = time.Minute
)

func newCache(log *slog.Logger, fetch func(context.Context) (Secret, error)) *Cache {
	return &Cache{fetch: fetch, log: log, turn: make(chan struct{}, 1)}
}

// Get returns the secret. It fetches the secret if it is not known or ten minutes old, and
// serves the old one if that fails or takes a third of the time that ctx has.
func (c *Cache) Get(ctx context.Context) (Secret, error) {
	if err := c.lock(ctx); err != nil {
		return Secret{}, err
	}
	defer c.unlock()
	if !c.secret.IsZero() && time.Now().Before(c.stale) {
		return c.secret, nil
	}
	fetching := ctx
	if end, ok := ctx.Deadline(); ok && !c.secret.IsZero() {
		var cancel context.CancelFunc
		fetching, cancel = context.WithTimeout(ctx, time.Until(end)/3)
		defer cancel()
	}
	secret, err := c.fetchNow(fetching)
	if err == nil {
		return secret, nil
	}
	if c.secret.IsZero() {
		c.log.WarnContext(ctx, "secret fetch failed", "error", err)
		return Secret{}, err
	}
	c.log.WarnContext(ctx, "secret stale", "error", err)
	c.stale = time.Now().Add(retryAfter)
	return c.secret, nil
}

// Refresh returns the secret after Hasura refused one. It fetches, unless another call has
// done so since. If the secret was not rotated, the result equals refused.
func (c *Cache) Refresh(ctx context.Context, refused Secret) (Secret, error) {
	if err := c.lock(ctx); err != nil {
		return Secret{}, err
	}
	defer c.unlock()
	if !c.secret.IsZero() && !c.secret.Equal(refused) {
		return c.secret, nil
	}
	secret, err := c.fetchNow(ctx)
	if err != nil {
		c.log.WarnContext(ctx, "secret fetch failed", "error", err)
	}
	return secret, err
}

func (c *Cache) fetchNow(ctx context.Context) (Secret, error) {
	secret, err := c.fetch(ctx)
	if err != nil {
		return Secret{}, err
	}
	if !c.secret.IsZero() && !c.secret.Equal(secret) {
		c.log.InfoContext(ctx, "secret refreshed")
	}
	c.secret = secret
	c.stale = time.Now().Add(freshFor - rand.N(freshFor/10))
	return secret, nil
}

// lock waits no longer than ctx allows. A mutex could not be told to.
func (c *Cache) lock(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Cache) unlock() { <-c.turn }
