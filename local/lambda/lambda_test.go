package lambda_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

// binary is testdata/function, built once.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "lambda")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "bootstrap")
		// -cover, because a closed process must have time to write its counters.
		build := exec.Command("go", "build", "-cover", "-tags", "lambda.norpc", "-o", binary, "./testdata/function")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			panic(string(out))
		}
		return m.Run()
	}())
}

// A buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// function is testdata/function with environment variables.
func function(t testing.TB, env ...string) lambda.Function {
	f := lambda.Function{
		Name: "f", Path: binary, Timeout: 20 * time.Second, InitLimit: 20 * time.Second,
		Env: map[string]string{"GOCOVERDIR": t.TempDir()},
	}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		f.Env[name] = value
	}
	return f
}

func start(t testing.TB, f lambda.Function) *lambda.Environment {
	t.Helper()
	e, err := lambda.Start(f)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(e.Close)
	return e
}

func invoke(t testing.TB, e *lambda.Environment, event string) lambda.Result {
	t.Helper()
	r, err := e.Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatalf("Invoke(%s): %v", event, err)
	}
	return r
}

func TestWarmCalls(t *testing.T) {
	var out buffer
	f := function(t)
	f.Stdout = &out
	e := start(t, f)

	first := invoke(t, e, `{"do":"count"}`)
	if got := string(first.Payload); got != "1" || !first.Cold || first.Init <= 0 || first.Duration <= 0 {
		t.Errorf("first call = %s, %+v, want 1, cold, with the time of its start", got, first)
	}
	second := invoke(t, e, `{"do":"count"}`)
	if got := string(second.Payload); got != "2" || second.Cold || second.Init != 0 {
		t.Errorf("second call = %s, %+v, want 2, warm, in the same process", got, second)
	}
	if first.RequestID == second.RequestID {
		t.Errorf("both calls have the request id %s", first.RequestID)
	}
	e.Close()
	if got, want := out.String(), "handling count\nhandling count\n"; got != want {
		t.Errorf("stdout = %q, want %q", got, want)
	}
}

func TestResults(t *testing.T) {
	rows := []struct {
		name, event string
		payload     string // with ID for the request id
		failed      bool
		restarts    bool // the next call is served by a new process
	}{
		{name: "a response is not changed", event: `{"do":"echo"}`, payload: `{"do":"echo","millis":0,"bytes":0}`},
		{name: "an error of the handler", event: `{"do":"error"}`, failed: true,
			payload: `{"errorMessage":"said the handler","errorType":"errorString"}`},
		{name: "an event of the wrong type", event: `{"do":1}`, failed: true,
			payload: `{"errorMessage":"json: cannot unmarshal number into Go struct field event.do of type string","errorType":"UnmarshalTypeError"}`},
		{name: "an exit", event: `{"do":"exit"}`, failed: true, restarts: true,
			payload: `{"errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 7","errorType":"Runtime.ExitError"}`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := start(t, function(t))
			r := invoke(t, e, row.event)
			if got := strings.ReplaceAll(string(r.Payload), r.RequestID, "ID"); got != row.payload {
				t.Errorf("payload = %s, want %s", got, row.payload)
			}
			if got := r.FunctionError == "Unhandled"; got != row.failed {
				t.Errorf("FunctionError = %q, want failed = %v", r.FunctionError, row.failed)
			}
			if got := invoke(t, e, `{"do":"echo"}`).Cold; got != row.restarts {
				t.Errorf("next call cold = %v, want %v", got, row.restarts)
			}
		})
	}
}

func TestPanic(t *testing.T) {
	e := start(t, function(t))
	f := invoke(t, e, `{"do":"panic"}`).Failure()
	if want := (lambda.Failure{Message: "said the panic", Type: "string"}); f != want {
		t.Errorf("failure = %+v, want %+v", f, want)
	}
	if next := invoke(t, e, `{"do":"count"}`); string(next.Payload) != "1" || !next.Cold {
		t.Errorf("next call = %s, cold %v, want a new process", next.Payload, next.Cold)
	}
}

func TestTimeout(t *testing.T) {
	f := function(t)
	f.Timeout = 300 * time.Millisecond
	e := start(t, f)
	r := invoke(t, e, `{"do":"sleep","millis":60000}`)
	want := lambda.Failure{Type: "Sandbox.Timedout", Message: "RequestId: " + r.RequestID + " Error: Task timed out after 0.30 seconds"}
	if got := r.Failure(); got != want {
		t.Errorf("failure = %+v, want %+v", got, want)
	}
	if r.Duration < f.Timeout {
		t.Errorf("ended after %v, want no sooner than %v", r.Duration, f.Timeout)
	}
}

