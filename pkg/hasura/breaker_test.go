package hasura

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

func TestBreakerStopsCallsToAServerThatIsDown(t *testing.T) {
	cache, _ := manage(t)
	s := serve(t, (*httptest.Server).Start, answer(503, ""))
	client := New(endpoint(t, s.URL, ""), cache, "")
	upsert := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := client.Upsert(ctx, jane)
		return err
	}
	if err := upsert(); ClassOf(err) != Transient {
		t.Fatal(err)
	}
	before := s.calls.Load()
	for range 10 {
		failure(t, "while the breaker is open", upsert(), CodeOpen)
	}
	if got := s.calls.Load(); got != before {
		t.Errorf("%d calls were made while the breaker was open", got-before)
	}
}

func TestBreakerStaysClosedForAFailureOfOneRow(t *testing.T) {
	cache, _ := manage(t)
	var broken atomic.Bool
	s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			io.WriteString(w, `{"errors":[{"extensions":{"code":"constraint-violation"}}]}`)
			return
		}
		io.WriteString(w, written)
	})
	client := New(endpoint(t, s.URL, ""), cache, "")
	broken.Store(true)
	for range 3 {
		_, err := client.Upsert(t.Context(), jane)
		failure(t, "a row", err, "constraint-violation")
	}
	broken.Store(false)
	if _, err := client.Upsert(t.Context(), jane); err != nil {
		t.Error(err)
	}
}

// A call without time left, such as after a slow cold start, says nothing about Hasura.
func TestBreakerStaysClosedWhenThereIsNoTime(t *testing.T) {
	cache, _ := manage(t)
	s := serve(t, (*httptest.Server).Start, answer(200, written))
	client := New(endpoint(t, s.URL, ""), cache, "")
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err := client.Upsert(late, jane)
	failure(t, "no time", err, CodeTimeout)
	if _, err := client.Upsert(t.Context(), jane); err != nil {
		t.Error(err)
	}
}

func TestBreakerProbesAfterAWhile(t *testing.T) {
	down := &Error{Status: 503}
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker()
		calls := 0
		call := func(err error) error {
			_, got := b.Execute(func() (bool, error) {
				calls++
				return false, err
			})
			return got
		}
		expect := func(name string, got, want error, state gobreaker.State, n int) {
			t.Helper()
			if got != want || b.State() != state || calls != n {
				t.Errorf("%s: %v, %v after %d calls; want %v, %v after %d", name, got, b.State(), calls, want, state, n)
			}
		}
		expect("closed at first", call(nil), nil, gobreaker.StateClosed, 1)
		expect("one failure opens it", call(down), down, gobreaker.StateOpen, 2)
		expect("open", call(nil), gobreaker.ErrOpenState, gobreaker.StateOpen, 2)
		time.Sleep(openTime + time.Millisecond)
		expect("a probe that fails", call(down), down, gobreaker.StateOpen, 3)
		time.Sleep(openTime + time.Millisecond)
		expect("a probe that succeeds", call(nil), nil, gobreaker.StateClosed, 4)
	})
}

// One locked row must not make other users' syncs fail. A Hasura that hangs as a whole must
// cost the next sync nothing.
func TestBreakerAfterATimeOut(t *testing.T) {
	cache, _ := manage(t)
	rows := []struct {
		name   string
		health func(http.ResponseWriter, *http.Request)
		opens  bool
	}{
		{"the health check answers", answer(200, "OK"), false},
		{"a load balancer hides the health check", answer(404, ""), false},
		{"the health check fails", answer(500, "ERROR"), true},
		{"the health check hangs after its headers", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, true},
		{"the health check hangs", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					row.health(w, r)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice that the client is gone
				<-r.Context().Done()
			})
			client := New(endpoint(t, s.URL, ""), cache, "")
			upsert := func() error {
				ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
				defer cancel()
				_, err := client.Upsert(ctx, jane)
				return err
			}
			failure(t, "the first sync", upsert(), CodeTimeout)
			want := CodeTimeout
			if row.opens {
				want = CodeOpen
			}
			failure(t, "the next sync", upsert(), want)
		})
	}
}

func TestWhatOpensTheBreaker(t *testing.T) {
	rows := []struct {
		err  error
		want bool
	}{
		{nil, false},
		{&Error{Status: 503}, true},
		{&Error{Status: 521}, true},
		{&Error{Status: 429}, true},
		{&Error{Status: 401}, true},
		{&Error{Status: 200, Code: "rate-limit-exceeded"}, true},
		{&Error{Status: 200, Code: "access-denied"}, true},
		{&Error{Status: 200, Code: "postgres-error"}, true},
		{&Error{Code: CodeUnreachable}, true},
		{&Error{Code: CodeDNS}, true},
		{&Error{Code: CodeCertificate}, true},
		{&Error{Code: CodeTimeout}, false},
		{&Error{Code: CodeTimeout, hangs: true}, true},
		{&Error{Status: 200, Code: "time-limit-exceeded"}, false},
		{&Error{Status: 200, Code: "constraint-violation"}, false},
		{&Error{Status: 200, Code: "unexpected", SQLState: "55P03"}, false},
		{&Error{Status: 404}, false},
		{&secrets.Error{Code: "AccessDeniedException"}, true},
	}
	for _, row := range rows {
		if got := concernsAllRows(row.err); got != row.want {
			t.Errorf("%v: %t, want %t", row.err, got, row.want)
		}
	}
}
