package cognito

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestHandler(t *testing.T) {
	refused := errors.New("Sign-in is not possible right now.")
	const event = `{"version":"1","userName":"canary","response":{"claimsOverrideDetails":null}}`
	rows := []struct {
		name, payload string
		handle        func(*Event) error
		want          string
		err           string
	}{
		{"what is set goes back", event, func(e *Event) error {
			e.SetClaims(json.RawMessage(`{}`), nil)
			return nil
		}, `{"version":"1","userName":"canary","response":{"claimsOverrideDetails":{"claimsToAddOrOverride":{}}}}`, ""},
		{"nothing set, all goes back", event, func(*Event) error { return nil }, event, ""},
		{"an error is passed on", event, func(*Event) error { return refused }, "", refused.Error()},
		{"a panic stops nobody", event, func(e *Event) error {
			e.SetClaims(json.RawMessage(`{}`), nil)
			panic("canary")
		}, event, ""},
		{"no event", `"canary"`, nil, "", "The event is not a JSON object."},
	}
	for _, row := range rows {
		var log bytes.Buffer
		h := Handler{
			Handle: func(_ context.Context, e *Event) error { return row.handle(e) },
			Log:    slog.New(slog.NewJSONHandler(&log, nil)),
		}
		got, err := h.Invoke(t.Context(), []byte(row.payload))
		if string(got) != row.want {
			t.Errorf("%s: answer %s, want %s", row.name, got, row.want)
		}
		if row.err == "" && err != nil || row.err != "" && (err == nil || err.Error() != row.err) {
			t.Errorf("%s: error %v, want %q", row.name, err, row.err)
		}
		if strings.Contains(log.String(), "canary") {
			t.Errorf("%s: the input is in the log: %s", row.name, &log)
		}
	}
}
