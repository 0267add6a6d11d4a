package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// grace is how long a process may take to end after Close. A binary built with go build
	// -cover writes its counters in this time.
	grace = 3 * time.Second
	// maxPayload is the limit of an event and of a response in bytes: "Lambda quotas".
	maxPayload = 6_291_556
	// unhandled is the FunctionError of every failed call.
	unhandled = "Unhandled"
)

// A Result is the end of one call.
type Result struct {
	RequestID     string
	Payload       []byte // the function's response, or the error as JSON
	FunctionError string // empty, or Unhandled

	Cold     bool          // the first call of its process
	Init     time.Duration // of a cold call: from the start of the process to its first poll
	Duration time.Duration // from the event to the response
}

// A Failure is the payload of a Result with a FunctionError.
type Failure struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

// Failure returns the error in r. It is zero if the call succeeded.
func (r Result) Failure() (f Failure) {
	if r.FunctionError != "" {
		_ = json.Unmarshal(r.Payload, &f) // an error that is not JSON has no message
	}
	return f
}

func failed(id, kind, format string, args ...any) Result {
	payload, err := json.Marshal(Failure{Message: fmt.Sprintf(format, args...), Type: kind})
	if err != nil {
		panic(err) // strings can always be marshaled
	}
	return Result{RequestID: id, Payload: payload, FunctionError: unhandled}
}

// The messages of timedOut and exited are Lambda's, as recorded in floci-io/floci#3314.

func timedOut(id string, after time.Duration) Result {
	return failed(id, "Sandbox.Timedout", "RequestId: %s Error: Task timed out after %.2f seconds", id, after.Seconds())
}

func exited(id string, state *os.ProcessState) Result {
	reason := "Runtime exited without providing a reason"
	if state != nil && !state.Success() {
		reason = "Runtime exited with error: " + state.String()
	}
	return failed(id, "Runtime.ExitError", "RequestId: %s Error: %s", id, reason)
}

// A call is an event for a process.
type call struct {
	id      string
	payload []byte
	timeout time.Duration // from the moment that the process takes the event
}

// A process is a run of a function's binary with its runtime API.
type process struct {
	cmd     *exec.Cmd
	api     *http.Server
	arn     string
	started time.Time
	served  bool // it has been given a call; only invoke uses this

	polled  chan struct{} // closed at the first poll
	init    time.Duration // until the first poll
	once    sync.Once
	calls   chan call     // from invoke to the poll that takes the event
	results chan Result   // of the current call
	closing chan struct{} // closed when polls have to fail
	end     sync.Once
	exited  chan struct{} // closed when the process is gone and its output is written

	mu      sync.Mutex
	current string // the id of the current call
}

// spawn starts the binary. polled and exited tell how init ends.
func spawn(f Function) (*process, error) {
	path, err := filepath.Abs(f.Path)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", f.Path, err)
	}
	f.Path = path
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the runtime API: %w", err)
	}
	p := &process{
		arn:     f.ARN(),
		polled:  make(chan struct{}),
		calls:   make(chan call),
		results: make(chan Result, 1),
		closing: make(chan struct{}),
		exited:  make(chan struct{}),
	}
	p.api = &http.Server{Handler: p.runtimeAPI()}
	stdout, stderr := &lines{to: f.Stdout}, &lines{to: f.Stderr, drop: p.pollFailed}
	p.cmd = &exec.Cmd{
		Path:      path,
		Args:      []string{path},
		Dir:       filepath.Dir(path),
		Env:       f.environ(listener.Addr().String()),
		Stdout:    stdout,
		Stderr:    stderr,
		WaitDelay: time.Second, // a child of the process may keep its output open
	}
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("start %s: %w", f.Name, err)
	}
	go func() { _ = p.api.Serve(listener) }() // ends with ErrServerClosed
	go func() {
		_ = p.cmd.Wait() // ProcessState has the result
		stdout.flush()
		stderr.flush()
		close(p.exited)
		_ = p.api.Close()
	}()
	return p, nil
}

// pollFailed recognizes the line of aws-lambda-go about a poll that failed because of
// Close. On Lambda the process is killed while it is frozen and cannot log it.
func (p *process) pollFailed(line []byte) bool {
	select {
	case <-p.closing:
		return bytes.Contains(line, []byte("/runtime/invocation/next"))
	default:
		return false
	}
}

