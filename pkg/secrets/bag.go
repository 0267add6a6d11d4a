// Package secrets reads one secret out of a bag of them: a JSON object in AWS
// Secrets Manager that holds what an application needs, or a plain string that
// is the secret itself.
//
// A [Bag] remembers what it read, for the life of a Lambda environment is longer
// than that of a secret: it reads again after a time, keeps serving the old value
// when that fails, and reads at once when told that the value was refused.
package secrets

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// A Bag serves one secret. Open makes one; it is safe for concurrent use.
type Bag struct {
	// fetch reads the secret anew.
	fetch func(context.Context) (Secret, error)
	log   *slog.Logger

	turn   chan struct{} // holds one token: who has it may read and write the rest
	secret Secret        // zero until the first fetch that succeeded
	stale  time.Time     // when to fetch again
}

// fresh is how long a secret is served without asking again, less up to a tenth,
// so that environments that started together do not ask together. A failed
// refresh is tried again after failed.
const (
	fresh  = 10 * time.Minute
	failed = time.Minute
)

func newBag(log *slog.Logger, fetch func(context.Context) (Secret, error)) *Bag {
	return &Bag{fetch: fetch, log: log, turn: make(chan struct{}, 1)}
}

// Secret returns the secret, reading it if it is not known or has grown old. An
// old one is served when it cannot be read again.
func (b *Bag) Secret(ctx context.Context) (Secret, error) {
	if err := b.lock(ctx); err != nil {
		return Secret{}, err
	}
	defer b.unlock()
	if !b.secret.IsZero() && time.Now().Before(b.stale) {
		return b.secret, nil
	}
	secret, err := b.refresh(ctx)
	if err != nil && !b.secret.IsZero() {
		b.log.WarnContext(ctx, "secret stale", "error", err)
		b.stale = time.Now().Add(failed)
		return b.secret, nil
	}
	return secret, err
}

// Replace returns the secret that took the place of one that was refused. It
// reads anew unless another caller has done so meanwhile; what it returns equals
// refused when the secret was not rotated at all.
func (b *Bag) Replace(ctx context.Context, refused Secret) (Secret, error) {
	if err := b.lock(ctx); err != nil {
		return Secret{}, err
	}
	defer b.unlock()
	if !b.secret.IsZero() && !b.secret.Equal(refused) {
		return b.secret, nil
	}
	return b.refresh(ctx)
}

func (b *Bag) refresh(ctx context.Context) (Secret, error) {
	secret, err := b.fetch(ctx)
	if err != nil {
		return Secret{}, err
	}
	if !b.secret.IsZero() && !b.secret.Equal(secret) {
		b.log.InfoContext(ctx, "secret refreshed")
	}
	b.secret = secret
	b.stale = time.Now().Add(fresh - rand.N(fresh/10))
	return secret, nil
}

// lock waits for the turn no longer than ctx allows, which a mutex cannot.
func (b *Bag) lock(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *Bag) unlock() { <-b.turn }
