package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/pkg/logs"
)

// A message is one in the function's queue. That of the schedule has only a version.
type message struct {
	Version int     `json:"version"`
	Run     string  `json:"run,omitempty"`    // names the messages of one run
	Prefix  *string `json:"prefix,omitempty"` // of the subs of a part; "" is the whole pool
}

const version = 1

var errMessage = errors.New("not a message of version " + strconv.Itoa(version))

func readMessage(body string) (m message, err error) {
	if json.Unmarshal([]byte(body), &m) != nil || m.Version != version {
		return message{}, errMessage
	}
	return m, nil
}

// batchSize is the most messages that SendMessageBatch takes.
const batchSize = 10

// sender returns a function that sends messages to the queue with a URL.
func sender(cfg aws.Config, queueURL string) func(context.Context, []message) error {
	client := sqs.NewFromConfig(cfg, func(o *sqs.Options) {
		if u, err := url.Parse(queueURL); err == nil {
			o.BaseEndpoint = aws.String(u.Scheme + "://" + u.Host)
		}
	})
	return func(ctx context.Context, messages []message) error {
		for chunk := range slices.Chunk(messages, batchSize) {
			in := &sqs.SendMessageBatchInput{QueueUrl: &queueURL}
			for i, m := range chunk {
				body, err := json.Marshal(m)
				if err != nil {
					return fmt.Errorf("encode a message: %w", err)
				}
				in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(string(body))})
			}
			out, err := client.SendMessageBatch(ctx, in)
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
}