func TestInitIsNotPartOfTheTimeout(t *testing.T) {
	t.Parallel()
	f := function(t, "INIT_SLEEP=2100ms")
	f.Timeout = 2 * time.Second
	e := start(t, f)
	r := invoke(t, e, `{"do":"echo"}`)
	if r.FunctionError != "" || r.Init <= f.Timeout {
		t.Errorf("call = %+v, want an answer after an init longer than %v", r, f.Timeout)
	}
}

func TestInitIsRepeatedOnce(t *testing.T) {
	exit := lambda.Failure{Type: "Runtime.ExitError", Message: "RequestId: ID Error: Runtime exited with error: exit status 3"}
	rows := []struct {
		name   string
		env    string
		change func(*lambda.Function)
		want   lambda.Failure
	}{
		{name: "exit both times", env: "INIT=exit", want: exit},
		{name: "exit the first time", env: "INIT=exit once"},
		{name: "init exceeds its limit and the timeout", env: "INIT_SLEEP=1m",
			change: func(f *lambda.Function) {
				f.InitLimit, f.Timeout = 50*time.Millisecond, 100*time.Millisecond
			},
			want: lambda.Failure{Type: "Sandbox.Timedout", Message: "RequestId: ID Error: Task timed out after 0.10 seconds"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := function(t, row.env, "MARK="+filepath.Join(t.TempDir(), "mark"))
			if row.change != nil {
				row.change(&f)
			}
			e := start(t, f)
			r := invoke(t, e, `{"do":"echo"}`)
			got := r.Failure()
			got.Message = strings.ReplaceAll(got.Message, r.RequestID, "ID")
			if got != row.want || !r.Cold {
				t.Errorf("failure = %+v, cold %v, want %+v, cold", got, r.Cold, row.want)
			}
		})
	}
}

func TestPayloadLimits(t *testing.T) {
	e := start(t, function(t))
	const limit = 6_291_556 // with the quotes of the JSON string
	rows := []struct {
		name  string
		bytes int
		kind  string
	}{
		{"the largest response", limit - 2, ""},
		{"one byte more", limit - 1, "Function.ResponseSizeTooLarge"},
	}
	for _, row := range rows {
		event, _ := json.Marshal(map[string]any{"do": "big", "bytes": row.bytes})
		r := invoke(t, e, string(event))
		if got := r.Failure().Type; got != row.kind {
			t.Errorf("%s: error type = %q, want %q", row.name, got, row.kind)
		}
		if row.kind == "" && len(r.Payload) != limit {
			t.Errorf("%s: %d bytes came back, want %d", row.name, len(r.Payload), limit)
		}
	}
	r := invoke(t, e, `{"do":"echo","pad":"`+strings.Repeat("x", 1<<20)+`"}`)
	if r.FunctionError != "" {
		t.Errorf("an event of a megabyte: %s", r.Payload)
	}
	if _, err := e.Invoke(t.Context(), make([]byte, limit+1)); err == nil {
		t.Error("an event over the limit was accepted")
	}
}

func TestACallGoesOnWithoutItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := function(t)
	f.Stdout = writerFunc(func([]byte) { cancel() })
	e := start(t, f)
	if _, err := e.Invoke(ctx, []byte(`{"do":"sleep","millis":200}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("error of a caller that left = %v, want %v", err, context.Canceled)
	}
	if r := invoke(t, e, `{"do":"count"}`); string(r.Payload) != "2" || r.Cold {
		t.Errorf("next call = %s, want 2: the process that had served the abandoned one", r.Payload)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

func TestOutputIsWrittenLineByLine(t *testing.T) {
	f := function(t)
	var mu sync.Mutex
	var got []string
	f.Stdout = writerFunc(func(p []byte) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(p))
	})
	e := start(t, f)
	for range 3 {
		invoke(t, e, `{"do":"echo"}`)
	}
	e.Close()
	if want := []string{"handling echo\n", "handling echo\n", "handling echo\n"}; !slices.Equal(got, want) {
		t.Errorf("writes = %q, want %q", got, want)
	}
}
