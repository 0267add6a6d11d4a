// Command hasura-cognito-replay-syncs writes the rows of people whose syncs were
// parked. It consumes the queue that hasura-cognito-sync-users fills, in batches
// with partial batch responses (ReportBatchItemFailures must be set on the event
// source mapping). A message that cannot be written stays in the queue, and the
// queue moves it to its dead letters after as many receives as it is set to.
//
// It needs GRAPHQL_DOMAIN and SECRETS_ARN and understands SECRETS_KEY,
// GRAPHQL_HOST and HASURA_ROLE, all as hasura-cognito-sync-users does.
package main

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
)

// warmUp bounds what is done before the first batch.
const warmUp = 5 * time.Second

func main() {
	log := logs.New(os.Stdout, os.Getenv)
	logs.Adopt(log)
	settings, err := hasura.FromEnv(os.Getenv)
	if err != nil {
		log.Error("misconfigured", "faults", err)
		os.Exit(1)
	}
	ctx, cancel := context.WithTimeout(context.Background(), warmUp)
	client, err := hasura.Connect(ctx, settings, log)
	if err != nil {
		log.Error("misconfigured", "faults", err)
		os.Exit(1)
	}
	cancel()
	lambda.Start((&replayer{upsert: client.Upsert, log: log}).replay)
}
