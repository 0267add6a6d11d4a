// Package logs makes the logger of the functions. It writes one JSON object per line to
// standard output, whatever log format the function is configured for, because metric
// filters read JSON.
//
// A message is a fixed phrase, so that it can be counted. Everything that varies is in the
// attributes. Users are logged by their sub alone.
package logs

import (
	"bytes"
	"context"
	"io"
	stdlog "log"
	"log/slog"
	"strings"
	"unicode"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// New returns a logger that writes the fields of Lambda's own JSON format to w: timestamp,
// level, message and, within a call, requestId. The level is that of
// AWS_LAMBDA_LOG_LEVEL, or INFO if that is empty or unknown.
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

// handler adds the request's id, as the handler of lambdacontext does. That one cannot be
// told to write JSON.
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

// Adopt logs what libraries print with Go's standard logger. A line ends at its first
// quotation mark: net/http quotes what a server sent after it, which must not be logged. A
// line without a word before it is left out.
func Adopt(log *slog.Logger) {
	stdlog.SetFlags(0)
	stdlog.SetOutput(library{log})
}

type library struct{ log *slog.Logger }

func (l library) Write(line []byte) (int, error) {
	text, _, _ := bytes.Cut(line, []byte{'"'})
	if bytes.ContainsFunc(text, unicode.IsLetter) {
		l.log.Warn("library log", "text", string(bytes.TrimSpace(text)))
	}
	return len(line), nil
}

// Unrecognized stands for a code that cannot be logged.
const Unrecognized = "unrecognized"

// Code returns a code that another server sent, if it can be logged: if it is 1 to 64 ASCII
// letters, digits, '.', '_' and '-', does not contain one of the secrets, in upper or
// lower case, and is not a part of a secret with 8 characters or more. Otherwise it returns
// [Unrecognized].
func Code(code string, secrets ...string) string {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
	if code == "" || len(code) > 64 || strings.Trim(code, allowed) != "" {
		return Unrecognized
	}
	for _, secret := range secrets {
		code, secret := strings.ToLower(code), strings.ToLower(secret)
		if secret != "" && (strings.Contains(code, secret) || len(code) >= 8 && strings.Contains(secret, code)) {
			return Unrecognized
		}
	}
	return code
}
