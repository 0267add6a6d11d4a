// Command hasura-cognito-follow-users, the follow function, writes the rows of users who
// changed in the user pool. It reads a queue with the records that CloudTrail writes of
// calls to Cognito and EventBridge forwards, with partial batch responses.
//
// A record is a hint: it says that a user may have changed. The function looks the user up
// in the pool and does what the reconcile function does for one user. Records can be lost
// or late, so the table stays equal to the pool only if reconcile runs too.
//
// The pool's answer can be older than the change. So some users are looked up again a minute
// later: the function sends itself a message, which SQS delays.
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
	concurrency = 2
	// perSecond is this function's part of the quota of ListUsers, 30 requests per second.
	// The reconcile function has 18.
	perSecond = 6
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
	opener := &reconcile.Opener{Settings: s, Hasura: h, PerSecond: perSecond / float64(concurrency), Log: log}
	lambda.Start((&function{open: opener.Open, queue: own, poolID: s.UserPoolID, log: log}).follow)
}
