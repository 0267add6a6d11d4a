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
)

func TestBreakerStopsCallsToWhatIsDown(t *testing.T) {
	bag, _ := manage(t)
	s := serve(t, (*httptest.Server).Start, answer(503, ""))
	client := New(endpoint(t, s.URL, ""), bag, "")
	upsert := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := client.Upsert(ctx, jane)
		return err
	}
	if err := upsert(); ClassOf(err) != Later {
		t.Fatal(err)
	}
	before := s.calls.Load()
	for range 10 {
		failure(t, "while it is down", upsert(), CodeOpen)
	}
	if got := s.calls.Load(); got != before {
		t.Errorf("%d calls were made all the same", got-before)
	}
}

func TestBreakerStaysClosedForWhatIsAboutARow(t *testing.T) {
	bag, _ := manage(t)
	var broken atomic.Bool
	s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			io.WriteString(w, `{"errors":[{"extensions":{"code":"constraint-violation"}}]}`)
			return
		}
		io.WriteString(w, written)
	})
	client := New(endpoint(t, s.URL, ""), bag, "")
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

// A call that comes too late, as after a slow cold start, says nothing of Hasura.
func TestBreakerStaysClosedWhenThereIsNoTime(t *testing.T) {
	bag, _ := manage(t)
	s := serve(t, (*httptest.Server).Start, answer(200, written))
	client := New(endpoint(t, s.URL, ""), bag, "")
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
		time.Sleep(open + time.Millisecond)
		expect("a probe that fails", call(down), down, gobreaker.StateOpen, 3)
		time.Sleep(open + time.Millisecond)
		expect("a probe that succeeds", call(nil), nil, gobreaker.StateClosed, 4)
	})
}
