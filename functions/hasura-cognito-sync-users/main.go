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
//	SYNC_ON_FAILURE  refuse, to fail the sign-in when the row cannot be written;
//	                 by default the person is let in
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
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

var started = time.Now()

func main() {
	log := logs.New(os.Stdout, os.Getenv)
	config, err := fromEnv(os.Getenv)
	if err != nil {
		log.Error("misconfigured", "faults", err)
		os.Exit(1)
	}
	if config.endpoint.Warning != "" {
		log.Warn("doubtful setting", "warning", config.endpoint.Warning)
	}
	ctx, cancel := context.WithDeadline(context.Background(), started.Add(warmUp))
	bag, err := secrets.Open(ctx, config.secret, config.keys...)
	if err != nil {
		log.Error("misconfigured", "faults", err)
		os.Exit(1)
	}
	client := hasura.New(config.endpoint, bag, config.role)
	warm(ctx, client, bag, log)
	cancel()

	s := &syncer{
		upsert: client.Upsert,
		refuse: config.refuse,
		budget: newBudget(config.budget, started, os.Getenv),
		log:    log,
	}
	lambda.Start(cognito.Handler{Handle: s.sync, Log: log})
}
