package lambda

import (
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
// ReportBatchItemFailures: messages are deleted unless the function's answer names
// them, and stay in the queue, out of sight for its visibility time-out, if it does.
type Mapping struct {
	Service  *Service
	Function string
	SQS      *sqs.Client
	QueueURL string
	QueueARN string

	BatchSize   int // at most 10; zero means 10
	Concurrency int // batches at once; zero means 2, the least that Lambda takes
}

// Run hands batches to the function until ctx ends, and then waits for those that are
// being worked on. An error is one of the queue; what the function does is none.
func (m Mapping) Run(ctx context.Context) error {
	errs := make([]error, orDefault(m.Concurrency, 2))
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

// poll waits for a batch, no longer than a second, and hands it on.
func (m Mapping) poll(ctx context.Context) error {
	out, err := m.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &m.QueueURL, MaxNumberOfMessages: int32(orDefault(m.BatchSize, 10)), WaitTimeSeconds: 1,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		MessageAttributeNames:       []string{"All"},
	})
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return fmt.Errorf("receive from the queue: %w", err)
	case len(out.Messages) == 0:
		return nil
	}
	// From here on the end of ctx stops nothing: a batch that was received is finished.
	ctx = context.WithoutCancel(ctx)
	payload, err := json.Marshal(m.event(out.Messages))
	if err != nil {
		return err
	}
	result, err := m.Service.Invoke(ctx, m.Function, payload)
	if errors.Is(err, ErrThrottled) || errors.Is(err, ErrClosed) || err == nil && result.FunctionError != "" {
		return nil // all of them stay
	}
	if err != nil {
		return fmt.Errorf("call %s: %w", m.Function, err)
	}
	return m.delete(ctx, out.Messages, failures(result.Payload, out.Messages))
}

// event is the batch as Lambda hands it to a function: "Using Lambda with Amazon SQS".
func (m Mapping) event(messages []types.Message) events.SQSEvent {
	var e events.SQSEvent
	for i, received := range messages {
		e.Records = append(e.Records, events.SQSMessage{
			MessageId:         *received.MessageId,
			ReceiptHandle:     *received.ReceiptHandle,
			Body:              *received.Body,
			Md5OfBody:         *received.MD5OfBody,
			Attributes:        received.Attributes,
			MessageAttributes: make(map[string]events.SQSMessageAttribute),
			EventSource:       "aws:sqs",
			EventSourceARN:    m.QueueARN,
			AWSRegion:         Region,
		})
		for name, a := range received.MessageAttributes {
			e.Records[i].MessageAttributes[name] = events.SQSMessageAttribute{
				StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: aws.ToString(a.DataType),
				StringListValues: []string{}, BinaryListValues: [][]byte{},
			}
		}
	}
	return e
}

// failures reads which messages are to stay out of a function's answer, by "Handling
// errors for an SQS event source in Lambda": none where the answer or its list is null or
// empty, all where it is no JSON or names what is no message of the batch.
func failures(answer []byte, batch []types.Message) map[string]bool {
	ids := make(map[string]bool)
	for _, m := range batch {
		ids[*m.MessageId] = true
	}
	var said struct {
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return ids
	}
	failed := make(map[string]bool)
	for _, f := range said.Failures {
		if !ids[f.ID] {
			return ids
		}
		failed[f.ID] = true
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
