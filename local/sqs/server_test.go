package sqs_test

import (
	"errors"
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

// A clock that only a test moves.
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

// serve starts a server with the queue "parked" and its dead letters, and returns the
// real SDK pointed at it, and the queue's URL.
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
	// The SDK compares the digests of what it sent and of what came in.
	if _, err := c.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: queue, MessageBody: &body,
		MessageAttributes: map[string]types.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String("test")}}}); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c *sdk.Client, queue *string) []types.Message {
	t.Helper()
	out, err := c.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: queue, MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}, MessageAttributeNames: []string{"All"}})
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

func TestAMessageStaysUntilItIsDeleted(t *testing.T) {
	c, s, clock, queue := serve(t)
	send(t, c, queue, "first")
	send(t, c, queue, "second")
	got := receive(t, c, queue)
	if want := []string{"first", "second"}; !slices.Equal(bodies(got), want) {
		t.Fatalf("received %q, want %q", bodies(got), want)
	}
	if a := got[0]; a.Attributes["ApproximateReceiveCount"] != "1" || a.Attributes["SentTimestamp"] == "" || *a.MessageAttributes["kind"].StringValue != "test" {
		t.Errorf("attributes of a message = %v, %v", a.Attributes, a.MessageAttributes)
	}
	if again := receive(t, c, queue); len(again) != 0 {
		t.Errorf("received %q while they were out of sight", bodies(again))
	}
	deleted, err := c.DeleteMessageBatch(t.Context(), &sdk.DeleteMessageBatchInput{QueueUrl: queue, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: aws.String("1"), ReceiptHandle: got[0].ReceiptHandle}, {Id: aws.String("2"), ReceiptHandle: aws.String("none")}}})
	if err != nil || len(deleted.Successful) != 1 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("deleted %+v, %v; want the first alone", deleted, err)
	}
	clock.move(time.Minute)
	again := receive(t, c, queue)
	if want := []string{"second"}; !slices.Equal(bodies(again), want) || again[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("received %q after the time-out, want %q for the second time", bodies(again), want)
	}
	if _, err := c.DeleteMessage(t.Context(), &sdk.DeleteMessageInput{QueueUrl: queue, ReceiptHandle: got[1].ReceiptHandle}); err != nil {
		t.Errorf("delete with an old handle: %v", err)
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

func TestVisibilityCanBeChanged(t *testing.T) {
	c, _, _, queue := serve(t)
	send(t, c, queue, "first")
	got := receive(t, c, queue)
	change := func() error {
		_, err := c.ChangeMessageVisibility(t.Context(), &sdk.ChangeMessageVisibilityInput{QueueUrl: queue, ReceiptHandle: got[0].ReceiptHandle})
		return err
	}
	if err := change(); err != nil {
		t.Fatal(err)
	}
	if e, ok := errors.AsType[smithy.APIError](change()); !ok || !strings.HasSuffix(e.ErrorCode(), "MessageNotInflight") {
		t.Errorf("second change: %v, want MessageNotInflight", e)
	}
	if again := receive(t, c, queue); len(again) != 1 {
		t.Errorf("received %q, want the message at once", bodies(again))
	}
	out, err := c.GetQueueAttributes(t.Context(), &sdk.GetQueueAttributesInput{QueueUrl: queue, AttributeNames: []types.QueueAttributeName{"All"}})
	if err != nil || out.Attributes["ApproximateNumberOfMessagesNotVisible"] != "1" || out.Attributes["VisibilityTimeout"] != "60" ||
		out.Attributes["RedrivePolicy"] != `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:dead","maxReceiveCount":"2"}` {
		t.Errorf("attributes = %v, %v", out, err)
	}
}

func TestALongPollWaits(t *testing.T) {
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

func TestWhatSQSRefuses(t *testing.T) {
	c, _, _, queue := serve(t)
	url, err := c.GetQueueUrl(t.Context(), &sdk.GetQueueUrlInput{QueueName: aws.String("parked")})
	if err != nil || *url.QueueUrl != *queue {
		t.Errorf("GetQueueUrl = %v, %v, want %s", url, err, *queue)
	}
	input := func(queue, body string) *sdk.SendMessageInput {
		return &sdk.SendMessageInput{QueueUrl: &queue, MessageBody: &body}
	}
	rows := []struct {
		name string
		in   *sdk.SendMessageInput
		code string
	}{
		{"a queue that is not there", input(*queue+"-else", "x"), "AWS.SimpleQueueService.NonExistentQueue"},
		{"no body", input(*queue, ""), "MissingParameter"},
		{"a body that is too large", input(*queue, strings.Repeat("x", 1<<20+1)), "InvalidParameterValue"},
		{"a character that is in no message", input(*queue, "\x01"), "InvalidMessageContents"},
	}
	for _, row := range rows {
		_, err := c.SendMessage(t.Context(), row.in)
		if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != row.code && !strings.HasSuffix(row.code, e.ErrorCode()) {
			t.Errorf("%s: %v, want %s", row.name, err, row.code)
		}
	}
	unsigned := httptest.NewRecorder()
	new(sqs.Server).ServeHTTP(unsigned, httptest.NewRequest("POST", "/", strings.NewReader(`{}`)))
	if unsigned.Code != 400 || !strings.Contains(unsigned.Body.String(), "MissingAuthenticationToken") {
		t.Errorf("without a signature: %d %s", unsigned.Code, unsigned.Body)
	}
}
