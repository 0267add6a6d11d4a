// Package binaries_test runs the built functions under the Lambda runtime protocol
// against far sides that misbehave, and looks at everything they let out.
package binaries_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// bin has the built functions, by name.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "functions")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		bin = dir
		for _, name := range []string{stack.Trigger, stack.SyncUsers, replaySyncs} {
			if err := stack.Build("../..", "functions/"+name, filepath.Join(bin, name)); err != nil {
				panic(err)
			}
		}
		return m.Run()
	}())
}

const replaySyncs = "hasura-cognito-replay-syncs"

const (
	canary = "canary-9d41" // stands in everything that must not get out
	sub    = "69f23de6-af9e-43cc-b208-8b269334667d"
	signIn = `{"version":"1","region":"us-east-1","userPoolId":"us-east-1_ExaMPle01","userName":"` + canary + `","callerContext":{"clientId":"app"},` +
		`"triggerSource":"PostAuthentication_Authentication","request":{"userAttributes":{"sub":"` + sub + `","email":"` + canary + `@example.com",` +
		`"phone_number":"+1206` + canary + `","custom:tax_id":"` + canary + `","custom:bad":"` + canary + `\u0000"},"newDeviceUsed":false},"response":{}}`
	written  = `{"data":{"insert_users_one":{"id":"` + sub + `"}}}`
	sentence = "Sign-in is not possible right now. Please try again."
)

// output is what a function prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start runs a function; its output must have no canary in it when the test ends.
func start(t *testing.T, name string, env map[string]string) (*lambda.Environment, *output) {
	t.Helper()
	out := new(output)
	all := map[string]string{"GOMAXPROCS": "1"}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		all["GOCOVERDIR"] = dir // where a binary built with -cover counts
	}
	maps.Copy(all, env)
	e, err := lambda.Start(lambda.Function{Name: name, Path: filepath.Join(bin, name), Env: all, Timeout: 5 * time.Second, Stdout: out, Stderr: out})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.Close()
		if strings.Contains(out.String(), canary) {
			t.Errorf("%s printed what must not get out:\n%s", name, out)
		}
	})
	return e, out
}

