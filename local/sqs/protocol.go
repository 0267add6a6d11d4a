package sqs

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/sigv4"
)

// maxRequest is more than the largest message needs with every byte of it escaped.
const maxRequest = 8 << 20

// An exception is an error in the shape of the AWS JSON 1.0 protocol.
type exception struct{ code, message string }

// queryCodes are the codes of the older query protocol where they differ. SQS goes on
// sending them beside the new ones, and SDKs prefer them.
var queryCodes = map[string]string{
	"QueueDoesNotExist":    "AWS.SimpleQueueService.NonExistentQueue",
	"MessageNotInflight":   "AWS.SimpleQueueService.MessageNotInflight",
	"EmptyBatchRequest":    "AWS.SimpleQueueService.EmptyBatchRequest",
	"TooManyEntries":       "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
	"UnsupportedOperation": "AWS.SimpleQueueService.UnsupportedOperation",
}

// An input is that of any action; each reads what it knows.
type input struct {
	QueueName, QueueURL string

	MessageBody       string
	MessageAttributes map[string]attribute
	DelaySeconds      int

	MaxNumberOfMessages         *int
	WaitTimeSeconds             int
	AttributeNames              []string // the old name of the next one; that of queues in GetQueueAttributes
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string

	ReceiptHandle     string
	VisibilityTimeout *int
	Entries           []entry
}

// An entry of a batch.
type entry struct {
	ID                string `json:"Id"`
	ReceiptHandle     string
	VisibilityTimeout int
}

// ServeHTTP answers the actions of "Actions" in the Amazon SQS API Reference that this
// suite and an event source mapping use, and any other with UnknownOperationException.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, fault := s.serve(r)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Requestid", newID())
	if fault != nil {
		if old := queryCodes[fault.code]; old != "" {
			w.Header().Set("X-Amzn-Query-Error", old+";Sender")
		}
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]string{"__type": "com.amazonaws.sqs#" + fault.code, "message": fault.message}
	}
	// The client may be gone.
	_ = json.NewEncoder(w).Encode(out)
}

func (s *Server) serve(r *http.Request) (any, *exception) {
	if code, message := sigv4.Check(r.Header.Get("Authorization"), "sqs"); code != "" {
		return nil, &exception{code, message}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return nil, &exception{"SerializationException", "the body cannot be read"}
	}
	var in input
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &exception{"SerializationException", "the body is not the JSON of a request"}
	}
	action, _ := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	switch action {
	case "GetQueueUrl":
		return s.queueURL(r, in)
	case "GetQueueAttributes":
		return s.queueAttributes(in)
	case "SendMessage":
		return s.send(in)
	case "ReceiveMessage":
		return s.receive(r.Context(), in)
	case "DeleteMessage":
		return s.each(in, func(q *queue, e entry) *exception { return q.remove(e.ReceiptHandle) })
	case "ChangeMessageVisibility":
		return s.each(in, s.change)
	case "DeleteMessageBatch":
		return s.batch(in, func(q *queue, e entry) *exception { return q.remove(e.ReceiptHandle) })
	case "ChangeMessageVisibilityBatch":
		return s.batch(in, s.change)
	}
	return nil, &exception{"UnknownOperationException", "the local SQS does not serve " + action}
}

// find returns the queue of a URL. Only the name counts, as SQS is reached by many hosts.
func (s *Server) find(url string) (*queue, *exception) {
	q := s.queues[url[strings.LastIndexByte(url, '/')+1:]]
	if q == nil {
		return nil, &exception{"QueueDoesNotExist", "The specified queue does not exist."}
	}
	return q, nil
}

// each applies do to the one message of a request.
func (s *Server) each(in input, do func(*queue, entry) *exception) (any, *exception) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, fault := s.find(in.QueueURL)
	if fault != nil {
		return nil, fault
	}
	e := entry{ReceiptHandle: in.ReceiptHandle}
	if in.VisibilityTimeout != nil {
		e.VisibilityTimeout = *in.VisibilityTimeout
	}
	return struct{}{}, do(q, e)
}

// batch applies do to each entry; what fails does so alone.
func (s *Server) batch(in input, do func(*queue, entry) *exception) (any, *exception) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, fault := s.find(in.QueueURL)
	switch {
	case fault != nil:
		return nil, fault
	case len(in.Entries) == 0:
		return nil, &exception{"EmptyBatchRequest", "There should be at least one entry in the request."}
	case len(in.Entries) > 10:
		return nil, &exception{"TooManyEntries", "Maximum number of entries per request are 10."}
	}
	type success struct {
		ID string `json:"Id"`
	}
	type failure struct {
		ID            string `json:"Id"`
		Code, Message string
		SenderFault   bool
	}
	out := struct {
		Successful []success
		Failed     []failure
	}{[]success{}, []failure{}}
	for _, e := range in.Entries {
		if fault := do(q, e); fault != nil {
			out.Failed = append(out.Failed, failure{e.ID, fault.code, fault.message, true})
		} else {
			out.Successful = append(out.Successful, success{e.ID})
		}
	}
	return out, nil
}

func (s *Server) change(q *queue, e entry) *exception {
	defer s.wake()
	return q.change(e.ReceiptHandle, s.now(), e.VisibilityTimeout)
}

func (s *Server) queueURL(r *http.Request, in input) (any, *exception) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, fault := s.find(in.QueueName); fault != nil {
		return nil, fault
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return map[string]string{"QueueUrl": scheme + r.Host + "/" + account + "/" + in.QueueName}, nil
}
