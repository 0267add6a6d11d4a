package parking

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const stored = `{"MessageId":"5fea7756-0ea4-451a-a703-a558b933e274","MD5OfMessageBody":"x"}`

func environment(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "token", "AWS_REGION": "eu-west-1",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		t.Setenv(name, value)
	}
}

func TestParkSends(t *testing.T) {
	environment(t)
	var got *http.Request
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		io.WriteString(w, stored)
	}))
	defer s.Close()
	queue := s.URL + "/123456789012/syncs"
	m := parked(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := New(queue).Park(ctx, m); err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(m)
	var sent map[string]string
	if err := json.Unmarshal(body, &sent); err != nil || len(sent) != 2 || sent["QueueUrl"] != queue || sent["MessageBody"] != string(want) {
		t.Errorf("sent %s", body)
	}
	hash := sha256.Sum256(body)
	authorization := got.Header.Get("Authorization")
	for name, value := range map[string]string{
		"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage", "X-Amz-Security-Token": "token",
	} {
		if got.Header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), value)
		}
	}
	if !strings.HasPrefix(authorization, "AWS4-HMAC-SHA256 Credential=id/") || !strings.Contains(authorization, "/eu-west-1/sqs/aws4_request") ||
		!strings.Contains(authorization, "x-amz-target") || got.URL.Path != "/" || hex.EncodeToString(hash[:]) == "" {
		t.Errorf("%s with Authorization %s", got.URL, authorization)
	}
}

func TestParkFails(t *testing.T) {
	environment(t)
	rows := []struct {
		name   string
		status int
		body   string
		want   string
		again  bool
	}{
		{"the queue does not exist", 400, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"canary"}`, "sqs: status 400, code QueueDoesNotExist", false},
		{"no permission", 403, `{"__type":"AccessDeniedException","message":"canary"}`, "sqs: status 403, code AccessDeniedException", false},
		{"throttling", 400, `{"__type":"com.amazonaws.sqs#RequestThrottled","message":"canary"}`, "sqs: status 400, code RequestThrottled", true},
		{"a fault of the service", 503, `canary`, "sqs: status 503, code unrecognized", true},
		{"a response that is not JSON", 200, `canary`, "sqs: status 200, code unrecognized", false},
		{"a response without a message id", 200, `{}`, "sqs: status 200, code unrecognized", false},
	}
	for _, row := range rows {
		var calls atomic.Int32
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.WriteHeader(row.status)
			io.WriteString(w, row.body)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := New(s.URL+"/1/syncs").Park(ctx, parked(t))
		cancel()
		s.Close()
		if err == nil || err.Error() != row.want {
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
		}
		if strings.Contains(fmt.Sprint(err), "canary") || (calls.Load() > 1) != row.again {
			t.Errorf("%s: %v after %d calls", row.name, err, calls.Load())
		}
	}
}

func TestParkTriesAgain(t *testing.T) {
	environment(t)
	var calls atomic.Int32
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		switch calls.Add(1) {
		case 1:
			<-release
		case 2:
			panic(http.ErrAbortHandler)
		default:
			io.WriteString(w, stored)
		}
	}))
	defer s.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := New(s.URL+"/1/syncs").Park(ctx, parked(t)); err != nil {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

// While the queue is down, not each sign-in must cost its whole budget.
func TestParkGivesUpSoonerWhileTheQueueIsDown(t *testing.T) {
	environment(t)
	var calls, status atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(int(status.Load()))
		io.WriteString(w, stored)
	}))
	defer s.Close()
	queue := New(s.URL + "/1/syncs")
	rows := []struct {
		name   string
		status int32
		before func()
		once   bool
	}{
		{"it goes down", 503, func() {}, false},
		{"it is still down", 503, func() {}, true},
		{"it is down for a third call", 503, func() {}, true},
		{"a while later", 503, func() { queue.failed.Add(-int64(downFor)) }, false},
		{"it is still down then", 503, func() {}, true},
		{"it is back", 200, func() {}, true},
		{"it stays", 200, func() {}, true},
		{"it goes down again", 503, func() {}, false},
	}
	for _, row := range rows {
		row.before()
		calls.Store(0)
		status.Store(row.status)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := queue.Park(ctx, parked(t))
		cancel()
		if (err == nil) != (row.status == 200) || (calls.Load() == 1) != row.once {
			t.Errorf("%s: %v after %d calls, want one call: %t", row.name, err, calls.Load(), row.once)
		}
	}
}

func TestParkStopsWithTheContext(t *testing.T) {
	environment(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	queue := "http://" + listener.Addr().String() + "/1/syncs" // accepts, says nothing
	park := func(want string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if err := New(queue).Park(ctx, parked(t)); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	park("sqs: timeout")
	listener.Close()
	park("sqs: unreachable")
}
