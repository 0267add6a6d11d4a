// Package sqs is a stand-in for Amazon SQS: standard queues with visibility timeouts and
// dead-letter queues. It serves what the suite and an event source mapping send.
//
// Point an SDK at it with AWS_ENDPOINT_URL_SQS.
package sqs

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

const (
	region  = "us-east-1"
	account = "123456789012"
	// maxMessage is the limit of a message in bytes: "Amazon SQS message quotas".
	maxMessage = 1 << 20
)

var service = awsjson.Service{Name: "sqs", Version: "1.0", ErrorPrefix: "com.amazonaws.sqs#"}

// A Server has queues in memory. The zero value has no queues.
type Server struct {
	// Now is the clock of visibility; nil means time.Now.
	Now func() time.Time
	// Speedup divides each DelaySeconds, for demonstrations; 0 means 1.
	Speedup int

	mu     sync.Mutex
	queues map[string]*queue
}

// Create adds a queue and returns the path of its URL.
func (s *Server) Create(q Queue) (path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queues == nil {
		s.queues = make(map[string]*queue)
	}
	if q.Visibility == 0 {
		q.Visibility = 30 * time.Second
	}
	s.queues[q.Name] = &queue{Queue: q}
	return "/" + account + "/" + q.Name
}

// Send puts a message into a queue, as other services of AWS do.
func (s *Server) Send(name, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queues[name].add(body, s.now(), 0)
}

// Bodies returns the messages of a queue, visible or not, in the order in which they were
// sent.
func (s *Server) Bodies(name string) (bodies []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q := s.queues[name]; q != nil {
		for _, m := range q.messages {
			bodies = append(bodies, m.body)
		}
	}
	return bodies
}

// Visible returns how many messages of a queue can be received now.
func (s *Server) Visible(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	visible, _ := s.queues[name].waiting(s.now())
	return visible
}

// VisibleWithin returns how many messages of a queue can be received within a time, if no other call takes them.
func (s *Server) VisibleWithin(name string, within time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	visible, _ := s.queues[name].waiting(s.now().Add(within))
	return visible
}

// Release makes all messages of a queue visible, as if their visibility timeout had passed.
func (s *Server) Release(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.queues[name].messages {
		m.visible = s.now()
	}
}

// Redrive moves the dead letters of a queue back, as StartMessageMoveTask does. Their
// receive count starts anew.
func (s *Server) Redrive(name string) (moved int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	dead := s.queues[q.DeadLetters]
	for _, m := range dead.messages {
		q.messages = append(q.messages, &message{id: m.id, body: m.body, sent: m.sent})
	}
	moved = len(dead.messages)
	dead.messages = nil
	return moved
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service.Serve(w, r, func(operation string, body []byte) (any, *awsjson.Error) {
		switch operation {
		case "SendMessage":
			return awsjson.Call(body, s.send)
		case "SendMessageBatch":
			return awsjson.Call(body, s.sendBatch)
		case "ReceiveMessage":
			return awsjson.Call(body, func(in sdk.ReceiveMessageInput) (any, *awsjson.Error) { return s.receive(r.Context(), in) })
		case "DeleteMessageBatch":
			return awsjson.Call(body, s.delete)
		case "GetQueueAttributes":
			return awsjson.Call(body, s.attributes)
		}
		return nil, awsjson.Unknown(operation)
	})
}

// with calls do with the queue of a URL. Only the name in the URL counts.
func (s *Server) with(url *string, do func(*queue) any) (any, *awsjson.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := aws.ToString(url)
	q := s.queues[path[strings.LastIndexByte(path, '/')+1:]]
	if q == nil {
		return nil, awsjson.Errorf("QueueDoesNotExist", "The specified queue does not exist.")
	}
	return do(q), nil
}

func (s *Server) send(in sdk.SendMessageInput) (any, *awsjson.Error) {
	body := aws.ToString(in.MessageBody)
	switch {
	case body == "":
		return nil, awsjson.Errorf("MissingParameter", "The request must contain the parameter MessageBody.")
	case len(body) > maxMessage:
		return nil, awsjson.Errorf("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", maxMessage)
	case strings.ContainsFunc(body, invalid):
		return nil, awsjson.Errorf("InvalidMessageContents", "Invalid characters found. Valid unicode characters are "+
			"#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF")
	case in.DelaySeconds < 0 || in.DelaySeconds > 900:
		return nil, awsjson.Errorf("InvalidParameterValue", "Value %d for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
			in.DelaySeconds)
	case len(in.MessageAttributes) > 0:
		return nil, awsjson.Errorf("UnsupportedOperation", "the stand-in takes no message attributes")
	}
	return s.with(in.QueueUrl, func(q *queue) any {
		m := q.add(body, s.now(), time.Duration(in.DelaySeconds)*time.Second/time.Duration(max(1, s.Speedup)))
		return sdk.SendMessageOutput{MessageId: &m.id, MD5OfMessageBody: aws.String(sum(body))}
	})
}

