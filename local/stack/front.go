package stack

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// A Front is the address of a service. A [Fault] can answer there instead of the service.
type Front struct {
	URL string // without a path

	address string
	release func() error // gives up the port
	service http.Handler

	mu     sync.Mutex
	fault  Fault
	server *http.Server // nil while connections are refused
}

// NewFront serves a service on a free port of 127.0.0.1.
func NewFront(service http.Handler) (*Front, error) {
	address, release, err := reserve()
	if err != nil {
		return nil, err
	}
	f := &Front{URL: "http://" + address, address: address, release: release, service: service}
	if err := f.listen(); err != nil {
		return nil, errors.Join(err, release())
	}
	return f, nil
}

// Set makes the service misbehave from now on. The zero Fault ends that.
func (f *Front) Set(fault Fault) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
	switch {
	case fault.refuse && f.server != nil:
		server := f.server
		f.server = nil
		return server.Close() // which also breaks the open connections
	case !fault.refuse && f.server == nil:
		return f.listen()
	}
	return nil
}

// Close ends the service.
func (f *Front) Close() error { return errors.Join(f.Set(Refuse), f.release()) }

func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	serve := f.fault.serve
	f.mu.Unlock()
	if serve == nil {
		f.service.ServeHTTP(w, r)
		return
	}
	serve(w, r, f.service)
}

func (f *Front) listen() error {
	config := net.ListenConfig{Control: sharePort}
	listener, err := config.Listen(context.Background(), "tcp", f.address)
	if err != nil {
		return err
	}
	f.server = &http.Server{Handler: f, ErrorLog: log.New(io.Discard, "", 0)} // faults break connections on purpose
	go func(s *http.Server) { _ = s.Serve(listener) }(f.server)               // ends with ErrServerClosed
	return nil
}
