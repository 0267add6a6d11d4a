package lambda

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrClosed is the error of a call to what has been closed.
var ErrClosed = errors.New("the environment is closed")

// An Environment is one execution environment. It outlives its process: after a
// time-out or a crash the next call starts a new one.
type Environment struct {
	function Function
	busy     chan struct{} // holds a token while a call is worked on

	mu      sync.Mutex
	closed  bool
	process *process // nil when the next call has to start one
	served  bool     // whether process has been handed a call
}

// Start starts the function's process and does not wait for it to be ready; the first
// call does. An error means that the process cannot be started at all: that it ends
// again at once is for the first call to report, as on Lambda.
func Start(f Function) (*Environment, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	e := &Environment{function: f, busy: make(chan struct{}, 1)}
	if _, err := e.spawn(); err != nil {
		return nil, err
	}
	return e, nil
}

// Invoke hands the event to the function, after the call that it works on, if any. What
// goes wrong inside the function is in the Result; an error means that there is none.
//
// Whoever stops waiting, by ctx, does not stop the function: the call goes on and the
// next one waits for its end. Cognito gives up on a call in the same way.
func (e *Environment) Invoke(ctx context.Context, payload []byte) (Result, error) {
	select {
	case e.busy <- struct{}{}:
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
	return wait(ctx, func() (Result, error) {
		defer func() { <-e.busy }()
		return e.invoke(payload)
	})
}

// wait runs call to its end, but waits for it no longer than ctx lets.
func wait(ctx context.Context, call func() (Result, error)) (Result, error) {
	type outcome struct {
		Result
		error
	}
	done := make(chan outcome, 1)
	go func() {
		r, err := call()
		done <- outcome{r, err}
	}()
	select {
	case o := <-done:
		return o.Result, o.error
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
}

// invoke is one call, from the choice of the process to the result.
func (e *Environment) invoke(payload []byte) (Result, error) {
	if len(payload) > maxPayload {
		return Result{}, fmt.Errorf("the event has %d bytes, at most %d are allowed", len(payload), maxPayload)
	}
	c := call{id: requestID(), payload: payload, timeout: e.function.timeout()}
	if p := e.warm(); p != nil {
		select {
		case p.calls <- c:
			return p.finish(c), nil
		case <-p.exited: // after its last answer, as a panic ends it
		}
	}

	p, err := e.cold()
	if err != nil {
		return Result{}, err
	}
	if p.await(c.id, e.function.initLimit()-time.Since(p.started)) != nil {
		// Lambda tries once more, now in the time of the call.
		if p, err = e.spawn(); err != nil {
			return Result{}, err
		}
		if failed := p.await(c.id, c.timeout); failed != nil {
			failed.Cold, failed.Duration = true, time.Since(p.started)
			return *failed, nil
		}
		c.timeout -= p.init
	}
	e.mark()
	var r Result
	select {
	case p.calls <- c:
		r = p.finish(c)
	case <-p.exited:
		r = exited(c.id, p.cmd.ProcessState)
	}
	r.Cold, r.Init = true, p.init
	return r, nil
}

// warm is the process if it has served a call before and is still there.
func (e *Environment) warm() *process {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.process == nil || !e.served || e.process.gone() {
		return nil
	}
	return e.process
}

// cold is a process that has not served a call: the one that Start has spawned, or a new one.
func (e *Environment) cold() (*process, error) {
	e.mu.Lock()
	p, fresh := e.process, !e.served && !e.closed
	e.mu.Unlock()
	if fresh {
		return p, nil
	}
	return e.spawn()
}

func (e *Environment) mark() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.served = true
}

func (e *Environment) spawn() (*process, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	p, err := spawn(e.function)
	if err != nil {
		return nil, err
	}
	e.process, e.served = p, false
	return p, nil
}

// PID is the id of the process that was started last.
func (e *Environment) PID() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.process.cmd.Process.Pid
}

// Kill ends the process at once, as the kernel does when memory is short. The call that
// runs fails with Runtime.ExitError, the next one starts a new process.
func (e *Environment) Kill() {
	e.mu.Lock()
	p := e.process
	e.mu.Unlock()
	p.kill()
}

// Close ends the process: by itself within a few seconds, or else by force. A call that
// is still running fails.
func (e *Environment) Close() {
	e.mu.Lock()
	e.closed = true
	p := e.process
	e.mu.Unlock()
	p.stop()
}

// requestID makes an id of the form of a version 4 UUID.
func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
