package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

var (
	// ErrNotFound is the error of a call to an unknown function.
	ErrNotFound = errors.New("function not found")
	// ErrThrottled is the error of a call if all allowed environments are busy.
	ErrThrottled = errors.New("rate exceeded")
)

// A Service runs functions in as many environments as there are concurrent calls. As an
// http.Handler it serves Invoke and GetFunctionConfiguration.
type Service struct {
	mux   *http.ServeMux
	calls sync.WaitGroup

	mu     sync.Mutex
	closed bool
	pools  map[string]*pool // by function name
}

// A pool has the environments of one function.
type pool struct {
	function  Function
	version   int // counts the configurations of the function
	all, idle []*Environment
}

// NewService starts no environment; the first call of a function does.
func NewService(functions ...Function) (*Service, error) {
	s := &Service{pools: make(map[string]*pool), mux: http.NewServeMux()}
	s.mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", s.serve)
	s.mux.HandleFunc("GET /2015-03-31/functions/{name}/configuration", s.configuration)
	for _, f := range functions {
		if err := f.check(); err != nil {
			return nil, fmt.Errorf("function %q: %w", f.Name, err)
		}
		if s.pools[f.Name] != nil {
			return nil, fmt.Errorf("function %q: given twice", f.Name)
		}
		var mu sync.Mutex
		for _, stream := range []*io.Writer{&f.Stdout, &f.Stderr} {
			if *stream != nil {
				*stream = locked{&mu, *stream}
			}
		}
		s.pools[f.Name] = &pool{function: f}
	}
	return s, nil
}

// locked lets several environments, and both streams of each, share a writer.
type locked struct {
	mu *sync.Mutex
	to io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

// Invoke calls the function with a name or ARN, in an idle environment or a new one. As
// with [Environment.Invoke], the call goes on if ctx ends.
func (s *Service) Invoke(ctx context.Context, name string, payload []byte) (Result, error) {
	e, give, err := s.take(name)
	if err != nil {
		return Result{}, err
	}
	return wait(ctx, func() (Result, error) {
		defer give()
		return e.invoke(payload)
	})
}

// take returns the idle environment that was used last, or a new one. give must be called after the call.
func (s *Service) take(name string) (e *Environment, give func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pools[functionName(name)]
	switch {
	case p == nil:
		return nil, nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	case s.closed:
		return nil, nil, ErrClosed
	}
	switch n := len(p.idle); {
	case n > 0:
		e, p.idle = p.idle[n-1], p.idle[:n-1]
	case p.function.Concurrency > 0 && len(p.all) >= p.function.Concurrency:
		return nil, nil, ErrThrottled
	default:
		if e, err = Start(p.function); err != nil {
			return nil, nil, err
		}
		p.all = append(p.all, e)
	}
	s.calls.Add(1)
	version := p.version
	return e, func() {
		defer s.calls.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		if p.version == version {
			p.idle = append(p.idle, e)
		} else {
			s.retire(p, e)
		}
	}, nil
}

// retire ends environments of an earlier configuration. It does not wait for their end; Close does.
func (s *Service) retire(p *pool, old ...*Environment) {
	p.all = slices.DeleteFunc(p.all, func(e *Environment) bool { return slices.Contains(old, e) })
	for _, e := range old {
		s.calls.Go(e.Close)
	}
}

// Configure replaces the variables of a function, as UpdateFunctionConfiguration does. The next call starts a new process.
// Current calls end as they began.
func (s *Service) Configure(name string, env map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pools[name]
	switch {
	case p == nil:
		return fmt.Errorf("%w: %s", ErrNotFound, name)
	case s.closed:
		return ErrClosed
	}
	f := p.function
	f.Env = env
	if err := f.check(); err != nil {
		return fmt.Errorf("function %q: %w", name, err)
	}
	old := p.idle
	p.function, p.idle = f, nil
	p.version++
	s.retire(p, old...)
	return nil
}

// functionName is the name in a name or ARN, with or without a qualifier.
func functionName(name string) string {
	if rest, ok := strings.CutPrefix(name, "arn:"); ok {
		_, name, _ = strings.Cut(rest, ":function:")
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}

// Environments counts the environments that were started for the function.
func (s *Service) Environments(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.pools[functionName(name)]; p != nil {
		return len(p.all)
	}
	return 0
}

// Kill kills the processes of a function. Their calls fail, and the next ones start new processes.
func (s *Service) Kill(name string) {
	s.mu.Lock()
	var all []*Environment
	if p := s.pools[name]; p != nil {
		all = slices.Clone(p.all)
	}
	s.mu.Unlock()
	for _, e := range all {
		e.Kill()
	}
}

// Close ends every process and waits until the current calls have failed.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	var closing sync.WaitGroup
	for _, p := range s.pools {
		for _, e := range p.all {
			closing.Go(e.Close)
		}
	}
	s.mu.Unlock()
	closing.Wait()
	s.calls.Wait()
}

// ServeHTTP serves "Invoke" and, with name and variables, "GetFunctionConfiguration" of the
// Lambda API Reference. It does not check signatures.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func fail(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("X-Amzn-ErrorType", kind)
	writeJSON(w, status, map[string]string{"Type": "User", "Message": message})
}

func failNotFound(w http.ResponseWriter, name string) {
	fail(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+Function{Name: functionName(name)}.ARN())
}

func (s *Service) configuration(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	p := s.pools[functionName(name)] // NewService fills the map
	if p == nil {
		failNotFound(w, name)
		return
	}
	s.mu.Lock()
	f := p.function
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"FunctionName": f.Name, "Environment": map[string]any{"Variables": f.Env}})
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		fail(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", "the event is larger than Lambda allows")
		return
	}
	if err != nil {
		return // the client is gone
	}
	if len(payload) > 0 && !json.Valid(payload) {
		fail(w, http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json")
		return
	}
	name := r.PathValue("name")
	result, err := s.Invoke(r.Context(), name, payload)
	switch {
	case errors.Is(err, ErrNotFound):
		failNotFound(w, name)
	case errors.Is(err, ErrThrottled):
		fail(w, http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
	case err != nil:
		fail(w, http.StatusInternalServerError, "ServiceException", err.Error())
	default:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("X-Amz-Executed-Version", "$LATEST")
		h.Set("X-Amzn-RequestId", result.RequestID)
		if result.FunctionError != "" {
			h.Set("X-Amz-Function-Error", result.FunctionError)
		}
		_, _ = w.Write(result.Payload)
	}
}
