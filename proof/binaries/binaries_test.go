// Package binaries_test runs the built functions under the Lambda runtime protocol and
// checks what can only be seen from outside: output, TLS, size, files and connections.
package binaries_test

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// built has <function>/bootstrap for each function.
var built string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "functions")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		built = dir
		for _, name := range functions.All() {
			if err := stack.Build("../..", "functions/"+name, filepath.Join(built, name, "bootstrap")); err != nil {
				panic(err)
			}
		}
		return m.Run()
	}())
}

const (
	canary = "canary-9d41" // is part of everything that must not be logged
	sub    = "69f23de6-af9e-43cc-b208-8b269334667d"
	common = `"region":"us-east-1","userPoolId":"us-east-1_ExaMPle01","userName":"` + canary + `","callerContext":{"clientId":"app"}`
	user   = `"userAttributes":{"sub":"` + sub + `","email":"` + canary + `@example.com","phone_number":"+1206` + canary + `",` +
		`"custom:tax_id":"` + canary + `","custom:bad":"` + canary + `\u0000"}`
	written = `{"data":{"row":{"__typename":"users"}}}` // Hasura's response to an upsert
	signIn  = `{"version":"1","triggerSource":"PostAuthentication_Authentication",` + common + `,"request":{` + user + `,"newDeviceUsed":false},"response":{}}`
	token   = `{"version":"2","triggerSource":"TokenGeneration_Authentication",` + common + `,"request":{` + user + `,` +
		`"groupConfiguration":{"groupsToOverride":["` + canary + `"],"iamRolesToOverride":[],"preferredRole":null}},"response":{}}`
)

// start starts an environment in which one function has more variables. Its admin secret
// contains the canary. When the test ends, nothing printed may contain it.
func start(t *testing.T, function string, env map[string]string) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), stack.Config{
		Functions: built, Project: os.DirFS("../../graphql"), AdminSecret: canary, Env: map[string]map[string]string{function: env}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for _, line := range s.Log.Lines() {
			if strings.Contains(line.Text, canary) {
				t.Errorf("%s printed what must not be logged: %s", function, line.Text)
			}
		}
	})
	return s
}

