package stack

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFunctionFor(t *testing.T) {
	rows := []struct{ name, file, event, want string }{
		{"a token by its source", "x.json", `{"triggerSource":"TokenGeneration_RefreshTokens"}`, Trigger},
		{"a confirmation by its source", "x.json", `{"triggerSource":"PostConfirmation_ConfirmForgotPassword"}`, SyncUsers},
		{"a sign-in by its source", "x.json", `{"triggerSource":"PostAuthentication_Authentication"}`, SyncUsers},
		{"the source overrules the name", "pre-token-generation-x.json", `{"triggerSource":"PostAuthentication_Authentication"}`, SyncUsers},
		{"a test event by its name", "pre-token-generation-test.json", `{"triggerSource":"testTrigger"}`, Trigger},
		{"no event at all by its name", "pre-token-generation-test.json", `[]`, Trigger},
		{"what is left is for the sync", "post-authentication-test.json", `{}`, SyncUsers},
	}
	for _, row := range rows {
		if got := FunctionFor(row.file, []byte(row.event)); got != row.want {
			t.Errorf("%s: function = %s, want %s", row.name, got, row.want)
		}
	}
}

func TestJournal(t *testing.T) {
	j := newJournal()
	write := func(line string) {
		if _, err := j.Write([]byte(line + "\n")); err != nil {
			t.Error(err)
		}
	}
	write(`{"level":"INFO","message":"cold start","requestId":"1"}`)
	write(`{"level":"WARN","message":"attributes dropped","requestId":"1","attributes":["name"]}`)
	write(`{"level":"INFO","message":"shaped","requestId":"2"}`)
	write(`panic: no record`)
	write(`{"some":"JSON"}`)
	got := make(chan []Line)
	go func() { got <- j.call(t.Context(), "1") }()
	write(`{"level":"INFO","message":"synced","requestId":"1"}`)
	var messages []string
	for _, line := range <-got {
		messages = append(messages, line.Message)
	}
	if want := []string{"cold start", "attributes dropped", "synced"}; !slices.Equal(messages, want) {
		t.Errorf("log of the call = %q, want %q", messages, want)
	}
	if want := []string{"panic: no record", `{"some":"JSON"}`}; !slices.Equal(j.strays, want) {
		t.Errorf("strays = %q, want %q", j.strays, want)
	}
	ended, end := context.WithTimeout(t.Context(), time.Millisecond)
	defer end()
	if lines := j.call(ended, "3"); len(lines) != 0 {
		t.Errorf("log of a call that logged nothing = %v", lines)
	}
}

func TestStartSaysWhatIsMissing(t *testing.T) {
	_, err := Start(t.Context(), Config{Functions: t.TempDir(), Project: os.DirFS(t.TempDir()), DatabaseURL: filepath.Join(t.TempDir(), "people.db")})
	if err == nil || !strings.HasPrefix(err.Error(), "start Hasura: ") {
		t.Errorf("error without a project = %v, want one of starting Hasura", err)
	}
}
