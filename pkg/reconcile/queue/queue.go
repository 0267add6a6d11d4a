// Package queue sends messages to the SQS queue that a function reads itself.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/pkg/awsroots"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
)

const (
	// batchSize is the most messages that SendMessageBatch takes.
	batchSize = 10
	// attemptTime bounds one request. The SDK sends three at most.
	attemptTime = 5 * time.Second
)

// A Queue is an SQS queue. It is safe for concurrent use.
type Queue struct {
	url    string
	client *sqs.Client
}

// A Message is sent as JSON.
type Message struct {
	Body  any
	Delay time.Duration // until it can be received, in whole seconds, at most 15 minutes
}

// Open returns the queue with a URL. It sends nothing.
func Open(ctx context.Context, queueURL string) (*Queue, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(attemptTime)))
	if err != nil {
		return nil, errors.New("sqs: the AWS configuration cannot be loaded") // the SDK's text can hold values
	}
	awsroots.First(&cfg)
	return &Queue{queueURL, sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		if u, err := url.Parse(queueURL); err == nil {
			o.BaseEndpoint = aws.String(u.Scheme + "://" + u.Host)
		}
	})}, nil
}

// Send sends messages. After an error some of them may have been sent.
func (q *Queue) Send(ctx context.Context, messages []Message) error {
	for chunk := range slices.Chunk(messages, batchSize) {
		in := &sqs.SendMessageBatchInput{QueueUrl: &q.url}
		for i, m := range chunk {
			body, err := json.Marshal(m.Body)
			if err != nil {
				return fmt.Errorf("encode a message: %w", err)
			}
			in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{
				Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(string(body)), DelaySeconds: int32(m.Delay / time.Second)})
		}
		out, err := q.client.SendMessageBatch(ctx, in)
		if err != nil {
			code := logs.Unrecognized
			if api, ok := errors.AsType[smithy.APIError](err); ok {
				code = logs.Code(api.ErrorCode())
			}
			return errors.New("sqs: code " + code)
		}
		if len(out.Failed) > 0 {
			return errors.New("sqs: code " + logs.Code(aws.ToString(out.Failed[0].Code)))
		}
	}
	return nil
}
