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
)

// A Lot is the queue where syncs wait. It is safe for concurrent use.
//
// It makes the one call SendMessage itself, with the SDK's signer, credentials and
// HTTP client. The SDK's client for SQS would cost every cold start its set-up,
// though hardly any environment parks anything (docs/design.md has the figures).
type Lot struct {
	queue string
	open  func() (aws.Config, error) // once, when first needed
	down  atomic.Int64               // when the queue was last given up, in Unix nanoseconds
}

// While the queue is taken to be down, which is for a time after it was given up,
// parking is one short attempt. A sign-in then no longer costs its whole budget, and a
// queue that is back is found at once.
const (
	downFor = 10 * time.Second
	short   = 200 * time.Millisecond
)

// CheckURL reports whether a text can be a queue's URL.
func CheckURL(queue string) bool {
	u, err := url.Parse(queue)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil &&
		len(u.Path) > 1 && u.RawQuery == "" && u.Fragment == ""
}

// New returns the lot at a queue's URL, which need not be there yet.
func New(queue string) *Lot {
	return &Lot{queue: queue, open: sync.OnceValues(func() (aws.Config, error) {
		cfg, err := config.LoadDefaultConfig(context.Background(), config.WithHTTPClient(awshttp.NewBuildableClient()))
		awsroots.First(&cfg)
		return cfg, err
	})}
}

// Park puts a message in the queue, trying again while ctx lasts, unless the same has
// just failed. ctx must have a deadline. When it returns nil, SQS has stored the
// message; when ctx ended first, it may have.
func (l *Lot) Park(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode the message: %w", err)
	}
	cfg, err := l.open()
	if err != nil {
		return errors.New("load the AWS configuration") // the SDK's text is not for logs
	}
	if time.Since(time.Unix(0, l.down.Load())) < downFor {
		if _, err = l.send(ctx, cfg, string(body), short); err == nil {
			l.down.Store(0)
		}
		return err
	}
	const pause = 50 * time.Millisecond
	end, _ := ctx.Deadline()
	for {
		// A third of the time, so that one answer that never comes is not the end.
		again, err := l.send(ctx, cfg, string(body), time.Until(end)/3)
		if !again {
			return err
		}
		if time.Until(end) < 2*pause || !wait(ctx, pause) {
			l.down.Store(time.Now().UnixNano())
			return err
		}
	}
}

// wait reports whether ctx lasted.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// send makes one call of SendMessage ("SendMessage" in the Amazon SQS API
// Reference, JSON protocol), for so long. again says whether another may succeed.
func (l *Lot) send(ctx context.Context, cfg aws.Config, body string, limit time.Duration) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	payload, err := json.Marshal(map[string]string{"QueueUrl": l.queue, "MessageBody": body})
	if err != nil {
		return false, fmt.Errorf("encode the request: %w", err)
	}
	endpoint, err := url.Parse(l.queue)
	if err != nil {
		return false, errors.New("the queue's URL is none")
	}
	endpoint.Path = "/"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.String(), bytes.NewReader(payload))
	if err != nil {
		return false, errors.New("the queue's URL is none")
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "AmazonSQS.SendMessage")

	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return false, errors.New("there are no AWS credentials")
	}
	hash := sha256.Sum256(payload)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(hash[:]), "sqs", cfg.Region, time.Now()); err != nil {
		return false, errors.New("the request cannot be signed")
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
	return response.StatusCode >= 500 || strings.Contains(code, "Throttl"), fmt.Errorf("sqs: status %d %s", response.StatusCode, code)
}

// errorCode is the name of an error in an answer of SQS, such as
// QueueDoesNotExist; its message can hold the queue's account and is left out.
func errorCode(answer []byte) string {
	var e struct {
		Type string `json:"__type"`
	}
	if json.Unmarshal(answer, &e) != nil {
		return ""
	}
	return e.Type[strings.LastIndexByte(e.Type, '#')+1:]
}
