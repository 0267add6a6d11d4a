package sqs_test

import (
	"errors"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/local/sqs"
)

// A clock moves only if a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// serve starts a server with the queue "parked" and its dead-letter queue. It returns the
// SDK's client and the queue's URL.
func serve(t *testing.T) (*sdk.Client, *sqs.Server, *clock, *string) {
	t.Helper()
	c := &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	s := &sqs.Server{Now: c.time}
	s.Create(sqs.Queue{Name: "dead"})
	path := s.Create(sqs.Queue{Name: "parked", Visibility: time.Minute, DeadLetters: "dead", MaxReceive: 2})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_SQS", server.URL)
	cfg, err := config.LoadDefaultConfig(t.Context(),
		config.WithRegion("us-east-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("any", "any", "any")))
	if err != nil {
		t.Fatal(err)
	}
	return sdk.NewFromConfig(cfg), s, c, aws.String(server.URL + path)
}

func send(t *testing.T, c *sdk.Client, queue *string, body string) {
	t.Helper()
	// The SDK compares MD5OfMessageBody with the body.
	if _, err := c.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: queue, MessageBody: &body}); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c *sdk.Client, queue *string) []types.Message {
	t.Helper()
	out, err := c.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: queue, MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Messages
}

func bodies(messages []types.Message) (all []string) {
	for _, m := range messages {
		all = append(all, *m.Body)
	}
	return all
}

func TestMessagesStayUntilTheyAreDeleted(t *testing.T) {
	c, s, clock, queue := serve(t)
	send(t, c, queue, "first")
	send(t, c, queue, "second")
	got := receive(t, c, queue)
	if want := []string{"first", "second"}; !slices.Equal(bodies(got), want) {
		t.Fatalf("received %q, want %q", bodies(got), want)
	}
	if a := got[0]; a.Attributes["ApproximateReceiveCount"] != "1" || a.Attributes["SentTimestamp"] == "" {
		t.Errorf("attributes of a message = %v", a.Attributes)
	}
	if again := receive(t, c, queue); len(again) != 0 {
		t.Errorf("received %q before the visibility timeout", bodies(again))
	}
	deleted, err := c.DeleteMessageBatch(t.Context(), &sdk.DeleteMessageBatchInput{QueueUrl: queue, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("1"), ReceiptHandle: got[0].ReceiptHandle}, {Id: aws.String("2"), ReceiptHandle: aws.String("none")}}})
	if err != nil || len(deleted.Successful) != 1 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("deleted %+v, %v; want only the first", deleted, err)
	}
	clock.move(time.Minute)
	again := receive(t, c, queue)
	if want := []string{"second"}; !slices.Equal(bodies(again), want) || again[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("received %q after the visibility timeout, want %q with receive count 2", bodies(again), want)
	}
	deleted, err = c.DeleteMessageBatch(t.Context(), &sdk.DeleteMessageBatchInput{QueueUrl: queue, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("1"), ReceiptHandle: got[1].ReceiptHandle}}})
	if err != nil || len(deleted.Failed) > 0 {
		t.Errorf("delete with an old handle: %v, %v", deleted, err)
	}
	if left := s.Bodies("parked"); len(left) != 1 {
		t.Errorf("an old handle deleted a message that was received again")
	}
}

func TestDeadLetters(t *testing.T) {
	c, s, clock, queue := serve(t)
	send(t, c, queue, "poison")
	for range 2 {
		if got := receive(t, c, queue); len(got) != 1 {
			t.Fatalf("received %q", bodies(got))
		}
		clock.move(time.Minute)
	}
	if got := receive(t, c, queue); len(got) != 0 || len(s.Bodies("dead")) != 1 || len(s.Bodies("parked")) != 0 {
		t.Errorf("after two receives: received %q, dead letters %q", bodies(got), s.Bodies("dead"))
	}
	if moved := s.Redrive("parked"); moved != 1 {
		t.Errorf("Redrive moved %d, want 1", moved)
	}
	if got := receive(t, c, queue); len(got) != 1 || got[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("received %q after the redrive, want it as new", bodies(got))
	}
}