func send(t *testing.T, s *stack.Stack, function, event string) stack.Call {
	t.Helper()
	call, err := s.Send(t.Context(), function, []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// messages are the distinct messages of a call's log, sorted.
func messages(call stack.Call) string {
	var list []string
	for _, line := range call.Log {
		list = append(list, line.Message)
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ", ")
}

func TestOutput(t *testing.T) {
	// The users table may have no column for the custom attribute that cannot be stored.
	dropped := ""
	if _, columns, _ := users.Description.Row(users.Sync{User: cognito.User{ID: sub, Attributes: map[string]string{"custom:bad": "\x00"}}}); len(columns) > 0 {
		dropped = "attributes dropped, "
	}
	invalid := lambda.Failure{Message: "The event is not a JSON object.", Type: "invalidEvent"}
	refusal := lambda.Failure{Message: "Sign-in is not possible right now. Please try again.", Type: "refusal"}
	down := stack.Status(http.StatusServiceUnavailable, canary)
	rows := []struct {
		name            string
		function, event string
		env             map[string]string
		hasura          stack.Fault
		secret          string // the secret's text; "" for a usable one
		logged          string
		failure         lambda.Failure
	}{
		{name: "a token", function: functions.Claims, event: token, logged: "shaped"},
		{name: "a token, invalid settings", function: functions.Claims, event: token, env: map[string]string{"ROLES": "staff", "CLAIMS_FORMAT": "yaml"},
			logged: "misconfigured, shaped"},
		{name: "a token, an event that is not JSON", function: functions.Claims, event: `{"` + canary, logged: "invalid event", failure: invalid},
		{name: "a token, an event that is not an object", function: functions.Claims, event: `["` + canary + `"]`, logged: "invalid event", failure: invalid},
		{name: "a sync", function: functions.Sync, event: signIn, logged: dropped + "cold start, synced"},
		{name: "an event that is not JSON", function: functions.Sync, event: `{"` + canary, logged: "invalid event", failure: invalid},
		{name: "Hasura is down", function: functions.Sync, event: signIn, hasura: down, env: map[string]string{"SYNC_BUDGET": "1s"}, logged: dropped + "cold start, parked"},
		{name: "Hasura is down, refuse", function: functions.Sync, event: signIn, hasura: down, env: map[string]string{"SYNC_ON_FAILURE": "refuse", "SYNC_BUDGET": "1s"},
			logged: dropped + "cold start, sign-in refused", failure: refusal},
		{name: "the secret is not JSON", function: functions.Sync, event: signIn, secret: `{"` + canary,
			logged: dropped + "cold start, parked, secret fetch failed"},
		{name: "the secret's key is not a string", function: functions.Sync, event: signIn, secret: `{"HASURA_GRAPHQL_ADMIN_SECRET":["` + canary + `",1]}`,
			logged: dropped + "cold start, parked, secret fetch failed"},
		{name: "invalid settings", function: functions.Sync, event: signIn,
			env:    map[string]string{"GRAPHQL_DOMAIN": "ftp://" + "x", "SYNC_BUDGET": "9s", "SECRETS_ARN": canary},
			logged: dropped + "cold start, misconfigured, parked"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := start(t, row.function, row.env)
			if err := s.Hasura.Set(row.hasura); err != nil {
				t.Fatal(err)
			}
			if row.secret != "" {
				s.Secrets.Put(stack.Secret, row.secret)
			}
			call := send(t, s, row.function, row.event)
			if got := call.Failure(); got != row.failure {
				t.Errorf("failure = %+v, want %+v", got, row.failure)
			}
			if got := messages(call); got != row.logged {
				t.Errorf("logged %q, want %q", got, row.logged)
			}
		})
	}
}

// parked returns a message of a user with an e-mail address that is a canary.
func parked(t *testing.T) string {
	t.Helper()
	row, _, err := users.Description.Row(users.Sync{At: time.Now(), User: cognito.User{ID: sub, Attributes: map[string]string{"sub": sub, "email": canary + "@example.com"}}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(parking.Message{Row: row, Trigger: "PostAuthentication_Authentication", Class: hasura.Transient})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The replay function's answer names the messages that stay in the queue.
func TestReplay(t *testing.T) {
	s := start(t, functions.Replay, nil)
	messages := map[string]string{
		"1": parked(t),
		"2": canary,
	}
	var batch struct{ Records []map[string]string }
	for _, id := range []string{"1", "2"} {
		batch.Records = append(batch.Records, map[string]string{"messageId": id, "body": messages[id]})
	}
	event, err := json.Marshal(batch)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		hasura stack.Fault
		want   string
	}{
		{"Hasura is down", stack.Status(http.StatusServiceUnavailable, canary), `{"batchItemFailures":[{"itemIdentifier":"2"},{"itemIdentifier":"1"}]}`},
		{"Hasura is back", stack.Fault{}, `{"batchItemFailures":[{"itemIdentifier":"2"}]}`},
	} {
		if err := s.Hasura.Set(row.hasura); err != nil {
			t.Fatal(err)
		}
		result, err := s.Lambda.Invoke(t.Context(), functions.Replay, event)
		if err != nil || string(result.Payload) != row.want {
			t.Errorf("%s: answer %s, %v, want %s", row.name, result.Payload, err, row.want)
		}
	}
}

// The built function verifies Hasura's certificate.
func TestTLS(t *testing.T) {
	hasura := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, written)
	}))
	hasura.Config.ErrorLog = log.New(io.Discard, "", 0)
	hasura.StartTLS() // its certificate is for example.com and 127.0.0.1
	defer hasura.Close()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hasura.Certificate().Raw})
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(hasura.Listener.Addr().String())
	rows := []struct {
		name string
		env  map[string]string
		want string // the outcome
		err  string
	}{
		{"a certificate for the host", map[string]string{"GRAPHQL_DOMAIN": "127.0.0.1:" + port, "SSL_CERT_FILE": roots}, "synced", ""},
		{"a certificate for another name", map[string]string{"GRAPHQL_DOMAIN": "localhost:" + port, "SSL_CERT_FILE": roots}, "parked", "Set GRAPHQL_HOST"},
		{"a certificate for GRAPHQL_HOST", map[string]string{"GRAPHQL_DOMAIN": "localhost:" + port, "GRAPHQL_HOST": "example.com", "SSL_CERT_FILE": roots}, "synced", ""},
		{"an unknown authority", map[string]string{"GRAPHQL_DOMAIN": "127.0.0.1:" + port}, "parked", "code certificate"},
		{"the authority in GRAPHQL_CA", map[string]string{"GRAPHQL_DOMAIN": "127.0.0.1:" + port, "GRAPHQL_CA": string(certificate)}, "synced", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			row.env["SSL_CERT_DIR"] = "/nonexistent"
			call := send(t, start(t, functions.Sync, row.env), functions.Sync, signIn)
			if last := call.Log[len(call.Log)-1]; call.FunctionError != "" || call.Outcome != row.want || !strings.Contains(last.Error, row.err) {
				t.Errorf("%s, outcome %q, error %q, want %q and %q", call.FunctionError, call.Outcome, last.Error, row.want, row.err)
			}
		})
	}
}

// Each line is one JSON object, with the fields that queries and metric filters use.
func TestLogIsJSONLines(t *testing.T) {
	for function, event := range map[string]string{functions.Claims: token, functions.Sync: signIn} {
		for _, line := range send(t, start(t, function, nil), function, event).Log {
			var fields map[string]any
			if err := json.Unmarshal([]byte(line.Text), &fields); err != nil {
				t.Errorf("%q: %v", line.Text, err)
				continue
			}
			for _, name := range []string{"timestamp", "level", "message", "requestId", "user", "trigger"} {
				if fields[name] == nil || strings.Count(line.Text, `"`+name+`":`) != 1 {
					t.Errorf("%s does not have the field %s once", line.Text, name)
				}
			}
		}
	}
}
