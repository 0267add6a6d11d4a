// Package sqs is an SQS endpoint for tests and laptops: standard queues with visibility
// time-outs and dead letters, in the JSON protocol that the AWS SDKs speak.
//
// Point an SDK at it with AWS_ENDPOINT_URL_SQS. A message stays in its queue until it is
// deleted: to receive it only hides it for a time, as in SQS, and whoever is slower than
// that time gets it a second time.
package sqs

import (
	"sync"
	"time"
)

const (
	region  = "us-east-1"
	account = "123456789012"
)

// A Server holds queues in memory. The zero value has none.
type Server struct {
	// Now is the clock of visibility; nil means time.Now.
	Now func() time.Time

	mu     sync.Mutex
	queues map[string]*queue
	more   chan struct{} // closed and replaced when a message may have become visible
}

// Create adds a queue and returns the path of its URL on this server.
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

// Bodies returns the messages of a queue, visible or not, in the order of their sending.
func (s *Server) Bodies(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	if q == nil {
		return nil
	}
	var bodies []string
	for _, m := range q.messages {
		bodies = append(bodies, m.body)
	}
	return bodies
}

// Redrive moves the dead letters of a queue back to it, as StartMessageMoveTask does:
// they count as never received.
func (s *Server) Redrive(name string) (moved int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	dead := s.queues[q.DeadLetters]
	for _, m := range dead.messages {
		q.messages = append(q.messages, &message{id: m.id, body: m.body, attributes: m.attributes, sent: m.sent})
	}
	moved = len(dead.messages)
	dead.messages = nil
	s.wake()
	return moved
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// wake lets those look again who wait for a message.
func (s *Server) wake() {
	if s.more != nil {
		close(s.more)
	}
	s.more = make(chan struct{})
}

// waker is closed at the next wake.
func (s *Server) waker() <-chan struct{} {
	if s.more == nil {
		s.more = make(chan struct{})
	}
	return s.more
}
