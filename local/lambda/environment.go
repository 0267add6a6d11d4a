// Package lambda runs built Lambda functions on this machine as Lambda does. Each execution
// environment is a process that talks to the runtime API and gets one event at a time.
//
// An [Environment] is one execution environment. A [Service] is the Invoke API: it starts
// an environment if a call finds no idle one. A [Mapping] is an event source mapping for an
// SQS queue.
//
// A function's Timeout begins when the process takes the event; init is not part of it. The
// caller, such as Cognito, waits for both. Memory is not enforced, and a process is not
// frozen between calls.
//
// The protocol is described in "Using the Lambda runtime API for custom runtimes", the
// phases and their limits in "Understanding the Lambda execution environment lifecycle",
// both in the Lambda Developer Guide.
package lambda

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// ErrClosed is the error of a call after Close.
var ErrClosed = errors.New("the environment is closed")

// An Environment is one execution environment. After a timeout or a crash, the next call
// starts a new process.
type Environment struct {
	function Function
	busy     sync.Mutex // held during a call

	mu      sync.Mutex
	closed  bool
	process *process // the process that was started last
}

// Start starts the function's process. It does not wait for init; the first call does. An
// error means that the process cannot be started. If it ends at once, the first call
// reports that, as on Lambda.
func Start(f Function) (*Environment, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	e := &Environment{function: f}
	if _, err := e.spawn(); err != nil {
		return nil, err
	}
	return e, nil
}

// Invoke gives the event to the function after the current call has ended. A failure of the
// function is in the Result; an error means that there is no Result.
//
// If ctx ends, Invoke returns, but the call goes on and the next one waits for its end.
// Cognito gives up on a call in the same way.
func (e *Environment) Invoke(ctx context.Context, payload []byte) (Result, error) {
	return wait(ctx, func() (Result, error) { return e.invoke(payload) })
}

// wait runs call to its end, but returns at the latest when ctx ends.
func wait(ctx context.Context, call func() (Result, error)) (Result, error) {
	var r Result
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		r, err = call()
	}()
	select {
	case <-done:
		return r, err
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
}

// invoke is one call. Only one runs at a time.
func (e *Environment) invoke(payload []byte) (Result, error) {
	e.busy.Lock()
	defer e.busy.Unlock()
	if len(payload) > maxPayload {
		return Result{}, fmt.Errorf("the event has %d bytes, at most %d are allowed", len(payload), maxPayload)
	}
	c := call{id: uuid.NewString(), payload: payload, timeout: e.function.timeout()}
	e.mu.Lock()
	p := e.process
	e.mu.Unlock()
	var err error
	if p.served {
		if !p.hasExited() { // else its last poll may still be open
			select {
			case p.calls <- c:
				return p.finish(c), nil
			case <-p.exited: // after its last response, such as after a panic
			}
		}
		if p, err = e.spawn(); err != nil {
			return Result{}, err
		}
	}
	if p.await(c.id, e.function.initLimit()-time.Since(p.started)) != nil {
		// Lambda repeats a failed init once, within the time of the call.
		if p, err = e.spawn(); err != nil {
			return Result{}, err
		}
		if failed := p.await(c.id, c.timeout); failed != nil {
			failed.Cold, failed.Duration = true, time.Since(p.started)
			return *failed, nil
		}
		c.timeout -= p.init
	}
	p.served = true
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

func (e *Environment) spawn() (*process, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	p, err := spawn(e.function)
	if err == nil {
		e.process = p
	}
	return p, err
}

// PID is the id of the process that was started last.
func (e *Environment) PID() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.process.cmd.Process.Pid
}

// Kill ends the process at once, as the kernel does if memory is short. The current call
// fails with Runtime.ExitError. The next call starts a new process.
func (e *Environment) Kill() {
	e.mu.Lock()
	p := e.process
	e.mu.Unlock()
	p.kill()
}

// Close ends the process. It has a few seconds to end by itself, then it is killed. A
// current call fails.
func (e *Environment) Close() {
	e.mu.Lock()
	e.closed = true
	p := e.process
	e.mu.Unlock()
	p.stop()
}
