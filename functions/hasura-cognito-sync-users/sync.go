package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// The trigger sources of events that are synced.
const (
	confirmSignUp         = "PostConfirmation_ConfirmSignUp"
	confirmForgotPassword = "PostConfirmation_ConfirmForgotPassword"
	authentication        = "PostAuthentication_Authentication"
)

// A function is the sync function. It writes the row of each event's user, or parks it.
type function struct {
	table  *users.Table
	upsert upserter
	park   func(context.Context, parking.Message) error // nil if there is no queue
	refuse bool
	userID string // the attribute that holds the user's id; "" means the sub
	budget *budget
	log    *slog.Logger
}

// sync writes the row of the event's user. Its error is a [refusal].
func (s *function) sync(ctx context.Context, e *cognito.Event) error {
	at := time.Now()
	call, cancel, first := s.budget.call(ctx, at)
	defer cancel()
	log := s.log.With("user", e.User, "trigger", e.Trigger)
	if first {
		log.InfoContext(ctx, "cold start", "init_ms", s.budget.ready.Sub(s.budget.started).Milliseconds())
	}
	switch e.Trigger {
	case confirmSignUp, confirmForgotPassword, authentication:
	default:
		log.WarnContext(ctx, "ignored", "reason", "neither post confirmation nor post authentication")
		return nil
	}

	row, dropped, err := s.table.Row(users.Sync{User: e.User, At: at, SignedIn: isSignIn(e), UserID: s.userID})
	switch {
	case errors.Is(err, users.ErrRequired):
		log.WarnContext(ctx, "ignored", "reason", err)
		return nil
	case err != nil:
		// The sign-in is not refused in any mode: each later one would fail as well.
		log.ErrorContext(ctx, "permanent failure", "error", err)
		return nil
	}
	if len(dropped) > 0 {
		log.WarnContext(ctx, "attributes dropped", "columns", dropped)
	}
	stale, err := s.write(call, row)
	took := slog.Int64("ms", time.Since(at).Milliseconds())
	switch {
	case stale && hasura.ClassOf(err) == hasura.Permanent:
		log.WarnContext(ctx, "stale", "error", err, took)
	case err != nil:
		return s.failed(ctx, call, failure{err, parking.Message{Row: row, Trigger: e.Trigger, Class: hasura.ClassOf(err)}, at, log})
	case stale:
		log.InfoContext(ctx, "stale", took)
	default:
		log.InfoContext(ctx, "synced", took)
	}
	return nil
}

// write upserts the row in the call's time, less the time for parking.
func (s *function) write(call context.Context, row users.Row) (stale bool, err error) {
	if s.park != nil {
		var cancel context.CancelFunc
		call, cancel = s.budget.beforeParking(call)
		defer cancel()
	}
	return s.upsert(call, row)
}

// A failure is a sync that did not succeed.
type failure struct {
	err     error
	message parking.Message
	at      time.Time // when the event came in
	log     *slog.Logger
}

// failed refuses the sign-in if the operator asked for that. Otherwise it parks the sync.
// ctx is the context for the log, call the one that bounds the time.
func (s *function) failed(ctx, call context.Context, f failure) error {
	log := f.log.With("error", f.err, "class", f.message.Class)
	took := func() slog.Attr { return slog.Int64("ms", time.Since(f.at).Milliseconds()) }
	switch {
	case s.refuse:
		log.ErrorContext(ctx, "sign-in refused", took())
		return refusal{f.err}
	case s.park == nil:
		log.ErrorContext(ctx, "sync lost", took())
	default:
		if err := s.park(call, f.message); err != nil {
			log.ErrorContext(ctx, "sync lost", "parking", err, took())
		} else {
			log.WarnContext(ctx, "parked", took())
		}
	}
	return nil
}

// isSignIn reports whether the user signed in. A federated user's confirmation is the
// first sign-in.
func isSignIn(e *cognito.Event) bool {
	return e.Trigger == authentication ||
		e.Trigger == confirmSignUp && e.User.Attributes["cognito:user_status"] == "EXTERNAL_PROVIDER"
}

// A refusal is the one error that reaches Cognito. Cognito shows its text to the user; the
// reason is in the log.
type refusal struct{ err error }

func (refusal) Error() string   { return "Sign-in is not possible right now. Please try again." }
func (r refusal) Unwrap() error { return r.err }