// A delayed message cannot be received before its time, also if it is one of a batch.
func TestDelay(t *testing.T) {
	for _, row := range []struct{ speedup, seconds int }{{0, 60}, {1, 60}, {600, 60}} {
		c, s, clock, queue := serve(t)
		s.Speedup = row.speedup
		if _, err := c.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("a"), DelaySeconds: int32(row.seconds)}); err != nil {
			t.Fatal(err)
		}
		_, err := c.SendMessageBatch(t.Context(), &sdk.SendMessageBatchInput{QueueUrl: queue, Entries: []types.SendMessageBatchRequestEntry{
			{Id: aws.String("1"), MessageBody: aws.String("now")}, {Id: aws.String("2"), MessageBody: aws.String("b"), DelaySeconds: int32(row.seconds)}}})
		if err != nil {
			t.Fatal(err)
		}
		delay := time.Duration(row.seconds) * time.Second / time.Duration(max(1, row.speedup))
		clock.move(delay - time.Millisecond)
		if got := bodies(receive(t, c, queue)); !slices.Equal(got, []string{"now"}) {
			t.Errorf("speedup %d: received %q before the delay", row.speedup, got)
		}
		clock.move(time.Millisecond)
		if got := bodies(receive(t, c, queue)); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("speedup %d: received %q after the delay", row.speedup, got)
		}
	}
}

func TestQueueAttributes(t *testing.T) {
	c, _, _, queue := serve(t)
	send(t, c, queue, "first")
	send(t, c, queue, "second")
	if _, err := c.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: queue}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("later"), DelaySeconds: 60}); err != nil {
		t.Fatal(err)
	}
	out, err := c.GetQueueAttributes(t.Context(), &sdk.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"ApproximateNumberOfMessages": "1", "ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessagesDelayed": "1",
		"QueueArn": "arn:aws:sqs:us-east-1:123456789012:parked", "VisibilityTimeout": "60",
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead","maxReceiveCount":"2"}`,
	}
	if !maps.Equal(out.Attributes, want) {
		t.Errorf("attributes %v, want %v", out.Attributes, want)
	}
}

func TestLongPolling(t *testing.T) {
	c, _, _, queue := serve(t)
	got := make(chan int)
	go func() {
		out, err := c.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20})
		if err != nil {
			t.Error(err)
			got <- 0
			return
		}
		got <- len(out.Messages)
	}()
	send(t, c, queue, "first")
	if n := <-got; n != 1 {
		t.Errorf("received %d messages, want 1", n)
	}
}

func TestSendMessageErrors(t *testing.T) {
	c, _, _, queue := serve(t)
	input := func(queue, body string) *sdk.SendMessageInput {
		return &sdk.SendMessageInput{QueueUrl: &queue, MessageBody: &body}
	}
	rows := []struct {
		name string
		in   *sdk.SendMessageInput
		code string
	}{
		{"message attributes", &sdk.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x"), MessageAttributes: map[string]types.MessageAttributeValue{
			"a": {DataType: aws.String("String"), StringValue: aws.String("x")}}}, "UnsupportedOperation"},
		{"an unknown queue", input(*queue+"-else", "x"), "QueueDoesNotExist"},
		{"no body", input(*queue, ""), "MissingParameter"},
		{"a body of more than 1 MiB", input(*queue, strings.Repeat("x", 1<<20+1)), "InvalidParameterValue"},
		{"a delay of more than 15 minutes", &sdk.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x"), DelaySeconds: 901}, "InvalidParameterValue"},
		{"an invalid character", input(*queue, "\x01"), "InvalidMessageContents"},
	}
	for _, row := range rows {
		_, err := c.SendMessage(t.Context(), row.in)
		if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != row.code {
			t.Errorf("%s: %v, want %s", row.name, err, row.code)
		}
	}
}