func invoke(t *testing.T, e *lambda.Environment, event string) lambda.Result {
	t.Helper()
	result, err := e.Invoke(t.Context(), []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// logged waits for a log line: it may come after the answer.
func logged(t *testing.T, out *output, want string) {
	t.Helper()
	for range 1000 {
		if strings.Contains(out.String(), want) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%q was not logged:\n%s", want, out)
}

// manage serves a Secrets Manager that has the admin secret.
func manage(t *testing.T) (*secretsmanager.Server, map[string]string) {
	t.Helper()
	manager := new(secretsmanager.Server)
	arn := manager.Put("app", `{"HASURA_GRAPHQL_ADMIN_SECRET":"`+canary+`"}`)
	server := httptest.NewServer(manager)
	t.Cleanup(server.Close)
	return manager, map[string]string{"SECRETS_ARN": arn, "AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL}
}

func with(env map[string]string, pairs ...string) map[string]string {
	all := maps.Clone(env)
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		all[name] = value
	}
	return all
}

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	return s
}

func TestFaultsAreToldAtOnce(t *testing.T) {
	rows := []struct {
		name, function string
		env            map[string]string
		want           []string
	}{
		{"the claim shaper's", stack.Trigger, map[string]string{"ROLES": "staff", "CLAIMS_FORMAT": "yaml"},
			[]string{"ROLES has \\\"staff\\\" where group=role is wanted", "CLAIMS_FORMAT \\\"yaml\\\" is neither"}},
		{"the sync's", stack.SyncUsers, map[string]string{"GRAPHQL_DOMAIN": "ftp://" + "x", "SYNC_BUDGET": "9s", "SECRETS_ARN": canary},
			[]string{"GRAPHQL_DOMAIN has the scheme", "SECRETS_ARN is not the ARN", "SYNC_BUDGET \\\"9s\\\" is not"}},
		{"the replay's", replaySyncs, map[string]string{"SECRETS_ARN": canary}, []string{"GRAPHQL_DOMAIN is not set", "SECRETS_ARN is not the ARN"}},
		{"settings that are missing", stack.SyncUsers, nil, []string{"GRAPHQL_DOMAIN is not set", "SECRETS_ARN is not set"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e, out := start(t, row.function, row.env)
			if result := invoke(t, e, signIn); result.FunctionError == "" {
				t.Errorf("it serves: %s", result.Payload)
			}
			logged(t, out, `"misconfigured"`)
			for line := range strings.Lines(out.String()) {
				for _, want := range row.want {
					if strings.Contains(line, `"misconfigured"`) && !strings.Contains(line, want) {
						t.Errorf("%s does not tell %q", line, want)
					}
				}
			}
		})
	}
}

func TestWhatIsNoEvent(t *testing.T) {
	_, env := manage(t)
	for _, name := range []string{stack.Trigger, stack.SyncUsers} {
		e, _ := start(t, name, with(env, "GRAPHQL_DOMAIN=http://127.0.0.1:1"))
		for _, payload := range []string{canary, `"` + canary + `"`, `["` + canary + `"]`, `{"` + canary, "null", ""} {
			got := invoke(t, e, payload).Failure()
			if want := (lambda.Failure{Message: "The event is not a JSON object.", Type: "invalidEvent"}); got != want {
				t.Errorf("%s given %q: %+v, want %+v", name, payload, got, want)
			}
		}
	}
}

// The console's test events are answered with a response that Cognito would take.
func TestConsoleTestEvents(t *testing.T) {
	_, env := manage(t)
	for _, name := range []string{stack.Trigger, stack.SyncUsers} {
		e, _ := start(t, name, with(env, "GRAPHQL_DOMAIN=http://127.0.0.1:1"))
		for event, want := range map[string]string{
			`{"request":{},"response":{}}`: `{"request":{},"response":{}}`,
			`{"triggerSource":"testTrigger","userPoolId":"testPool","userName":"testName","callerContext":{"clientId":"12345"}}`:                `{"triggerSource":"testTrigger","userPoolId":"testPool","userName":"testName","callerContext":{"clientId":"12345"},"response":{}}`,
			`{"request":{"userAttributes":{"email":"user@example.com","email_verified":true}},"response":{"claimsAndScopeOverrideDetails":[]}}`: `{"request":{"userAttributes":{"email":"user@example.com","email_verified":true}},"response":{"claimsAndScopeOverrideDetails":[]}}`,
		} {
			if got := invoke(t, e, event); got.FunctionError != "" || string(got.Payload) != want {
				t.Errorf("%s given %s: %s, want %s", name, event, got.Payload, want)
			}
		}
	}
}

// Whatever goes wrong, the person is let in, or refused in one sentence where that
// is asked for, and nothing gets out that must not.
func TestFailures(t *testing.T) {
	refusing := func(code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"errors":[{"message":%q,"extensions":{"path":"$","code":%q,"internal":{"statement":%q,"arguments":[%q],"error":{"message":%q,"status_code":"42P01"}}}}]}`, canary, code, canary, canary, canary)
		}
	}
	rows := []struct {
		name   string
		hasura http.HandlerFunc
		secret string // the bag; "" for a good one
		class  string
		want   string // what the log has in it besides
	}{
		{"Hasura refuses a value", refusing("data-exception"), "", "permanent", "hasura: status 200, code data-exception"},
		{"Hasura tells SQL and arguments", refusing("unexpected"), "", "permanent", "hasura: status 200, code unexpected, SQLSTATE 42P01"},
		{"Hasura refuses the secret", refusing("access-denied"), "", "access-denied", "hasura: status 200, code access-denied"},
		{"a page with an address in it", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, canary)
		}, "", "permanent", "hasura: status 403"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://api.example.com/"+canary, http.StatusMovedPermanently)
		}, "", "permanent", "set GRAPHQL_DOMAIN to it"},
		{"Hasura is down", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "", "transient", "hasura: status 502"},
		{"a bag without the key", nil, `{"OTHER":"` + canary + `"}`, "transient", "has no key HASURA_GRAPHQL_ADMIN_SECRET or HASURA_ADMIN_SECRET or ADMIN_SECRET"},
		{"a bag that is no JSON", nil, `{"` + canary, "transient", "is not a JSON object"},
		{"an empty secret", nil, `{"ADMIN_SECRET":""}`, "transient", "key ADMIN_SECRET of secret"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.hasura == nil {
				row.hasura = func(http.ResponseWriter, *http.Request) { t.Error("Hasura was called without a secret") }
			}
			hasura := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					row.hasura(w, r)
				}
			})
			hasura.Start()
			manager, env := manage(t)
			if row.secret != "" {
				manager.Put("app", row.secret)
			}
			env = with(env, "GRAPHQL_DOMAIN="+hasura.URL, "SYNC_BUDGET=700ms")

			e, out := start(t, stack.SyncUsers, env)
			if got := invoke(t, e, signIn); got.FunctionError != "" || string(got.Payload) != signIn {
				t.Errorf("the person is not let in: %s", got.Payload)
			}
			logged(t, out, `"message":"sync lost"`)
			logged(t, out, `"class":"`+row.class+`"`)
			logged(t, out, row.want)

			e, out = start(t, stack.SyncUsers, with(env, "SYNC_ON_FAILURE=refuse"))
			if got, want := invoke(t, e, signIn).Failure(), (lambda.Failure{Message: sentence, Type: "refusal"}); got != want {
				t.Errorf("the person sees %+v, want %+v", got, want)
			}
			logged(t, out, `"message":"sign-in refused"`)
		})
	}
}

