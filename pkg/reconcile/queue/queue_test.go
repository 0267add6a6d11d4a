package queue

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// SQS hangs once. Then the SDK tries again, and does not take all the time that the function has.
func TestSendAfterARequestThatHangs(t *testing.T) {
	var requests atomic.Int32
	end := make(chan struct{})
	sqs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 1 {
			<-end
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(`{"Successful":[{"Id":"0","MessageId":"1","MD5OfMessageBody":"c4ca4238a0b923820dcc509a6f75849b"}]}`)) // of 1
	}))
	defer sqs.Close()
	defer close(end)
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"} {
		t.Setenv(name, value)
	}
	q, err := Open(t.Context(), sqs.URL+"/123456789012/x")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := q.Send(ctx, []Message{{Body: 1}}); err != nil || requests.Load() != 2 {
		t.Errorf("got %v after %d requests, want none after 2", err, requests.Load())
	}
}
