package lambda

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A Mapping is an event source mapping from an SQS queue to a function, with
// ReportBatchItemFailures. Messages that the function's response names stay in the queue,
// invisible until the visibility timeout. The others are deleted.
type Mapping struct {
	Service  *Service
	Function string
	SQS      *sqs.Client
	QueueURL string
	QueueARN string

	BatchSize   int // at most 10; zero means 10
	Concurrency int // concurrent batches; zero means 2, Lambda's minimum
	// ShortPolling receives without waiting, and does not give up a request that is under way when ctx ends: with long
	// polling, that request can still take a message, which is then invisible until the visibility timeout.
	ShortPolling bool
}

// Run gives batches to the function until ctx ends, then waits for the current batches. An
// error comes from the queue; failures of the function are not errors.
func (m Mapping) Run(ctx context.Context) error {
	errs := make([]error, cmp.Or(m.Concurrency, 2))
	var pollers sync.WaitGroup
	for i := range errs {
		pollers.Go(func() {
			for ctx.Err() == nil && errs[i] == nil {
				errs[i] = m.poll(ctx)
			}
		})
	}
	pollers.Wait()
	return errors.Join(errs...)
}

// receive waits for a batch for at most a second.
func (m Mapping) receive(ctx context.Context) ([]types.Message, error) {
	in := &sqs.ReceiveMessageInput{
		QueueUrl: &m.QueueURL, MaxNumberOfMessages: int32(cmp.Or(m.BatchSize, 10)), WaitTimeSeconds: 1,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	}
	if m.ShortPolling {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		in.WaitTimeSeconds = 0
	}
	out, err := m.SQS.ReceiveMessage(ctx, in)
	switch {
	case ctx.Err() != nil:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("receive from the queue: %w", err)
	}
	if m.ShortPolling && len(out.Messages) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	return out.Messages, nil
}

// poll gives a batch to the function.
func (m Mapping) poll(ctx context.Context) error {
	messages, err := m.receive(ctx)
	if err != nil || len(messages) == 0 {
		return err
	}
	// A batch that was received is finished, also if ctx ends.
	ctx = context.WithoutCancel(ctx)
	payload, err := json.Marshal(m.event(messages))
	if err != nil {
		return err
	}
	result, err := m.Service.Invoke(ctx, m.Function, payload)
	if errors.Is(err, ErrThrottled) || errors.Is(err, ErrClosed) || err == nil && result.FunctionError != "" {
		return nil // all messages stay
	}
	if err != nil {
		return fmt.Errorf("call %s: %w", m.Function, err)
	}
	return m.delete(ctx, messages, failures(result.Payload, messages))
}

// event is the batch as a function gets it: "Using Lambda with Amazon SQS".
func (m Mapping) event(messages []types.Message) (e events.SQSEvent) {
	for _, received := range messages {
		e.Records = append(e.Records, events.SQSMessage{
			MessageId:         *received.MessageId,
			ReceiptHandle:     *received.ReceiptHandle,
			Body:              *received.Body,
			Md5OfBody:         *received.MD5OfBody,
			Attributes:        received.Attributes,
			MessageAttributes: map[string]events.SQSMessageAttribute{}, // the suite sends none
			EventSource:       "aws:sqs",
			EventSourceARN:    m.QueueARN,
			AWSRegion:         Region,
		})
	}
	return e
}

// failures are the ids of the messages that stay, by "Handling errors for an SQS event
// source in Lambda". No message stays if the response or its list is null or empty. All
// stay if the response is not JSON or names an id that is not in the batch.
func failures(response []byte, batch []types.Message) map[string]bool {
	ids := make(map[string]bool)
	for _, m := range batch {
		ids[*m.MessageId] = true
	}
	var answer events.SQSEventResponse
	if json.Unmarshal(response, &answer) != nil {
		return ids
	}
	failed := make(map[string]bool)
	for _, f := range answer.BatchItemFailures {
		if !ids[f.ItemIdentifier] {
			return ids
		}
		failed[f.ItemIdentifier] = true
	}
	return failed
}

func (m Mapping) delete(ctx context.Context, batch []types.Message, failed map[string]bool) error {
	var entries []types.DeleteMessageBatchRequestEntry
	for i, received := range batch {
		if !failed[*received.MessageId] {
			entries = append(entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: received.ReceiptHandle})
		}
	}
	if len(entries) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := m.SQS.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &m.QueueURL, Entries: entries}); err != nil {
		return fmt.Errorf("delete from the queue: %w", err)
	}
	return nil
}
