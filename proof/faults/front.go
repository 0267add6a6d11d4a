package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A fault answers in the place of a far side; next is what would have answered.
type fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// A front is the address at which the functions find a far side. What it does there
// can be changed while they talk to it.
type front struct {
	address string
	reserve int // a socket that keeps the port while nothing listens on it

	mu     sync.Mutex
	next   http.Handler
	fault  fault // nil passes on
	server *http.Server
}

func newFront(next http.Handler) (*front, error) {
	f := &front{next: next}
	var err error
	if f.reserve, f.address, err = reserve(); err != nil {
		return nil, err
	}
	return f, f.open()
}

// reserve binds a free port and does not listen on it: connections are refused, and no
// other process gets it.
func reserve() (socket int, address string, err error) {
	if socket, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); err != nil {
		return 0, "", fmt.Errorf("reserve a port: %w", err)
	}
	unix.CloseOnExec(socket)
	err = errors.Join(unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1),
		unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, nameErr := unix.Getsockname(socket)
	if err = errors.Join(err, nameErr); err != nil {
		return 0, "", fmt.Errorf("reserve a port: %w", errors.Join(err, unix.Close(socket)))
	}
	return socket, fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port), nil
}

// beside lets a listener share a port with the socket that reserves it.
func beside(_, _ string, c syscall.RawConn) error {
	var refused error
	err := c.Control(func(socket uintptr) {
		refused = unix.SetsockoptInt(int(socket), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(err, refused)
}

// open listens.
func (f *front) open() error {
	config := net.ListenConfig{Control: beside}
	listener, err := config.Listen(context.Background(), "tcp", f.address)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
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

// end closes for good.
func (f *front) end() error { return errors.Join(f.close(), unix.Close(f.reserve)) }

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
