package sqs

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxMessage is the limit of a message with its attributes, in bytes: "Amazon SQS
// message quotas".
const maxMessage = 1 << 20

func (s *Server) send(in input) (any, *exception) {
	size := len(in.MessageBody)
	for name, a := range in.MessageAttributes {
		size += len(name) + len(a.DataType) + len(a.value())
	}
	switch {
	case in.MessageBody == "":
		return nil, &exception{"MissingParameter", "The request must contain the parameter MessageBody."}
	case size > maxMessage:
		return nil, &exception{"InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."}
	case strings.ContainsFunc(in.MessageBody, unwanted):
		return nil, &exception{"InvalidMessageContents", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, fault := s.find(in.QueueURL)
	if fault != nil {
		return nil, fault
	}
	now := s.now()
	m := &message{id: newID(), body: in.MessageBody, attributes: in.MessageAttributes, sent: now,
		visible: now.Add(time.Duration(in.DelaySeconds) * time.Second)}
	q.messages = append(q.messages, m)
	s.wake()
	out := map[string]string{"MessageId": m.id, "MD5OfMessageBody": sum(m.body)}
	if len(m.attributes) > 0 {
		out["MD5OfMessageAttributes"] = sumAttributes(m.attributes)
	}
	return out, nil
}

// unwanted are the characters that SQS takes in no message: "SendMessage".
func unwanted(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

func (s *Server) receive(ctx context.Context, in input) (any, *exception) {
	n := 1
	if in.MaxNumberOfMessages != nil {
		n = *in.MaxNumberOfMessages
	}
	if n < 1 || n > 10 {
		return nil, &exception{"InvalidParameterValue", "Value " + strconv.Itoa(n) + " for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(in.WaitTimeSeconds)*time.Second)
	defer cancel()
	for {
		taken, more, next, fault := s.take(in, n)
		if fault != nil || len(taken) > 0 {
			return map[string]any{"Messages": taken}, fault
		}
		timer := time.NewTimer(next)
		select {
		case <-more:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return struct{}{}, nil
		}
		timer.Stop()
	}
}

// A received message, as ReceiveMessage shows it.
type received struct {
	MessageID              string `json:"MessageId"`
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	Attributes             map[string]string    `json:",omitempty"`
	MessageAttributes      map[string]attribute `json:",omitempty"`
	MD5OfMessageAttributes string               `json:",omitempty"`
}

// take receives what there is, and otherwise says what to wait for: more, or a time.
func (s *Server) take(in input, n int) (taken []received, more <-chan struct{}, next time.Duration, fault *exception) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, fault := s.find(in.QueueURL)
	if fault != nil {
		return nil, nil, 0, fault
	}
	now, visibility := s.now(), q.Visibility
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	messages, dead := q.receive(n, now, visibility)
	if len(dead) > 0 {
		letters := s.queues[q.DeadLetters]
		letters.messages = append(letters.messages, dead...)
		s.wake()
	}
	for _, m := range messages {
		taken = append(taken, m.shown(in))
	}
	next = time.Hour
	if at := q.next(); !at.IsZero() {
		next = max(at.Sub(now), time.Millisecond)
	}
	return taken, s.waker(), next, nil
}

func (m *message) shown(in input) received {
	system := map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.first.UnixMilli(), 10),
		"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
		"SenderId":                         account,
	}
	if m.source != "" {
		system["DeadLetterQueueSourceArn"] = m.source
	}
	out := received{MessageID: m.id, ReceiptHandle: m.handle(), Body: m.body, MD5OfBody: sum(m.body),
		Attributes:        asked(system, slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)),
		MessageAttributes: asked(m.attributes, in.MessageAttributeNames),
	}
	if len(out.MessageAttributes) > 0 {
		out.MD5OfMessageAttributes = sumAttributes(out.MessageAttributes)
	}
	return out
}

// asked picks what was asked for by name, or all of it.
func asked[V any](all map[string]V, names []string) map[string]V {
	picked := maps.Clone(all)
	maps.DeleteFunc(picked, func(name string, _ V) bool {
		return !slices.Contains(names, name) && !slices.Contains(names, "All")
	})
	return picked
}

func (a attribute) value() []byte {
	if a.StringValue != nil {
		return []byte(*a.StringValue)
	}
	return a.BinaryValue
}

// sumAttributes is the digest of "Calculating the MD5 message digest for message
// attributes" in the SQS Developer Guide.
func sumAttributes(attributes map[string]attribute) string {
	digest := md5.New()
	write := func(b []byte) {
		_ = binary.Write(digest, binary.BigEndian, uint32(len(b)))
		digest.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		write([]byte(name))
		write([]byte(a.DataType))
		if a.StringValue != nil {
			digest.Write([]byte{1})
		} else {
			digest.Write([]byte{2})
		}
		write(a.value())
	}
	return hex.EncodeToString(digest.Sum(nil))
}

func (s *Server) queueAttributes(in input) (any, *exception) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, fault := s.find(in.QueueURL)
	if fault != nil {
		return nil, fault
	}
	visible, now := 0, s.now()
	for _, m := range q.messages {
		if !m.visible.After(now) {
			visible++
		}
	}
	all := map[string]string{
		"QueueArn":                              q.ARN(),
		"VisibilityTimeout":                     strconv.Itoa(int(q.Visibility.Seconds())),
		"MaximumMessageSize":                    strconv.Itoa(maxMessage),
		"ApproximateNumberOfMessages":           strconv.Itoa(visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(len(q.messages) - visible),
	}
	if q.DeadLetters != "" {
		policy, err := json.Marshal(map[string]string{
			"deadLetterTargetArn": s.queues[q.DeadLetters].ARN(),
			"maxReceiveCount":     strconv.Itoa(q.MaxReceive),
		})
		if err != nil {
			panic(err) // two strings always marshal
		}
		all["RedrivePolicy"] = string(policy)
	}
	return map[string]any{"Attributes": asked(all, in.AttributeNames)}, nil
}
