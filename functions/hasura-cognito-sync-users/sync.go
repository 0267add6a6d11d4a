package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
)

// The triggers that a sync follows. Both kinds are needed: a federated person's
// first sign-in is a post confirmation alone, and a person whom an administrator
// made has post authentications alone. A forgotten password is the first that is
// heard of an imported one.
const (
	confirmSignUp         = "PostConfirmation_ConfirmSignUp"
	confirmForgotPassword = "PostConfirmation_ConfirmForgotPassword"
	authentication        = "PostAuthentication_Authentication"
)

// A syncer writes the row of each person whose event it handles, or parks it.
type syncer struct {
	upsert func(context.Context, hasura.Row) (stale bool, err error)
	park   func(context.Context, parking.Message) error // nil where there is no queue
	refuse bool
	budget *budget
	log    *slog.Logger
}

// sync returns nil or a [refusal].
func (s *syncer) sync(ctx context.Context, e *cognito.Event) error {
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

	row, dropped, err := hasura.RowOf(hasura.Sync{User: e.User, At: at, SignedIn: isSignIn(e)})
	if err != nil {
		// Not refused even on demand: no later sign-in of this person would differ.
		log.ErrorContext(ctx, "broken", "error", err)
		return nil
	}
	if len(dropped) > 0 {
		log.WarnContext(ctx, "dropped", "attributes", dropped)
	}
	stale, err := s.write(call, row)
	switch ms := time.Since(at).Milliseconds(); {
	case err != nil:
		return s.failed(ctx, call, log, parking.Message{Row: row, Trigger: e.Trigger, Class: hasura.ClassOf(err)}, err)
	case stale:
		log.InfoContext(ctx, "stale", "ms", ms)
	default:
		log.InfoContext(ctx, "synced", "ms", ms)
	}
	return nil
}

// write upserts the row in the call's time, less what parking it may take.
func (s *syncer) write(call context.Context, row hasura.Row) (stale bool, err error) {
	if s.park != nil {
		var cancel context.CancelFunc
		call, cancel = s.budget.less(call)
		defer cancel()
	}
	return s.upsert(call, row)
}

// failed decides what becomes of a sync that did not succeed, and of the sign-in.
func (s *syncer) failed(ctx, call context.Context, log *slog.Logger, m parking.Message, err error) error {
	log = log.With("error", err, "class", m.Class)
	if s.refuse {
		log.ErrorContext(ctx, "refused")
		return refusal{err}
	}
	if s.park != nil {
		unparked := s.park(call, m)
		if unparked == nil {
			log.WarnContext(ctx, "parked")
			return nil
		}
		log = log.With("parking", unparked)
	}
	log.ErrorContext(ctx, "unsynced")
	return nil
}

// isSignIn reports whether an event means that the person signed in. So does a
// federated person's confirmation, which is their first sign-in.
func isSignIn(e *cognito.Event) bool {
	return e.Trigger == authentication ||
		e.Trigger == confirmSignUp && e.User.Attributes["cognito:user_status"] == "EXTERNAL_PROVIDER"
}

// A refusal is the one error that reaches Cognito, which shows its text to the
// person signing in. What went wrong is in the log.
type refusal struct{ err error }

func (refusal) Error() string   { return "Sign-in is not possible right now. Please try again." }
func (r refusal) Unwrap() error { return r.err }
