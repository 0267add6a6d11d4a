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
	switch {
	case err != nil:
		return s.failed(ctx, call, log.With("error", err, "class", hasura.ClassOf(err)), e.Trigger, at, row, err)
	case stale:
		log.InfoContext(ctx, "stale", since(at))
	default:
		log.InfoContext(ctx, "synced", since(at))
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
func (s *syncer) failed(ctx, call context.Context, log *slog.Logger, trigger string, at time.Time, row hasura.Row, err error) error {
	if s.refuse {
		log.ErrorContext(ctx, "refused", since(at))
		return refusal{err}
	}
	if s.park == nil {
		log.ErrorContext(ctx, "unsynced", since(at))
		return nil
	}
	if unparked := s.park(call, parking.Message{Row: row, Trigger: trigger, Class: hasura.ClassOf(err)}); unparked != nil {
		log.ErrorContext(ctx, "unsynced", "parking", unparked, since(at))
		return nil
	}
	log.WarnContext(ctx, "parked", since(at))
	return nil
}

// since is how long a call took, as every outcome is logged with.
func since(at time.Time) slog.Attr { return slog.Int64("ms", time.Since(at).Milliseconds()) }

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
