// Package logs makes the logger of the functions: one JSON object a line on
// standard output, whatever log format the function is configured for, because that
// is what metric filters can read.
//
// A message is a fixed phrase, so that it can be counted; what varies is in the
// attributes. People are logged by their ID alone.
package logs

import (
	"bytes"
	"context"
	"io"
	stdlog "log"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// New returns a logger that writes to w the fields that Lambda's own JSON format
// has: timestamp, level, message and, within a call, requestId. The level is that
// of AWS_LAMBDA_LOG_LEVEL; an unknown or empty one is INFO.
func New(w io.Writer, getenv func(string) string) *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(getenv("AWS_LAMBDA_LOG_LEVEL"))) != nil {
		level = slog.LevelInfo
	}
	return slog.New(handler{slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level:       level,
		ReplaceAttr: lambdacontext.ReplaceAttr,
	})})
}

// handler adds the request's ID, as the handler of lambdacontext does, which
// cannot be told to write JSON.
type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if call, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("requestId", call.AwsRequestID))
	}
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }

// Adopt makes records of log out of what libraries print with Go's standard logger.
// Each ends at the first quotation mark: behind it net/http quotes what a far side
// has sent, and that is not for logs.
func Adopt(log *slog.Logger) {
	stdlog.SetFlags(0)
	stdlog.SetOutput(foreign{log})
}

type foreign struct{ log *slog.Logger }

func (f foreign) Write(line []byte) (int, error) {
	text, _, _ := bytes.Cut(line, []byte{'"'})
	f.log.Warn("a library says", "text", string(bytes.TrimSpace(text)))
	return len(line), nil
}
