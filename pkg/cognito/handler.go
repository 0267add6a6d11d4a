package cognito

import (
	"context"
	"log/slog"
	"runtime/debug"
)

// A Handler adapts a function for one event to the Lambda runtime. Handle may set the
// event's response. The event goes back to Cognito in any case, unless Handle returns an
// error: Cognito then fails the sign-in and shows the error's text to the user.
//
// A panic in Handle does not fail the sign-in. It is logged, and the event goes back as it
// arrived.
type Handler struct {
	Handle func(context.Context, *Event) error
	Log    *slog.Logger
}

// Invoke implements lambda.Handler of aws-lambda-go.
func (h Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := Parse(payload)
	if err != nil {
		h.Log.ErrorContext(ctx, "invalid event", "bytes", len(payload))
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
			// Only the stack is logged: the cause can hold values of the event.
			h.Log.ErrorContext(ctx, "panic", "user", e.User, "trigger", e.Trigger, "stack", string(debug.Stack()))
			e.response = nil
		}
	}()
	return h.Handle(ctx, e)
}