// sendBatch sends each entry. The stand-in refuses the whole batch if it refuses an entry.
func (s *Server) sendBatch(in sdk.SendMessageBatchInput) (any, *awsjson.Error) {
	if n := len(in.Entries); n == 0 || n > 10 {
		return nil, awsjson.Errorf("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent %d.", n)
	}
	out := sdk.SendMessageBatchOutput{Successful: []types.SendMessageBatchResultEntry{}}
	for _, entry := range in.Entries {
		sent, refused := s.send(sdk.SendMessageInput{QueueUrl: in.QueueUrl, MessageBody: entry.MessageBody, DelaySeconds: entry.DelaySeconds})
		if refused != nil {
			return nil, refused
		}
		one := sent.(sdk.SendMessageOutput)
		out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: entry.Id, MessageId: one.MessageId, MD5OfMessageBody: one.MD5OfMessageBody})
	}
	return out, nil
}

// invalid reports whether SQS refuses a character: "SendMessage".
func invalid(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

// receive waits for messages as long as the request allows.
func (s *Server) receive(ctx context.Context, in sdk.ReceiveMessageInput) (any, *awsjson.Error) {
	if in.MaxNumberOfMessages < 0 || in.MaxNumberOfMessages > 10 {
		return nil, awsjson.Errorf("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. "+
			"Reason: Must be between 1 and 10, if provided.", in.MaxNumberOfMessages)
	}
	deadline := time.Now().Add(time.Duration(in.WaitTimeSeconds) * time.Second)
	for {
		var out sdk.ReceiveMessageOutput
		_, err := s.with(in.QueueUrl, func(q *queue) any {
			visibility := q.Visibility
			if in.VisibilityTimeout > 0 {
				visibility = time.Duration(in.VisibilityTimeout) * time.Second
			}
			taken, dead := q.receive(max(1, int(in.MaxNumberOfMessages)), s.now(), visibility)
			if len(dead) > 0 {
				letters := s.queues[q.DeadLetters]
				letters.messages = append(letters.messages, dead...)
			}
			for _, m := range taken {
				out.Messages = append(out.Messages, m.output())
			}
			return nil
		})
		if err != nil || len(out.Messages) > 0 || time.Now().After(deadline) || ctx.Err() != nil {
			return out, err
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (s *Server) delete(in sdk.DeleteMessageBatchInput) (any, *awsjson.Error) {
	return s.with(in.QueueUrl, func(q *queue) any {
		var out sdk.DeleteMessageBatchOutput
		for _, e := range in.Entries {
			if q.delete(aws.ToString(e.ReceiptHandle)) {
				out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: e.Id})
			} else {
				out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("ReceiptHandleIsInvalid"), SenderFault: true})
			}
		}
		return out
	})
}

// attributes returns all attributes; it ignores AttributeNames.
func (s *Server) attributes(in sdk.GetQueueAttributesInput) (any, *awsjson.Error) {
	return s.with(in.QueueUrl, func(q *queue) any {
		visible, delayed := q.waiting(s.now())
		all := map[string]string{
			"QueueArn":                              q.ARN(),
			"VisibilityTimeout":                     strconv.Itoa(int(q.Visibility.Seconds())),
			"ApproximateNumberOfMessages":           strconv.Itoa(visible),
			"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(len(q.messages) - visible - delayed),
			"ApproximateNumberOfMessagesDelayed":    strconv.Itoa(delayed),
		}
		if q.DeadLetters != "" {
			policy, err := json.Marshal(map[string]string{
				"deadLetterTargetArn": s.queues[q.DeadLetters].ARN(),
				"maxReceiveCount":     strconv.Itoa(q.MaxReceive),
			})
			if err != nil {
				panic(err) // strings can always be marshaled
			}
			all["RedrivePolicy"] = string(policy)
		}
		return sdk.GetQueueAttributesOutput{Attributes: all}
	})
}
