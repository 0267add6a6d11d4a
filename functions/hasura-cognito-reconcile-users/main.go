// Command hasura-cognito-reconcile-users, the reconcile function, makes the users table
// equal to the user pool. It reads a queue, one message per call, with partial batch
// responses.
//
// The schedule sends the first message. The function divides the pool into parts then, and
// sends itself one message for each. The event source mapping bounds how many parts run at
// the same time: MaximumConcurrency is [concurrency]. A part that fails stays in the queue,
// and the queue moves it to the dead-letter queue.
//
// With an invalid setting it does not start, and the messages stay in the queue.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/phenom-earth/hasura-cognito/pkg/awsroots"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
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
	queue, more := settings.ReadReconcileQueue(os.Getenv)
	err := errors.Join(append(faults, more...)...)
	cfg, loadErr := config.LoadDefaultConfig(context.Background())
	if err == nil && loadErr != nil {
		err = errors.New("the AWS configuration cannot be loaded") // the SDK's text can hold values
	}
	if err != nil {
		log.Error("misconfigured", "faults", err)
		os.Exit(1)
	}
	awsroots.First(&cfg)
	f := &function{
		opener: &reconcile.Opener{Settings: s, Hasura: h, PerSecond: perSecond / float64(concurrency), Log: log},
		send:   sender(cfg, queue),
		log:    log,
	}
	lambda.Start(f.handle)
}