// kill ends the process as Lambda does: at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only if the process is gone
	<-p.exited
}

func (p *process) hasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// await waits for the end of init, which is the first poll. It returns a Result if init
// fails.
func (p *process) await(id string, limit time.Duration) *Result {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var r Result
	select {
	case <-p.polled:
		return nil
	case <-p.exited:
		r = exited(id, p.cmd.ProcessState)
	case <-timer.C:
		r = timedOut(id, limit)
	}
	p.kill()
	return &r
}

// finish waits for the result of a call that the process has taken.
func (p *process) finish(c call) (r Result) {
	begun := time.Now()
	timer := time.NewTimer(c.timeout)
	defer timer.Stop()
	select {
	case r = <-p.results:
	case <-p.exited:
		select {
		case r = <-p.results: // it responded, then ended
		default:
			r = exited(c.id, p.cmd.ProcessState)
		}
	case <-timer.C:
		p.kill()
		r = timedOut(c.id, c.timeout)
	}
	r.Duration = time.Since(begun)
	return r
}

// stop lets the process end by itself: its poll fails. After grace it is killed.
func (p *process) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	p.end.Do(func() { close(p.closing) })
	// Shutdown, not Close: the process may still have to read that its response was accepted.
	_ = p.api.Shutdown(ctx)
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.kill()
	}
}

func (p *process) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", p.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { p.respond(w, r, "") })
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { p.respond(w, r, unhandled) })
	return mux
}

// next gives the next event to the process.
func (p *process) next(w http.ResponseWriter, r *http.Request) {
	p.once.Do(func() {
		p.init = time.Since(p.started)
		close(p.polled)
	})
	var c call
	select {
	case c = <-p.calls:
	case <-p.closing:
		panic(http.ErrAbortHandler) // ends the connection
	case <-r.Context().Done():
		return
	}
	p.mu.Lock()
	p.current = c.id
	p.mu.Unlock()

	hex := strings.ReplaceAll(c.id, "-", "")
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(c.payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", c.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(c.timeout).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", p.arn)
	h.Set("Lambda-Runtime-Trace-Id", "Root=1-"+hex[:8]+"-"+hex[8:]+";Parent="+hex[:16]+";Sampled=0")
	_, _ = w.Write(c.payload) // fails only if the process is gone
}

// respond takes the response or the error for the current call.
func (p *process) respond(w http.ResponseWriter, r *http.Request, functionError string) {
	id := r.PathValue("id")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	result, status := Result{RequestID: id, Payload: body, FunctionError: functionError}, http.StatusAccepted
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		status = http.StatusRequestEntityTooLarge
		result = failed(id, "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (%d bytes).", maxPayload)
	} else if err != nil {
		return // the process is gone
	}
	p.mu.Lock()
	current := p.current == id
	if current {
		p.current = ""
	}
	p.mu.Unlock()
	switch {
	case !current:
		writeJSON(w, http.StatusBadRequest, Failure{Message: "Invalid request ID", Type: "InvalidRequestID"})
		return
	case status == http.StatusAccepted:
		writeJSON(w, status, map[string]string{"status": "OK"})
	default:
		writeJSON(w, status, Failure{Message: "Exceeded maximum allowed payload size", Type: "RequestEntityTooLarge"})
	}
	p.results <- result
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only if the client is gone
}

// lines writes whole lines, so that the output of two processes is not mixed within a line.
type lines struct {
	to      io.Writer              // nil discards
	drop    func(line []byte) bool // nil keeps all lines
	partial []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.partial = append(l.partial, p...)
	for {
		end := bytes.IndexByte(l.partial, '\n') + 1
		if end == 0 {
			return len(p), nil
		}
		if line := l.partial[:end]; l.to != nil && (l.drop == nil || !l.drop(line)) {
			if _, err := l.to.Write(line); err != nil {
				return 0, err
			}
		}
		l.partial = l.partial[end:]
	}
}

// flush writes a last line that does not end in a newline.
func (l *lines) flush() {
	if len(l.partial) > 0 {
		_, _ = l.Write([]byte("\n"))
	}
}
