package sqs

import (
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/uuid"
)

// A Queue has the attributes of a standard queue.
type Queue struct {
	Name string

	// Visibility is the visibility timeout; zero means 30 s, as in SQS.
	Visibility time.Duration

	// DeadLetters is the name of the dead-letter queue, which gets the messages that were
	// received MaxReceive times. If it is empty, messages stay.
	DeadLetters string
	MaxReceive  int
}

// ARN is the queue's Amazon Resource Name.
func (q Queue) ARN() string { return "arn:aws:sqs:" + region + ":" + account + ":" + q.Name }

type queue struct {
	Queue
	messages []*message // in the order in which they were sent
}

type message struct {
	id, body string
	sent     time.Time
	first    time.Time // of the first receive
	visible  time.Time // it can be received from then on
	receives int
	source   string // ARN of the queue whose dead letter it is
}

// add adds a message that can be received after a delay.
func (q *queue) add(body string, at time.Time, delay time.Duration) *message {
	m := &message{id: uuid.NewString(), body: body, sent: at, visible: at.Add(delay)}
	q.messages = append(q.messages, m)
	return m
}

// receive takes up to n visible messages. Messages that were received too often are
// returned as dead letters.
func (q *queue) receive(n int, at time.Time, visibility time.Duration) (taken, dead []*message) {
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool {
		switch {
		case len(taken) == n || m.visible.After(at):
		case q.DeadLetters != "" && m.receives >= q.MaxReceive:
			m.visible, m.source = at, q.ARN()
			dead = append(dead, m)
			return true
		default:
			if m.receives++; m.receives == 1 {
				m.first = at
			}
			m.visible = at.Add(visibility)
			taken = append(taken, m)
		}
		return false
	})
	return taken, dead
}

// waiting counts the messages that can be received, and those that were sent with a delay.
func (q *queue) waiting(now time.Time) (visible, delayed int) {
	for _, m := range q.messages {
		if !m.visible.After(now) {
			visible++
		} else if m.receives == 0 {
			delayed++
		}
	}
	return visible, delayed
}

// handle is the receipt handle of the last receive.
func (m *message) handle() string { return m.id + "/" + strconv.Itoa(m.receives) }

// delete deletes the message with a receipt handle. It reports false for an invalid handle.
// As in SQS, an old handle is valid but does not delete.
func (q *queue) delete(handle string) (valid bool) {
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return m.handle() == handle })
	return strings.Contains(handle, "/")
}

// output is the message as ReceiveMessage returns it, with all system attributes.
func (m *message) output() types.Message {
	attributes := map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.first.UnixMilli(), 10),
		"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
		"SenderId":                         account,
	}
	if m.source != "" {
		attributes["DeadLetterQueueSourceArn"] = m.source
	}
	return types.Message{MessageId: &m.id, ReceiptHandle: aws.String(m.handle()), Body: &m.body, MD5OfBody: aws.String(sum(m.body)), Attributes: attributes}
}

func sum(body string) string {
	digest := md5.Sum([]byte(body))
	return hex.EncodeToString(digest[:])
}
