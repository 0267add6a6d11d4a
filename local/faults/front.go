package main

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// A fault answers in the place of a far side; next is what would have answered.
type fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// A front is the address at which the functions find a far side. What it does there
// can be changed while they talk to it.
type front struct {
	address string

	mu     sync.Mutex
	next   http.Handler
	fault  fault // nil passes on
	server *http.Server
}

func newFront(next http.Handler) (*front, error) {
	// Not 127.0.0.1, where a process that starts while this is closed may get the port.
	f := &front{address: "127.0.0.2:0", next: next}
	return f, f.open()
}

// open listens; the address stays the same from the first time on.
func (f *front) open() error {
	var listener net.Listener
	var err error
	// Another process may hold the port for a moment, as the near end of a connection.
	for range 100 {
		if listener, err = net.Listen("tcp", f.address); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.address = listener.Addr().String()
	f.server = &http.Server{Handler: f, ErrorLog: log.New(io.Discard, "", 0)} // of what is broken on purpose
	go func(s *http.Server) { _ = s.Serve(listener) }(f.server)               // ends with ErrServerClosed
	return nil
}

// close refuses connections from now on, and breaks those that there are.
func (f *front) close() error {
	f.mu.Lock()
	server := f.server
	f.mu.Unlock()
	return server.Close()
}

func (f *front) url() string { return "http://" + f.address }

// misbehave sets the fault; nil ends it.
func (f *front) misbehave(how fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = how
}

// become puts another far side behind the front.
func (f *front) become(next http.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = next
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	how, next := f.fault, f.next
	f.mu.Unlock()
	if how == nil {
		next.ServeHTTP(w, r)
		return
	}
	how(w, r, next)
}

// A trouble is a fault of one far side that can be turned on and off.
type trouble struct {
	on, off func(*world) error
}

// at makes a trouble of a fault.
func at(side func(*world) *front, how fault) trouble {
	return trouble{
		on:  func(w *world) error { side(w).misbehave(how); return nil },
		off: func(w *world) error { side(w).misbehave(nil); return nil },
	}
}

// refusing is a far side that takes no connection.
func refusing(side func(*world) *front) trouble {
	return trouble{
		on:  func(w *world) error { return side(w).close() },
		off: func(w *world) error { return side(w).open() },
	}
}

// both is two troubles at once.
func both(a, b trouble) trouble {
	return trouble{
		on:  func(w *world) error { return errors.Join(a.on(w), b.on(w)) },
		off: func(w *world) error { return errors.Join(a.off(w), b.off(w)) },
	}
}

// none is no trouble at all.
var none = trouble{on: func(*world) error { return nil }, off: func(*world) error { return nil }}

// keyless is a secret without the key that the sync looks for.
var keyless = trouble{
	on:  func(w *world) error { w.manager.Put(secretName, `{"ANOTHER":"`+canary+`"}`); return nil },
	off: func(w *world) error { w.manager.Put(secretName, bag(firstSecret)); return nil },
}

func theHasura(w *world) *front  { return w.hasura }
func theSecrets(w *world) *front { return w.secrets }
func theSQS(w *world) *front     { return w.sqs }
