package lambda

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

var (
	// ErrNotFound is the error of a call to a function that the service does not have.
	ErrNotFound = errors.New("function not found")
	// ErrThrottled is the error of a call that finds every allowed environment busy.
	ErrThrottled = errors.New("rate exceeded")
)

// A Service runs functions in as many environments as there are calls at once, and
// speaks the Invoke API as an http.Handler.
type Service struct {
	mu     sync.Mutex
	closed bool
	pools  map[string]*pool
	calls  sync.WaitGroup
	mux    *http.ServeMux
}

// A pool is the environments of one function.
type pool struct {
	function Function
	all      []*Environment
	idle     []*Environment // the one used last is used next, so that the others may age
}

// NewService starts nothing yet: the first call of a function does.
func NewService(functions ...Function) (*Service, error) {
	s := &Service{pools: make(map[string]*pool), mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", s.serve)
	for _, f := range functions {
		if err := f.check(); err != nil {
			return nil, fmt.Errorf("function %q: %w", f.Name, err)
		}
		if s.pools[f.Name] != nil {
			return nil, fmt.Errorf("function %q: given twice", f.Name)
		}
		var mu sync.Mutex
		if f.Stdout != nil {
			f.Stdout = locked{&mu, f.Stdout}
		}
		if f.Stderr != nil {
			f.Stderr = locked{&mu, f.Stderr}
		}
		s.pools[f.Name] = &pool{function: f}
	}
	return s, nil
}

// Invoke calls the function of that name or ARN, in an idle environment or a new one.
// As with [Environment.Invoke], the end of ctx ends the waiting and not the call.
func (s *Service) Invoke(ctx context.Context, name string, payload []byte) (Result, error) {
	p, e, err := s.take(name)
	if err != nil {
		return Result{}, err
	}
	return wait(ctx, func() (Result, error) {
		defer s.giveBack(p, e)
		return e.invoke(payload)
	})
}

func (s *Service) take(name string) (*pool, *Environment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pools[plain(name)]
	switch {
	case p == nil:
		return nil, nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	case s.closed:
		return nil, nil, ErrClosed
	}
	var e *Environment
	switch n := len(p.idle); {
	case n > 0:
		e, p.idle = p.idle[n-1], p.idle[:n-1]
	case p.function.Concurrency > 0 && len(p.all) >= p.function.Concurrency:
		return nil, nil, ErrThrottled
	default:
		var err error
		if e, err = Start(p.function); err != nil {
			return nil, nil, err
		}
		p.all = append(p.all, e)
	}
	s.calls.Add(1)
	return p, e, nil
}

func (s *Service) giveBack(p *pool, e *Environment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.idle = append(p.idle, e)
	s.calls.Done()
}

// plain is the function's name in a name, an ARN or either with a qualifier behind it.
func plain(name string) string {
	if rest, ok := strings.CutPrefix(name, "arn:"); ok {
		if _, name, ok = strings.Cut(rest, ":function:"); !ok {
			return ""
		}
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}

// Environments counts the environments that were started for the function.
func (s *Service) Environments(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pools[plain(name)]; p != nil {
		return len(p.all)
	}
	return 0
}

// Close ends every process and waits until the calls that ran have failed.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	var all []*Environment
	for _, p := range s.pools {
		all = slices.Concat(all, p.all)
	}
	s.mu.Unlock()

	var closing sync.WaitGroup
	for _, e := range all {
		closing.Go(e.Close)
	}
	closing.Wait()
	s.calls.Wait()
}
