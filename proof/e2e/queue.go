package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// parked has somebody sign in while Hasura is down: the sync that failed waits in the
// stack's queue, and the stack's event source mapping has the replay write it when Hasura
// is back.
func (m *machine) parked(ctx context.Context) (string, error) {
	p := m.v2
	queue := sqs.New(sqs.Options{Region: region, Credentials: account, BaseEndpoint: &m.ministack})
	// So long is a message out of sight when it could not be replayed; the template's three minutes are a long wait.
	if _, err := queue.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &p.queue, Attributes: map[string]string{"VisibilityTimeout": "1"}}); err != nil {
		return "", err
	}
	who, username, password, err := p.newPerson(ctx)
	if err != nil {
		return "", err
	}
	p.hasura.down.Store(true)
	defer p.hasura.down.Store(false)
	if err := m.syncDeployed(ctx, p, who, username); err != nil {
		return "", fmt.Errorf("the deployed sync, with Hasura down: %w", err)
	}
	if _, err := signIn(ctx, p.cognito, p.client, username, password); err != nil {
		return "", fmt.Errorf("with Hasura down: %w", err)
	}
	// The mapping takes the message again and again, and it stays.
	for range 2 {
		if n, err := waiting(ctx, queue, p.queue); err != nil || n != 1 {
			return "", errors.Join(fmt.Errorf("%d messages wait in the queue, want the sync that failed", n), err)
		}
		time.Sleep(2 * time.Second)
	}
	p.hasura.down.Store(false)
	for {
		n, err := waiting(ctx, queue, p.queue)
		if err == nil && n == 0 {
			return "the replay wrote the row, and the queue is empty", p.written(ctx, who, username)
		}
		if ctx.Err() != nil {
			return "", errors.Join(fmt.Errorf("%d messages wait in the queue though Hasura is back", n), err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// waiting counts a queue's messages, those included that somebody has received.
func waiting(ctx context.Context, client *sqs.Client, queue string) (n int, err error) {
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		return 0, err
	}
	for _, name := range []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible} {
		count, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil {
			return 0, fmt.Errorf("%s of the queue: %w", name, err)
		}
		n += count
	}
	return n, nil
}
