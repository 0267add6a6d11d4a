package parking

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/phenom-earth/hasura-cognito/pkg/awsroots"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
)

// A Queue is the SQS queue of parked syncs. It is safe for concurrent use.
//
// It sends SendMessage itself, with the SDK's signer, credentials and HTTP client. The
// SDK's client for SQS would cost every cold start its set-up, although few execution
// environments park anything (docs/design.md has the figures).
type Queue struct {
	url    string
	open   func() (aws.Config, error) // runs once, when first needed
	failed atomic.Int64               // when Park last gave up, in Unix nanoseconds
}

// For downFor after a Park that gave up, Park makes only one short attempt. A sign-in then
// no longer costs its whole budget, and Park works again as soon as the queue does.
const (
	downFor      = 10 * time.Second
	shortAttempt = 200 * time.Millisecond
)

// New returns the queue with a URL. It sends nothing.
func New(queueURL string) *Queue {
	return &Queue{url: queueURL, open: sync.OnceValues(func() (aws.Config, error) {
		cfg, err := config.LoadDefaultConfig(context.Background(), config.WithHTTPClient(awshttp.NewBuildableClient()))
		awsroots.First(&cfg)
		return cfg, err
	})}
}

// Park puts a message into the queue, with retries while ctx lasts, except shortly after a
// Park that gave up. ctx must have a deadline. When Park returns nil, SQS has stored the
// message. When ctx ends first, SQS may have stored it.
func (q *Queue) Park(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode the message: %w", err)
	}
	cfg, err := q.open()
	if err != nil {
		return errors.New("sqs: the AWS configuration cannot be loaded") // the SDK's text can hold values
	}
	if time.Since(time.Unix(0, q.failed.Load())) < downFor {
		if _, err = q.send(ctx, cfg, string(body), shortAttempt); err == nil {
			q.failed.Store(0)
		}
		return err
	}
	const pause = 50 * time.Millisecond
	end, _ := ctx.Deadline()
	for {
		// An attempt takes a third of the time, so that another can follow one without a response.
		again, err := q.send(ctx, cfg, string(body), time.Until(end)/3)
		if !again {
			return err
		}
		if time.Until(end) < 2*pause || !wait(ctx, pause) {
			q.failed.Store(time.Now().UnixNano())
			return err
		}
	}
}

// wait waits for d. It returns false if ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// send makes one call of SendMessage ("SendMessage" in the Amazon SQS API Reference, JSON
// protocol) that takes at most limit. again says whether another call may succeed.
func (q *Queue) send(ctx context.Context, cfg aws.Config, body string, limit time.Duration) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	payload, err := json.Marshal(map[string]string{"QueueUrl": q.url, "MessageBody": body})
	if err != nil {
		return false, fmt.Errorf("encode the request: %w", err)
	}
	endpoint, err := url.Parse(q.url)
	if err != nil {
		return false, errors.New("sqs: the queue's URL is invalid")
	}
	endpoint.Path = "/"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.String(), bytes.NewReader(payload))
	if err != nil {
		return false, errors.New("sqs: the queue's URL is invalid")
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")

	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return false, errors.New("sqs: there are no AWS credentials")
	}
	hash := sha256.Sum256(payload)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(hash[:]), "sqs", cfg.Region, time.Now()); err != nil {
		return false, errors.New("sqs: the request cannot be signed")
	}
	response, err := cfg.HTTPClient.Do(request)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return true, errors.New("sqs: timeout")
		}
		return true, errors.New("sqs: unreachable")
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	var stored struct{ MessageID string }
	if response.StatusCode == http.StatusOK && json.Unmarshal(answer, &stored) == nil && stored.MessageID != "" {
		return false, nil
	}
	code := errorCode(answer)
	return response.StatusCode >= 500 || strings.Contains(code, "Throttl"), fmt.Errorf("sqs: status %d, code %s", response.StatusCode, code)
}

// errorCode returns the code of an error response of SQS, such as QueueDoesNotExist. The
// message beside it can hold the account's id and is not used.
func errorCode(answer []byte) string {
	var e struct {
		Type string `json:"__type"`
	}
	if json.Unmarshal(answer, &e) != nil {
		return logs.Unrecognized
	}
	return logs.Code(e.Type[strings.LastIndexByte(e.Type, '#')+1:])
}
