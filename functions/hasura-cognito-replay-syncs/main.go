// Command hasura-cognito-replay-syncs, the replay function, writes the rows of parked
// syncs. It reads the queue that the sync function fills, in batches with partial batch
// responses: the event source mapping needs ReportBatchItemFailures. A message that cannot
// be written stays in the queue, and the queue moves it to the dead-letter queue after the
// number of receives that it is set to.
//
// It reads the same settings about Hasura as the sync function. With an invalid one it does
// not start, and the messages stay in the queue.
package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// connectTime bounds what happens before the first batch.
const connectTime = 5 * time.Second

func main() {
	log := logs.New(os.Stdout, os.Getenv)
	logs.Adopt(log)
	s, faults := settings.ReadHasura(os.Getenv)
	err := errors.Join(faults...)
	var client *hasura.Client
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), connectTime)
		defer cancel()
		client, err = hasura.Connect(ctx, s, log)
	}
	if err != nil {
		log.Error("misconfigured", "faults", err)
		os.Exit(1)
	}
	lambda.Start((&function{table: &users.Description, write: client.Write, log: log}).replay)
}
