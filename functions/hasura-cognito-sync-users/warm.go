package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

// warmUp bounds what is done before the first call. It leaves that call more than
// half of the default budget.
const warmUp = 1500 * time.Millisecond

// warm reads the secret and opens the connection to Hasura, side by side, before
// the first call comes. What fails is tried again in the call.
func warm(ctx context.Context, client *hasura.Client, bag *secrets.Bag, log *slog.Logger) {
	var wait sync.WaitGroup
	wait.Go(func() { client.Warm(ctx) })
	if _, err := bag.Secret(ctx); err != nil {
		log.Warn("no secret yet", "error", err)
	}
	wait.Wait()
}
