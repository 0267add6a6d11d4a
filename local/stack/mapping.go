package stack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/sqs"
)

// Mapping returns the event source mapping from the parked syncs queue to the replay function.
func (s *Stack) Mapping() lambda.Mapping { return s.mapping(functions.Replay, Queue) }

func (s *Stack) mapping(function, queue string) lambda.Mapping {
	return lambda.Mapping{
		Service: s.Lambda, Function: function,
		QueueURL: s.queueURL(queue), QueueARN: sqs.Queue{Name: queue}.ARN(),
		SQS: sdk.New(sdk.Options{Region: lambda.Region, BaseEndpoint: &s.SQS.URL,
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}),
	}
}

func (s *Stack) queueURL(name string) string { return s.SQS.URL + "/" + lambda.Account + "/" + name }

// PoolQueues are the queues of the reconcile and the follow function, as in template.yaml.
func PoolQueues() []sqs.Queue {
	return []sqs.Queue{
		{Name: ReconcileDeadLetters},
		{Name: ReconcileQueue, Visibility: 5400 * time.Second, DeadLetters: ReconcileDeadLetters, MaxReceive: 3},
		{Name: FollowQueue, Visibility: 600 * time.Second, DeadLetters: ReconcileDeadLetters, MaxReceive: 5},
	}
}

// Replay gives the parked syncs to the replay function, until the queue is empty or ctx ends.
func (s *Stack) Replay(ctx context.Context) error { return s.drain(ctx, s.Mapping(), Queue) }

// Reconcile does what the schedule does: it sends the message that starts a run of the reconcile function. The run ends when
// the queue is empty. A part that became a dead letter is an error.
func (s *Stack) Reconcile(ctx context.Context) error {
	s.Queues.Send(ReconcileQueue, `{"version":1}`)
	m := s.mapping(functions.Reconcile, ReconcileQueue)
	m.BatchSize, m.Concurrency = 1, 4 // as in template.yaml
	return s.drainAlive(ctx, m, ReconcileQueue)
}

// Follow gives the changes that EventBridge has put into the queue to the follow function, until the queue is empty. A change that
// became a dead letter is an error.
func (s *Stack) Follow(ctx context.Context) error {
	return s.drainAlive(ctx, s.mapping(functions.Follow, FollowQueue), FollowQueue)
}

func (s *Stack) drainAlive(ctx context.Context, m lambda.Mapping, queue string) error {
	before := len(s.Queues.Bodies(ReconcileDeadLetters))
	err := s.drain(ctx, m, queue)
	if dead := len(s.Queues.Bodies(ReconcileDeadLetters)) - before; dead > 0 {
		err = errors.Join(err, fmt.Errorf("%d messages of %s became dead letters", dead, queue))
	}
	return err
}

// drain runs a mapping until the queue is empty and the last call has ended. It does not wait for messages that failed and
// stay invisible for long.
func (s *Stack) drain(ctx context.Context, m lambda.Mapping, queue string) error {
	const long = 5 * time.Second
	m.ShortPolling = true
	for {
		running, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- m.Run(running) }()
		for s.Queues.VisibleWithin(queue, long) > 0 && ctx.Err() == nil {
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		err := <-done // the last calls have ended: what is invisible now has failed
		left := len(s.Queues.Bodies(queue))
		if err == nil && ctx.Err() == nil && s.Queues.VisibleWithin(queue, long) > 0 {
			continue // a call has sent messages
		}
		if left > 0 {
			err = errors.Join(err, fmt.Errorf("%d messages are still in %s", left, queue))
		}
		return err
	}
}
