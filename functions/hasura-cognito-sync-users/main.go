// Command hasura-cognito-sync-users is a post confirmation and post authentication
// trigger for Amazon Cognito user pools that writes the person's row in Hasura. It
// needs
//
//	GRAPHQL_DOMAIN   Hasura's host, host:port or URL
//	SECRETS_ARN      secret with Hasura's admin secret: a JSON object or plain text
//
// and understands
//
//	SECRETS_KEY      key of the admin secret in the JSON object; by default the first
//	                 there is of HASURA_GRAPHQL_ADMIN_SECRET, HASURA_ADMIN_SECRET,
//	                 ADMIN_SECRET
//	GRAPHQL_HOST     name that Hasura's certificate is for, if not GRAPHQL_DOMAIN
//	HASURA_ROLE      role to act as instead of admin, such as cognito_sync
//	SYNC_BUDGET      time for everything, such as 3.5s, the default; at most 4.5s
//	SYNC_QUEUE_URL   SQS queue for the syncs that failed; hasura-cognito-replay-syncs
//	                 writes them later
//	SYNC_ON_FAILURE  refuse, to fail the sign-in when the row cannot be written;
//	                 by default (allow) the person is let in
//
// A wrong one keeps the function from starting; the log has every fault at once.
// Trouble in reaching the secret or Hasura does not: it is tried again in the call.
package main

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
)

var started = time.Now()

// warmUp bounds what is done before the first call, as does half of the budget.
const warmUp = 1500 * time.Millisecond

func main() {
	log := logs.New(os.Stdout, os.Getenv)
	logs.Adopt(log)
	config, err := fromEnv(os.Getenv)
	if err != nil {
		log.Error("misconfigured", "faults", err)
		os.Exit(1)
	}
	ctx, cancel := context.WithDeadline(context.Background(), started.Add(min(warmUp, config.budget/2)))
	client, err := hasura.Connect(ctx, config.hasura, log)
	if err != nil {
		log.Error("misconfigured", "faults", err)
		os.Exit(1)
	}
	cancel()

	s := &syncer{
		upsert: client.Upsert,
		refuse: config.refuse,
		budget: newBudget(config.budget, started, os.Getenv),
		log:    log,
	}
	if config.queue != "" && !config.refuse { // who is refused tries again
		s.park = parking.New(config.queue).Park
	}
	lambda.Start(cognito.Handler{Handle: s.sync, Log: log})
}
