// Command hasura-cognito-reconcile-users, the reconcile function, makes the users table
// equal to the user pool. It reads a queue, one message per call, with partial batch
// responses.
//
// The schedule sends the first message. The function divides the pool into parts then, and
// sends itself one message for each. The event source mapping bounds how many parts run at
// the same time: MaximumConcurrency is [concurrency]. A part that fails stays in the queue,
// and the queue moves it to the dead-letter queue.
//
// Users who seem to be gone are looked up again after a minute. The part does not wait: it
// sends messages with their subs, which SQS delays.
//
// With an invalid setting it does not start, and the messages stay in the queue.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/logs"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/queue"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

const (
	// concurrency is the MaximumConcurrency of the event source mapping.
	concurrency = 4
	// perSecond is this function's part of the quota of ListUsers, 30 requests per second.
	// The follow function has 6. The rest is left to others in the account.
	perSecond = 18
)

func main() {
	log := logs.New(os.Stdout, os.Getenv)
	logs.Adopt(log)
	s, h, faults := settings.ReadReconcile(os.Getenv)
	queueURL, more := settings.ReadReconcileQueue(os.Getenv)
	own, err := queue.Open(context.Background(), queueURL)
	if err = errors.Join(append(append(faults, more...), err)...); err != nil {
		log.Error("misconfigured", "faults", err)
		os.Exit(1)
	}
	f := &function{
		opener: &reconcile.Opener{Settings: s, Hasura: h, PerSecond: perSecond / float64(concurrency), Log: log},
		queue:  own,
		log:    log,
	}
	reconcile.SetGC()
	lambda.Start(f.handle)
}
