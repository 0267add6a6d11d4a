package cognito

import (
	"context"
	"log/slog"
	"runtime/debug"
)

// A Handler is the shape that the Lambda runtime wants around a function that
// answers one event. Handle may set the event's response; the event goes back
// whether it did or not. Only an error that Handle returns reaches Cognito, which
// then fails the person's sign-in and shows them the error's text.
//
// A panic is ours, not theirs: it is logged and the event goes back as it came.
type Handler struct {
	Handle func(context.Context, *Event) error
	Log    *slog.Logger
}

// Invoke satisfies lambda.Handler of aws-lambda-go.
func (h Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := Parse(payload)
	if err != nil {
		h.Log.ErrorContext(ctx, "not an event", "bytes", len(payload))
		return nil, err
	}
	if err := h.handle(ctx, e); err != nil {
		return nil, err
	}
	return e.Bytes(), nil
}

func (h Handler) handle(ctx context.Context, e *Event) error {
	defer func() {
		if cause := recover(); cause != nil {
			// The cause can hold anything, so only where it happened is logged.
			h.Log.ErrorContext(ctx, "panicked", "user", e.User, "trigger", e.Trigger, "stack", string(debug.Stack()))
			e.response = nil
		}
	}()
	return h.Handle(ctx, e)
}
