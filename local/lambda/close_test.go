package lambda_test

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

func TestKill(t *testing.T) {
	began := make(chan struct{})
	f := function(t)
	f.Stdout = writerFunc(func(p []byte) {
		if strings.Contains(string(p), "sleep") {
			close(began)
		}
	})
	e := start(t, f)
	go func() { <-began; e.Kill() }()
	r := invoke(t, e, `{"do":"sleep","millis":60000}`)
	if got := r.Failure(); got.Type != "Runtime.ExitError" || !strings.HasSuffix(got.Message, "signal: killed") {
		t.Errorf("failure = %+v, want Runtime.ExitError, signal: killed", got)
	}
	if r := invoke(t, e, `{"do":"count"}`); !r.Cold || string(r.Payload) != "1" {
		t.Errorf("next call = %+v, want a new process", r)
	}
}

// The last poll of a killed process may still be open: the next call must not go to it.
func TestCallAfterKill(t *testing.T) {
	e := start(t, function(t))
	invoke(t, e, `{"do":"count"}`)
	for range 20 {
		e.Kill()
		if r := invoke(t, e, `{"do":"count"}`); !r.Cold || string(r.Payload) != "1" {
			t.Fatalf("the call after Kill = %+v, want a new process", r)
		}
	}
}

func TestCloseWaitsForTheProcess(t *testing.T) {
	var stderr buffer
	f := function(t)
	f.Stderr = &stderr
	e := start(t, f)
	invoke(t, e, `{"do":"echo"}`)
	e.Close()
	files, _ := filepath.Glob(filepath.Join(f.Env["GOCOVERDIR"], "covcounters.*"))
	if len(files) != 1 {
		t.Errorf("coverage counters = %q, want one file", files)
	}
	if got := stderr.String(); got != "" {
		t.Errorf("stderr = %q, want no line about the failed poll", got)
	}
	if _, err := e.Invoke(t.Context(), []byte(`{}`)); !errors.Is(err, lambda.ErrClosed) {
		t.Errorf("error of a call after Close = %v, want ErrClosed", err)
	}
	e.Close() // Close may be called twice
}

func TestCloseDuringACall(t *testing.T) {
	t.Parallel()
	began := make(chan struct{})
	f := function(t)
	f.Stdout = writerFunc(func([]byte) { close(began) })
	e := start(t, f)
	go func() { <-began; e.Close() }()
	r := invoke(t, e, `{"do":"sleep","millis":60000}`)
	if got := r.Failure().Type; got != "Runtime.ExitError" {
		t.Errorf("failure = %q, want Runtime.ExitError", got)
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		e := start(t, function(t))
		invoke(t, e, `{"do":"panic"}`)
		invoke(t, e, `{"do":"echo"}`)
		e.Close()
	}
	// Connections end shortly after the process.
	deadline := time.Now().Add(20 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if got := runtime.NumGoroutine(); got > before {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after:\n%s", before, got, stacks[:runtime.Stack(stacks, true)])
	}
}
