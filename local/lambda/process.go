package lambda

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// grace is how long a process may take to end once its poll has failed. A binary built
// with go build -cover writes its counters in that time.
const grace = 3 * time.Second

// A process is one run of a function's binary and the runtime API that serves it.
type process struct {
	cmd     *exec.Cmd
	api     *http.Server
	started time.Time

	polled  chan struct{} // closed at the first poll; init has the time until then
	init    time.Duration
	once    sync.Once
	calls   chan call     // from the environment to the poll that takes it
	answers chan answer   // from the process, each for the call that it was handed
	broken  chan answer   // what it posted as its init error
	closing chan struct{} // closed when polls are to fail
	end     sync.Once
	exited  chan struct{} // closed when it is gone and all it printed is passed on

	mu      sync.Mutex
	current string // id of the call that it works on
}

type call struct {
	id      string
	payload []byte
	timeout time.Duration // from the moment that a poll takes it
}

type answer struct {
	payload []byte
	failed  bool
}

func (a answer) result(id string) Result {
	r := Result{RequestID: id, Payload: a.payload}
	if a.failed {
		r.FunctionError = Unhandled
	}
	return r
}

// spawn starts the binary. That it runs does not mean that it works: see polled,
// broken and exited.
func spawn(f Function) (*process, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve the runtime API: %w", err)
	}
	p := &process{
		polled:  make(chan struct{}),
		calls:   make(chan call),
		answers: make(chan answer, 1),
		broken:  make(chan answer, 1),
		closing: make(chan struct{}),
		exited:  make(chan struct{}),
	}
	p.api = &http.Server{Handler: p.runtimeAPI(f.ARN())}
	path, err := filepath.Abs(f.Path)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("find %s: %w", f.Path, err)
	}
	f.Path = path
	stdout := &lines{to: f.Stdout}
	stderr := &lines{to: f.Stderr, drop: p.farewell}
	p.cmd = &exec.Cmd{
		Path:   path,
		Args:   []string{path},
		Dir:    filepath.Dir(path),
		Env:    f.environ(listener.Addr().String()),
		Stdout: stdout,
		Stderr: stderr,
		// What the function has started may hold its output open after it is gone.
		WaitDelay: time.Second,
	}
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("start %s: %w", f.Name, err)
	}
	go func() { _ = p.api.Serve(listener) }() // ends with ErrServerClosed
	go func() {
		// How it ended is read from ProcessState by whoever asks.
		_ = p.cmd.Wait()
		stdout.flush()
		stderr.flush()
		close(p.exited)
		_ = p.api.Close()
	}()
	return p, nil
}

// farewell picks out the last words of aws-lambda-go, which calls it fatal that its
// poll has failed. On Lambda a process is killed while it is frozen and never says so.
func (p *process) farewell(line []byte) bool {
	select {
	case <-p.closing:
		return bytes.Contains(line, []byte("/runtime/invocation/next"))
	default:
		return false
	}
}

func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// kill ends the process as Lambda does: at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only when it is gone already
	<-p.exited
}

// await waits until the process polls for its first call, no longer than limit. It
// returns how the start ended otherwise.
func (p *process) await(id string, limit time.Duration) *Result {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var failed Result
	select {
	case <-p.polled:
		return nil
	case a := <-p.broken:
		failed = Result{RequestID: id, Payload: a.payload, FunctionError: Unhandled}
	case <-p.exited:
		failed = exited(id, p.cmd.ProcessState)
		select {
		case a := <-p.broken: // it said what was wrong, then ended
			failed.Payload = a.payload
		default:
		}
	case <-timer.C:
		failed = timedOut(id, limit)
	}
	p.kill()
	return &failed
}

// finish waits for the answer to a call that a poll has taken.
func (p *process) finish(c call) Result {
	begun := time.Now()
	timer := time.NewTimer(c.timeout)
	defer timer.Stop()
	var r Result
	select {
	case a := <-p.answers:
		r = a.result(c.id)
	case <-p.exited:
		select {
		case a := <-p.answers: // it answered, then ended
			r = a.result(c.id)
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

// stop lets the process end by itself, by failing its poll, and kills it after grace.
func (p *process) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	p.end.Do(func() { close(p.closing) })
	// Not Close: the process may not have read yet that its last answer was accepted.
	_ = p.api.Shutdown(ctx)
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.kill()
	}
}
