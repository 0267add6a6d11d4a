package sqs

import (
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Queue is what CreateQueue would be told of a standard queue.
type Queue struct {
	Name string

	// Visibility is how long a message that was received stays out of sight; zero means
	// 30 s, as in SQS.
	Visibility time.Duration

	// DeadLetters names the queue for messages that were received MaxReceive times and
	// are still there; empty means that they stay.
	DeadLetters string
	MaxReceive  int
}

// ARN is the queue's name in policies and events.
func (q Queue) ARN() string { return "arn:aws:sqs:" + region + ":" + account + ":" + q.Name }

type queue struct {
	Queue
	messages []*message // in the order in which they were sent
}

type message struct {
	id, body   string
	attributes map[string]attribute
	sent       time.Time
	first      time.Time // when it was first received
	visible    time.Time // from when it can be received
	receives   int
	source     string // ARN of the queue that it is a dead letter of
}

// An attribute of a message, as it is sent and received.
type attribute struct {
	DataType    string
	StringValue *string `json:",omitempty"`
	BinaryValue []byte  `json:",omitempty"`
}

// receive takes up to n messages that are visible at a time. Those that were received
// too often leave for the dead letters instead; they are returned apart.
func (q *queue) receive(n int, at time.Time, visibility time.Duration) (taken, dead []*message) {
	kept := q.messages[:0:0]
	for _, m := range q.messages {
		switch {
		case len(taken) == n || m.visible.After(at):
		case q.DeadLetters != "" && m.receives >= q.MaxReceive:
			m.visible, m.source = at, q.ARN()
			dead = append(dead, m)
			continue
		default:
			if m.receives++; m.receives == 1 {
				m.first = at
			}
			m.visible = at.Add(visibility)
			taken = append(taken, m)
		}
		kept = append(kept, m)
	}
	q.messages = kept
	return taken, dead
}

// next is when a message becomes visible; zero when none will by itself.
func (q *queue) next() time.Time {
	var next time.Time
	for _, m := range q.messages {
		if next.IsZero() || m.visible.Before(next) {
			next = m.visible
		}
	}
	return next
}

// held returns the message that a receipt handle was given for, and whether the handle
// is that of its last receive.
func (q *queue) held(handle string) (m *message, last bool, fault *exception) {
	id, receive, ok := strings.Cut(handle, "/")
	if _, err := strconv.Atoi(receive); !ok || err != nil {
		return nil, false, &exception{"ReceiptHandleIsInvalid", "The input receipt handle is invalid."}
	}
	for _, m := range q.messages {
		if m.id == id {
			return m, m.handle() == handle, nil
		}
	}
	return nil, false, nil
}

func (m *message) handle() string { return m.id + "/" + strconv.Itoa(m.receives) }

// remove deletes the message of a handle. One that is gone, or was received again since,
// is no fault.
func (q *queue) remove(handle string) *exception {
	m, last, fault := q.held(handle)
	if !last {
		return fault
	}
	kept := q.messages[:0:0]
	for _, other := range q.messages {
		if other != m {
			kept = append(kept, other)
		}
	}
	q.messages = kept
	return nil
}

// change sets for how long from now a message stays out of sight.
func (q *queue) change(handle string, at time.Time, seconds int) *exception {
	m, last, fault := q.held(handle)
	switch {
	case fault != nil:
		return fault
	case seconds < 0 || seconds > 43200:
		return &exception{"InvalidParameterValue", "VisibilityTimeout must be between 0 and 43200."}
	case !last || !m.visible.After(at):
		return &exception{"MessageNotInflight", "The message referred to is not in flight."}
	}
	m.visible = at.Add(time.Duration(seconds) * time.Second)
	return nil
}

func sum(body string) string {
	digest := md5.Sum([]byte(body))
	return hex.EncodeToString(digest[:])
}

// newID makes an id of the form of a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
