package secrets

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// source is what a cache fetches from.
type source struct {
	secret string
	err    error
	calls  int
}

func (s *source) fetch(context.Context) (Secret, error) {
	s.calls++
	return New(s.secret), s.err
}

func expect(t *testing.T, s *source, got Secret, err error, want string, calls int) {
	t.Helper()
	if err != nil || got.Reveal() != want || s.calls != calls {
		t.Errorf("got %q, %v after %d fetches, want %q after %d", got.Reveal(), err, s.calls, want, calls)
	}
}

func TestSecretIsReadAgainWhenOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{secret: "one"}
		cache := newCache(slog.New(slog.DiscardHandler), s.fetch)
		get := func(want string, calls int) {
			t.Helper()
			secret, err := cache.Get(t.Context())
			expect(t, s, secret, err, want, calls)
		}
		get("one", 1)
		s.secret = "two"
		time.Sleep(freshFor * 8 / 10)
		get("one", 1)
		time.Sleep(freshFor * 3 / 10)
		get("two", 2)
		s.err = errors.New("down")
		time.Sleep(2 * freshFor)
		get("two", 3) // served although it is old
		get("two", 3) // and no fetch at once
		time.Sleep(retryAfter)
		s.secret, s.err = "three", nil
		get("three", 4)
	})
}

// While Secrets Manager hangs, an old secret must leave time to use it.
func TestOldSecretIsServedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := false
		cache := newCache(slog.New(slog.DiscardHandler), func(ctx context.Context) (Secret, error) {
			if hangs {
				<-ctx.Done()
				return Secret{}, ctx.Err()
			}
			return New("one"), nil
		})
		if _, err := cache.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
		hangs = true
		time.Sleep(freshFor)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 2400*time.Millisecond)
		defer cancel()
		if secret, err := cache.Get(ctx); err != nil || secret.Reveal() != "one" || time.Since(start) != 800*time.Millisecond {
			t.Errorf("got %q, %v after %v, want the old secret after a third of the time", secret.Reveal(), err, time.Since(start))
		}
	})
}

func TestRefresh(t *testing.T) {
	s := &source{secret: "one"}
	cache := newCache(slog.New(slog.DiscardHandler), s.fetch)
	one, err := cache.Get(t.Context())
	expect(t, s, one, err, "one", 1)

	s.secret = "two"
	two, err := cache.Refresh(t.Context(), one)
	expect(t, s, two, err, "two", 2)
	again, err := cache.Refresh(t.Context(), one) // by another call that was refused
	expect(t, s, again, err, "two", 2)
	same, err := cache.Refresh(t.Context(), two) // not rotated
	expect(t, s, same, err, "two", 3)

	s.err = errors.New("down")
	if _, err := cache.Refresh(t.Context(), two); !errors.Is(err, s.err) {
		t.Errorf("error %v, want %v", err, s.err)
	}
	kept, err := cache.Get(t.Context())
	expect(t, s, kept, err, "two", 4)
}

func TestNoSecretWithoutAFetch(t *testing.T) {
	s := &source{err: errors.New("down")}
	var log strings.Builder
	cache := newCache(slog.New(slog.NewJSONHandler(&log, nil)), s.fetch)
	defer func() {
		if _, err := cache.Refresh(t.Context(), Secret{}); !errors.Is(err, s.err) || strings.Count(log.String(), `"msg":"secret fetch failed"`) != 3 {
			t.Errorf("Refresh: %v; want three failures in the log: %s", err, &log)
		}
	}()
	for calls := 1; calls < 3; calls++ {
		if secret, err := cache.Get(t.Context()); !errors.Is(err, s.err) || !secret.IsZero() || s.calls != calls {
			t.Errorf("error %v after %d fetches, want %v after %d", err, s.calls, s.err, calls)
		}
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	cache := newCache(slog.New(slog.DiscardHandler), func(ctx context.Context) (Secret, error) {
		<-ctx.Done()
		return Secret{}, ctx.Err()
	})
	fetching, stop := context.WithCancel(t.Context())
	fetched := make(chan error)
	go func() {
		_, err := cache.Get(fetching)
		fetched <- err
	}()
	for len(cache.turn) == 0 {
		time.Sleep(time.Millisecond)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := cache.Get(late); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get: %v", err)
	}
	if _, err := cache.Refresh(late, Secret{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Refresh: %v", err)
	}
	stop()
	if err := <-fetched; !errors.Is(err, context.Canceled) {
		t.Errorf("the fetch: %v", err)
	}
}
