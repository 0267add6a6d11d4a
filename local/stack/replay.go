package stack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/sqs"
)

// Replay maps the queue to the function that replays it, until the queue is empty or ctx
// ends.
func (s *Stack) Replay(ctx context.Context) error {
	mapping := lambda.Mapping{
		Service: s.Lambda, Function: ReplaySyncs, QueueURL: s.QueueURL, QueueARN: sqs.Queue{Name: Queue}.ARN(),
		SQS: sdk.New(sdk.Options{Region: lambda.Region, BaseEndpoint: &s.QueueURL, // whose path the local SQS ignores
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}),
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- mapping.Run(running) }()
	left := len(s.SQS.Bodies(Queue))
	for ; left > 0 && ctx.Err() == nil; left = len(s.SQS.Bodies(Queue)) {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	err := <-done
	if left > 0 {
		err = errors.Join(err, fmt.Errorf("%d syncs are still parked", left))
	}
	return err
}
