package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
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

// A syncer writes the row of each person whose event it handles.
type syncer struct {
	upsert func(context.Context, hasura.Sync) (hasura.Result, error)
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

	result, err := s.upsert(call, hasura.Sync{User: e.User, At: at, SignedIn: isSignIn(e)})
	log = log.With("ms", time.Since(at).Milliseconds())
	if len(result.Dropped) > 0 {
		log.WarnContext(ctx, "dropped", "attributes", result.Dropped)
	}
	switch {
	case err != nil:
		return s.failed(ctx, log, err)
	case result.Stale:
		log.InfoContext(ctx, "stale")
	default:
		log.InfoContext(ctx, "synced")
	}
	return nil
}

// failed logs a sync that failed and decides what becomes of the sign-in.
func (s *syncer) failed(ctx context.Context, log *slog.Logger, err error) error {
	e, ok := errors.AsType[*hasura.Error](err)
	class := hasura.Later // a secret that cannot be read can be mended
	if ok {
		class = e.Class()
	}
	log = log.With("error", err, "class", class)
	switch {
	case ok && e.Code == hasura.CodeNoUUID:
		// Refusing would lock the person out for good: no later sign-in differs.
		log.ErrorContext(ctx, "broken")
	case s.refuse:
		log.ErrorContext(ctx, "refused")
		return refusal{err}
	default:
		log.ErrorContext(ctx, "unsynced")
	}
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