// What waited is written, what cannot be stays in the queue, and neither gets out.
func TestReplay(t *testing.T) {
	const message = `{"messageId":%q,"body":%q}`
	parked := `{"version":1,"user":{"id":"` + sub + `","email":"` + canary + `","synced_at":"2026-11-23T12:00:00.000001Z"},"trigger":"PostAuthentication_Authentication","class":"transient"}`
	batch := `{"Records":[` + fmt.Sprintf(message, "1", parked) + `,` + fmt.Sprintf(message, "2", canary) + `]}`
	rows := []struct{ name, answer, want, log string }{
		{"Hasura takes it", written, `{"batchItemFailures":[{"itemIdentifier":"2"}]}`, `"message":"replayed"`},
		{"Hasura has a newer one", `{"data":{"insert_users_one":null}}`, `{"batchItemFailures":[{"itemIdentifier":"2"}]}`, `"message":"stale"`},
		{"Hasura refuses it", `{"errors":[{"message":"` + canary + `","extensions":{"code":"data-exception"}}]}`,
			`{"batchItemFailures":[{"itemIdentifier":"2"},{"itemIdentifier":"1"}]}`, `"message":"permanent failure","user":"` + sub},
		{"Hasura refuses the secret", `{"errors":[{"message":"` + canary + `","extensions":{"code":"access-denied"}}]}`,
			`{"batchItemFailures":[{"itemIdentifier":"2"},{"itemIdentifier":"1"}]}`, `"message":"will retry"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			hasura := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, row.answer) })
			hasura.Start()
			_, env := manage(t)
			e, out := start(t, replaySyncs, with(env, "GRAPHQL_DOMAIN="+hasura.URL))
			if got := invoke(t, e, batch); got.FunctionError != "" || string(got.Payload) != row.want {
				t.Errorf("it answers %s, want %s", got.Payload, row.want)
			}
			logged(t, out, row.log)
			logged(t, out, `"error":"the message is not a parked sync"`)
		})
	}
}

func TestStartsWhileAllElseIsDown(t *testing.T) {
	manager, env := manage(t)
	var up sync.Mutex
	up.Lock()
	gate := func(h http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !up.TryLock() {
				panic(http.ErrAbortHandler)
			}
			up.Unlock()
			h.ServeHTTP(w, r)
		}
	}
	aws := serve(t, gate(manager))
	aws.Start()
	hasura := serve(t, gate(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, written) })))
	hasura.Start()

	e, out := start(t, stack.SyncUsers, with(env, "GRAPHQL_DOMAIN="+hasura.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+aws.URL))
	logged(t, out, `"message":"secret fetch failed"`)
	up.Unlock()
	if got := invoke(t, e, signIn); got.FunctionError != "" {
		t.Errorf("the person is not let in: %s", got.Payload)
	}
	logged(t, out, `"message":"synced"`)
}

// The deployed program itself verifies TLS, with nothing but the variables that
// Go's crypto/x509 reads.
func TestTLS(t *testing.T) {
	hasura := serve(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, written) })
	hasura.StartTLS() // a certificate for example.com and 127.0.0.1
	roots := filepath.Join(t.TempDir(), "roots.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hasura.Certificate().Raw})
	if err := os.WriteFile(roots, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(hasura.Listener.Addr().String())
	_, env := manage(t)
	env = with(env, "SYNC_BUDGET=1s", "SSL_CERT_DIR=/nonexistent")
	rows := []struct {
		name string
		env  []string
		want string
	}{
		{"a certificate for the host", []string{"GRAPHQL_DOMAIN=127.0.0.1:" + port, "SSL_CERT_FILE=" + roots}, `"message":"synced"`},
		{"a certificate for another name", []string{"GRAPHQL_DOMAIN=localhost:" + port, "SSL_CERT_FILE=" + roots}, "code certificate: set GRAPHQL_HOST to the name that Hasura's certificate is for"},
		{"with that name", []string{"GRAPHQL_DOMAIN=localhost:" + port, "GRAPHQL_HOST=example.com", "SSL_CERT_FILE=" + roots}, `"message":"synced"`},
		{"an authority that nobody knows", []string{"GRAPHQL_DOMAIN=127.0.0.1:" + port}, "code certificate: Hasura's certificate is not trusted"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e, out := start(t, stack.SyncUsers, with(env, row.env...))
			if got := invoke(t, e, signIn); got.FunctionError != "" {
				t.Errorf("the person is not let in: %s", got.Payload)
			}
			logged(t, out, row.want)
		})
	}
}

func TestLoadBalancersOwnNameIsWarnedOfOnce(t *testing.T) {
	_, env := manage(t)
	// The name does not exist, so the sync fails; the warning is what is looked at.
	e, out := start(t, stack.SyncUsers, with(env, "SYNC_BUDGET=500ms", "GRAPHQL_DOMAIN=internal-app-0.us-east-1.elb.amazonaws.com"))
	for range 2 {
		if got := invoke(t, e, signIn); got.FunctionError != "" {
			t.Errorf("the person is not let in: %s", got.Payload)
		}
	}
	logged(t, out, `"message":"sync lost"`)
	if got := strings.Count(out.String(), "set GRAPHQL_HOST to the name on the load balancer's certificate"); got != 1 {
		t.Errorf("%d warnings in\n%s", got, out)
	}
}

// One JSON object a line, whatever log format the function is configured for.
func TestLogIsJSONLines(t *testing.T) {
	e, out := start(t, stack.Trigger, nil)
	invoke(t, e, strings.Replace(signIn, "PostAuthentication_Authentication", "TokenGeneration_Authentication", 1))
	logged(t, out, `"message":"shaped"`)
	for line := range strings.Lines(out.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		for _, name := range []string{"timestamp", "level", "message", "requestId", "user", "trigger"} {
			if fields[name] == nil {
				t.Errorf("%s has no %s", line, name)
			}
		}
	}
}
