package secrets

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// source is what a bag fetches from.
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
		bag := newBag(slog.New(slog.DiscardHandler), s.fetch)
		get := func(want string, calls int) {
			t.Helper()
			secret, err := bag.Secret(t.Context())
			expect(t, s, secret, err, want, calls)
		}
		get("one", 1)
		s.secret = "two"
		time.Sleep(fresh * 8 / 10)
		get("one", 1)
		time.Sleep(fresh * 3 / 10)
		get("two", 2)
		s.err = errors.New("down")
		time.Sleep(2 * fresh)
		get("two", 3) // served although it is old
		get("two", 3) // and not asked for again at once
		time.Sleep(failed)
		s.secret, s.err = "three", nil
		get("three", 4)
	})
}

func TestReplace(t *testing.T) {
	s := &source{secret: "one"}
	bag := newBag(slog.New(slog.DiscardHandler), s.fetch)
	one, err := bag.Secret(t.Context())
	expect(t, s, one, err, "one", 1)

	s.secret = "two"
	two, err := bag.Replace(t.Context(), one)
	expect(t, s, two, err, "two", 2)
	again, err := bag.Replace(t.Context(), one) // by another call that was refused
	expect(t, s, again, err, "two", 2)
	same, err := bag.Replace(t.Context(), two) // not rotated
	expect(t, s, same, err, "two", 3)

	s.err = errors.New("down")
	if _, err := bag.Replace(t.Context(), two); !errors.Is(err, s.err) {
		t.Errorf("error %v, want %v", err, s.err)
	}
	kept, err := bag.Secret(t.Context())
	expect(t, s, kept, err, "two", 4)
}

func TestNoSecretWithoutAFetch(t *testing.T) {
	s := &source{err: errors.New("down")}
	bag := newBag(slog.New(slog.DiscardHandler), s.fetch)
	for calls := 1; calls < 3; calls++ {
		if secret, err := bag.Secret(t.Context()); !errors.Is(err, s.err) || !secret.IsZero() || s.calls != calls {
			t.Errorf("error %v after %d fetches, want %v after %d", err, s.calls, s.err, calls)
		}
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	bag := newBag(slog.New(slog.DiscardHandler), func(ctx context.Context) (Secret, error) {
		<-ctx.Done()
		return Secret{}, ctx.Err()
	})
	fetching, stop := context.WithCancel(t.Context())
	fetched := make(chan error)
	go func() {
		_, err := bag.Secret(fetching)
		fetched <- err
	}()
	for len(bag.turn) == 0 {
		time.Sleep(time.Millisecond)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := bag.Secret(late); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Secret: %v", err)
	}
	if _, err := bag.Replace(late, Secret{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Replace: %v", err)
	}
	stop()
	if err := <-fetched; !errors.Is(err, context.Canceled) {
		t.Errorf("the fetch: %v", err)
	}
}
