package hasura

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const sub = "69f23de6-af9e-43cc-b208-8b269334667d"

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.FixedZone("", 3600))

const (
	adminSecret = "canary-admin-secret"
	written     = `{"data":{"row":{"__typename":"users"}}}`
)

// table is a table for these tests. They do not follow changes of users.Description.
var table = users.Table{Key: "id", Sub: "id", SyncedAt: "synced_at", SignedInAt: "last_sign_in_at", Enabled: "enabled", DeletedAt: "deleted_at", Columns: []users.Column{
	{Name: "id", Kind: users.UUID, Source: users.Sub},
	{Name: "username", Kind: users.Text, Source: users.Username},
	{Name: "email", Kind: users.Text, Source: users.Attribute("email")},
	{Name: "email_verified", Kind: users.Boolean, Source: users.Verified("email", "email_verified")},
	{Name: "last_sign_in_at", Kind: users.Timestamp, Source: users.SignInTime},
	{Name: "synced_at", Kind: users.Timestamp, Source: users.SyncTime},
}}

var jane, _, _ = table.Row(users.Sync{User: cognito.User{ID: sub, Username: "jane", Attributes: map[string]string{"sub": sub, "email": "canary@example.com"}}, At: noon})

// TestMain sets the proxies before the first request: net/http reads them once. The schema has the columns of the table.
func TestMain(m *testing.M) {
	Allcolumn = []column{"username", "email", "email_verified", "last_sign_in_at", "synced_at"}
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY"} {
		if err := os.Setenv(name, "http://proxy.example.com:3128"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// manage returns a cache over the real SDK and a Secrets Manager to rotate the secret in.
func manage(t *testing.T) (*secrets.Cache, *secretsmanager.Server) {
	t.Helper()
	manager := new(secretsmanager.Server)
	server := httptest.NewServer(manager)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": server.URL, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		t.Setenv(name, value)
	}
	cache, err := secrets.Open(t.Context(), slog.New(slog.DiscardHandler), manager.Put("app", `{"ADMIN_SECRET":"`+adminSecret+`"}`), "")
	if err != nil {
		t.Fatal(err)
	}
	return cache, manager
}

func endpoint(t *testing.T, domain, host string) settings.Endpoint {
	t.Helper()
	e, err := settings.NewEndpoint(domain, host)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// server stands in for Hasura. It counts the calls and the connections.
type server struct {
	*httptest.Server
	calls, connections atomic.Int32
}

func serve(t *testing.T, start func(*httptest.Server), handle http.HandlerFunc) *server {
	t.Helper()
	s := new(server)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		handle(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail on purpose
	start(s.Server)
	t.Cleanup(s.Close)
	return s
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// failure checks the code of an error, and that no value of the server is in its text.
func failure(t *testing.T, name string, err error, code string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want code %q", name, err, code)
		return
	}
	for _, secret := range []string{"canary", "127.0.0.1", "INSERT"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error tells %s: %v", name, secret, err)
		}
	}
}

func TestUpsertSends(t *testing.T) {
	cache, _ := manage(t)
	var got *http.Request
	var body []byte
	s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		io.WriteString(w, written)
	})
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})

	stale, err := New(endpoint(t, s.URL, ""), cache, "").Upsert(ctx, jane)
	if err != nil || stale {
		t.Fatalf("got %t, %v", stale, err)
	}
	want := http.Header{
		"X-Hasura-Admin-Secret": {adminSecret}, "X-Request-Id": {"request-1"}, "Content-Type": {"application/json"},
		"Content-Length": got.Header["Content-Length"], "User-Agent": got.Header["User-Agent"],
	}
	if !reflect.DeepEqual(got.Header, want) || got.Method != "POST" || got.URL.Path != "/v1/graphql" {
		t.Errorf("%s %s with %v, want headers %v", got.Method, got.URL, got.Header, want)
	}
	var request struct {
		OperationName string
		Variables     json.RawMessage
	}
	if err := json.Unmarshal(body, &request); err != nil {
		t.Fatal(err)
	}
	const variables = `{"user":{"id":"` + sub + `","username":"jane","email":"canary@example.com","email_verified":false,"synced_at":"2026-11-23T11:00:00.123456Z"},` +
		`"columns":["username","email","email_verified","synced_at"],"where":{"_or":[{"synced_at":{"_lt":"2026-11-23T11:00:00.123456Z"}},{"synced_at":{"_is_null":true}},{"synced_at":{"_gt":"`
	if request.OperationName != "upsertUser" || !strings.HasPrefix(string(request.Variables), variables) {
		t.Errorf("%s\n got %s\nwant %s…", request.OperationName, request.Variables, variables)
	}

	if _, err := New(endpoint(t, s.URL, "api.example.com"), cache, "cognito_sync").Upsert(ctx, jane); err != nil {
		t.Fatal(err)
	}
	want["X-Hasura-Role"] = []string{"cognito_sync"}
	want["X-Hasura-Use-Backend-Only-Permissions"] = []string{"true"}
	want["X-Hasura-User-Id"] = []string{sub}
	if !reflect.DeepEqual(got.Header, want) || got.Host != "api.example.com" {
		t.Errorf("as a role: %v to %s, want %v", got.Header, got.Host, want)
	}
}

func TestUpsertAnswers(t *testing.T) {
	const internal = `"internal":{"statement":"INSERT canary","error":{"status_code":%q,"message":"canary"},"arguments":["canary"]}`
	hasura := func(code, extra string) string {
		return fmt.Sprintf(`{"errors":[{"message":"canary","extensions":{"path":"$","code":%q%s}}]}`, code, extra)
	}
	rows := []struct {
		name   string
		handle http.HandlerFunc
		code   string // of the error; "-" for none
		state  string
		calls  int32 // 0 means that it is tried until the time ends
	}{
		{"the row is written", answer(200, written), "-", "", 1},
		{"the row is newer", answer(200, `{"data":{"row":null}}`), "-", "", 1},
		{"a value that the column cannot hold", answer(200, hasura("data-exception", "")), "data-exception", "", 1},
		{"the table is missing", answer(200, hasura("validation-failed", "")), "validation-failed", "", 2},
		{"a trigger of the database raises an error", answer(200, hasura("unexpected", ","+fmt.Sprintf(internal, "P0001"))), "unexpected", "P0001", 1},
		{"an unexpected error without its SQLSTATE", answer(200, hasura("unexpected", "")), "unexpected", "", 0},
		{"an error without a code", answer(200, `{"errors":[{"message":"canary"}]}`), "", "", 0},
		{"an error beside data", answer(200, `{"data":{"row":null},"errors":[{"extensions":{"code":"data-exception"}}]}`), "data-exception", "", 1},
		{"no data", answer(200, `{}`), CodeNoData, "", 0},
		{"empty data", answer(200, `{"data":{}}`), CodeNoData, "", 0},
		{"data of another query", answer(200, `{"data":{"users":null}}`), CodeNoData, "", 0},
		{"null", answer(200, `null`), CodeNoData, "", 0},
		{"an empty body", answer(200, ``), CodeNotJSON, "", 0},
		{"a web page", answer(200, `<html>canary</html>`), CodeNotJSON, "", 0},
		{"the wrong path", answer(404, `{"path":"$","error":"canary","code":"not-found"}`), "not-found", "", 2},
		{"the wrong path, of a proxy", answer(404, `<html>canary</html>`), "", "", 2},
		{"a code of another form", answer(200, hasura("canary code", "")), "unrecognized", "", 0},
		{"a code that is the admin secret", answer(200, hasura(strings.ToUpper(adminSecret), "")), "unrecognized", "", 0},
		{"a code of 90 kB", answer(200, hasura(strings.Repeat("x", 90_000), "")), "unrecognized", "", 0},
		{"a new code", answer(200, hasura("new-code", "")), "new-code", "", 0},
		{"half of the admin secret as a code, half as a state", answer(200, hasura(adminSecret[:len(adminSecret)/2], ","+fmt.Sprintf(internal, adminSecret[len(adminSecret)/2:]))), "unrecognized", "unrecognized", 0},
		{"a state that is the admin secret", answer(200, hasura("unexpected", ","+fmt.Sprintf(internal, adminSecret))), "unexpected", "unrecognized", 0},
		{"a CDN without its origin", answer(521, `<html>canary</html>`), "", "", 0},
		{"a rate limit", answer(200, hasura("rate-limit-exceeded", "")), "rate-limit-exceeded", "", 0},
		{"the page of a firewall", answer(403, `<html>canary</html>`), "", "", 1},
		{"a response without end", func(w http.ResponseWriter, _ *http.Request) {
			for range maxBody/1024 + 2 {
				w.Write(bytes.Repeat([]byte(" "), 1024))
			}
		}, CodeTooLarge, "", 1},
		{"the wrong secret", answer(200, hasura("access-denied", "")), "access-denied", "", 1},
		{"the wrong secret, as a status", answer(401, ``), "", "", 1},
	}
	cache, _ := manage(t)
	for _, row := range rows {
		s := serve(t, (*httptest.Server).Start, row.handle)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if row.calls == 0 {
			ctx, cancel = context.WithTimeout(t.Context(), 150*time.Millisecond)
		}
		stale, err := New(endpoint(t, s.URL, ""), cache, "").Upsert(ctx, jane)
		cancel()
		if row.code == "-" {
			if err != nil || stale != strings.Contains(row.name, "newer") {
				t.Errorf("%s: %t, %v", row.name, stale, err)
			}
			continue
		}
		failure(t, row.name, err, row.code)
		if e, _ := errors.AsType[*Error](err); e != nil && e.SQLState != row.state {
			t.Errorf("%s: SQLSTATE %q, want %q", row.name, e.SQLState, row.state)
		}
		if got := s.calls.Load(); row.calls != 0 && got != row.calls || row.calls == 0 && got < 2 {
			t.Errorf("%s: %d calls, want %d", row.name, got, row.calls)
		}
	}
}

func TestUpsertRetriesTransientFailures(t *testing.T) {
	reset := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		io.WriteString(w, `{"data":`)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	rows := []struct {
		name  string
		first http.HandlerFunc
	}{
		{"a bad gateway", answer(502, `<html>canary</html>`)},
		{"the database is down", answer(200, `{"errors":[{"extensions":{"code":"postgres-error"}}]}`)},
		{"a deadlock", answer(200, `{"errors":[{"extensions":{"code":"unexpected","internal":{"error":{"status_code":"40P01"}}}}]}`)},
		{"time-limit-exceeded", answer(200, `{"errors":[{"extensions":{"code":"time-limit-exceeded"}}]}`)},
		{"429", answer(429, `{}`)},
		{"522", answer(522, `<html>canary</html>`)},
		{"half a response", reset},
		{"no response", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	}
	cache, _ := manage(t)
	for _, row := range rows {
		var failed atomic.Int32
		s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && failed.Add(1) <= 2 {
				row.first(w, r)
				return
			}
			io.WriteString(w, written)
		})
		if _, err := New(endpoint(t, s.URL, ""), cache, "").Upsert(t.Context(), jane); err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestUpsertStopsWithTheContext(t *testing.T) {
	cache, _ := manage(t)
	busy := serve(t, (*httptest.Server).Start, answer(503, ""))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := New(endpoint(t, busy.URL, ""), cache, "").Upsert(ctx, jane)
	if e, ok := errors.AsType[*Error](err); !ok || e.Status != 503 && e.Code != CodeTimeout || busy.calls.Load() < 2 {
		t.Errorf("%v after %d calls", err, busy.calls.Load())
	}

	release := make(chan struct{})
	silent := serve(t, (*httptest.Server).Start, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = New(endpoint(t, silent.URL, ""), cache, "").Upsert(ctx, jane)
	failure(t, "a silent server", err, CodeTimeout)
}

func TestSecretIsReadAgainWhenRefused(t *testing.T) {
	cache, manager := manage(t)
	var accepted atomic.Value
	accepted.Store(adminSecret)
	s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Hasura-Admin-Secret") != accepted.Load() {
			io.WriteString(w, `{"errors":[{"message":"invalid x-hasura-admin-secret/x-hasura-access-key","extensions":{"path":"$","code":"access-denied"}}]}`)
			return
		}
		io.WriteString(w, written)
	})
	client := New(endpoint(t, s.URL, ""), cache, "")
	upsert := func(name, code string, reads int) {
		t.Helper()
		if _, err := client.Upsert(t.Context(), jane); code != "" {
			failure(t, name, err, code)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := manager.Calls(); got != reads {
			t.Errorf("%s: the secret was read %d times, want %d", name, got, reads)
		}
	}
	upsert("at first", "", 1)
	manager.Put("app", `{"ADMIN_SECRET":"canary-2"}`)
	upsert("rotated, but not yet in Hasura", "", 1)
	accepted.Store("canary-2")
	upsert("rotated", "", 2)
	upsert("afterwards", "", 2)
	accepted.Store("canary-3")
	upsert("changed in Hasura alone", "access-denied", 3)
	upsert("a moment later", CodeOpen, 3)
}

func TestNothingIsSentWithoutASecret(t *testing.T) {
	cache, manager := manage(t)
	s := serve(t, (*httptest.Server).Start, answer(200, written))
	client := New(endpoint(t, s.URL, ""), cache, "")
	manager.Put("app", `{"OTHER":"canary"}`)
	if _, err := client.Upsert(t.Context(), jane); err == nil || !strings.Contains(err.Error(), "has no key HASURA_GRAPHQL_ADMIN_SECRET") {
		t.Errorf("no secret: %v", err)
	}
	if got := s.calls.Load(); got != 0 {
		t.Errorf("%d calls to Hasura, want none", got)
	}
}

func TestOneConnection(t *testing.T) {
	cache, _ := manage(t)
	s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		for _, part := range strings.SplitAfter(written, ":") { // chunked, the last chunk late
			io.WriteString(w, part)
			w.(http.Flusher).Flush()
		}
	})
	client := New(endpoint(t, s.URL, ""), cache, "")
	client.isHealthy(t.Context())
	for range 10 {
		if _, err := client.Upsert(t.Context(), jane); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.connections.Load(); got != 1 || s.calls.Load() != 11 {
		t.Errorf("%d calls on %d connections, want 11 on 1", s.calls.Load(), got)
	}
}

// A wrong server can send a body that Go does not expect. Go's client prints the beginning
// of such a body.
func TestHealthCheckPrintsNothing(t *testing.T) {
	cache, _ := manage(t)
	s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ncanary")
		io.Copy(io.Discard, conn) // until the client is done with it
	})
	var printed strings.Builder
	log.SetOutput(&printed)
	defer log.SetOutput(os.Stderr)
	client := New(endpoint(t, s.URL, ""), cache, "")
	client.isHealthy(t.Context())
	client.http.CloseIdleConnections()
	s.Close()
	if printed.Len() > 0 {
		t.Errorf("printed %q, want nothing", &printed)
	}
}

// A connection that was kept while the environment was frozen may be dead.
func TestDeadConnectionIsReplaced(t *testing.T) {
	cache, _ := manage(t)
	s := serve(t, (*httptest.Server).Start, answer(200, written))
	client := New(endpoint(t, s.URL, ""), cache, "")
	for range 3 {
		if _, err := client.Upsert(t.Context(), jane); err != nil {
			t.Fatal(err)
		}
		s.CloseClientConnections()
	}
}

func TestHealthCheckOfAClosedPort(t *testing.T) {
	cache, _ := manage(t)
	client := New(endpoint(t, "http://127.0.0.1:1", ""), cache, "")
	client.isHealthy(t.Context())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := client.Upsert(ctx, jane)
	failure(t, "a closed port", err, CodeUnreachable)
}

func TestTLSIsVerified(t *testing.T) {
	cache, _ := manage(t)
	s := serve(t, (*httptest.Server).StartTLS, answer(200, written)) // for example.com and 127.0.0.1
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	rows := []struct {
		name, domain, host string
		roots              *x509.CertPool
		code, hint         string
	}{
		{"a certificate for the host", "127.0.0.1:" + port, "", roots, "", ""},
		{"a certificate for another name", "localhost:" + port, "", roots, CodeCertificate, "Set GRAPHQL_HOST"},
		{"with that name", "localhost:" + port, "example.com", roots, "", ""},
		{"with a third name", "127.0.0.1:" + port, "api.example.org", roots, CodeCertificate, "Set GRAPHQL_HOST"},
		{"an unknown authority", "127.0.0.1:" + port, "", nil, CodeCertificate, "set GRAPHQL_CA"},
	}
	for _, row := range rows {
		e := endpoint(t, row.domain, row.host)
		e.CA = row.roots
		client := New(e, cache, "")
		before := s.calls.Load()
		_, err := client.Upsert(t.Context(), jane)
		if row.code == "" {
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		failure(t, row.name, err, row.code)
		if !strings.Contains(fmt.Sprint(err), row.hint) {
			t.Errorf("%s: %v has no hint", row.name, err)
		}
		if s.calls.Load() != before {
			t.Errorf("%s: the request was sent", row.name)
		}
	}
}

func TestServerWithoutTLS(t *testing.T) {
	cache, _ := manage(t)
	s := serve(t, (*httptest.Server).Start, answer(200, written))
	_, err := New(endpoint(t, s.Listener.Addr().String(), ""), cache, "").Upsert(t.Context(), jane)
	failure(t, "no TLS", err, CodeNoTLS)
}

func TestDNSNameOfALoadBalancer(t *testing.T) {
	cache, _ := manage(t)
	s := serve(t, (*httptest.Server).Start, answer(200, written))
	client := New(endpoint(t, "internal-app-1.eu-west-1.elb.amazonaws.com", ""), cache, "")
	var dialed string
	client.http.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed = address
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}
	if _, err := client.Upsert(t.Context(), jane); err != nil || dialed != "internal-app-1.eu-west-1.elb.amazonaws.com:80" {
		t.Errorf("%v, dialed %s", err, dialed)
	}
}

func TestRedirectIsRefused(t *testing.T) {
	cache, _ := manage(t)
	elsewhere := serve(t, (*httptest.Server).Start, answer(200, written))
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://api.example.com:443/v1/graphql?canary", status)
		})
		_, err := New(endpoint(t, s.URL, ""), cache, "").Upsert(t.Context(), jane)
		failure(t, http.StatusText(status), err, CodeRedirect)
		if !strings.Contains(fmt.Sprint(err), "redirects to https://api.example.com:443. If that is Hasura, set GRAPHQL_DOMAIN to it") {
			t.Errorf("status %d: %v has no hint", status, err)
		}

		s.Config.Handler = http.RedirectHandler(elsewhere.URL, status)
		if _, err := New(endpoint(t, s.URL, ""), cache, "").Upsert(t.Context(), jane); err == nil {
			t.Errorf("status %d was followed", status)
		}
	}
	if got := elsewhere.calls.Load(); got != 0 {
		t.Errorf("%d requests went elsewhere", got)
	}
}

func TestRedirectHint(t *testing.T) {
	const secret, digits = "canary-20260101", "20260101"
	for to, named := range map[string]bool{
		"https://api.example.com/x":            true,
		"http://api.example.com:8080/x":        true,
		"https://canary-20260101.example.com/": false,
		"https://CANARY-20260101.example.com/": false,
		"https://canary-2026/":                 false,
		"https://user:canary-20260101@x/":      true,
		"canary-20260101://x/":                 false,
		"https://[::1]/":                       false,
	} {
		response := &http.Response{Header: http.Header{"Location": {to}}}
		hint := redirectHint(response, secrets.New(secret))
		if got := strings.Contains(hint, "redirects to"); got != named || strings.Contains(strings.ToLower(hint), secret) {
			t.Errorf("%s: the hint is %q", to, hint)
		}
	}
	response := &http.Response{Header: http.Header{"Location": {"https://x:" + digits + "/"}}}
	if hint := redirectHint(response, secrets.New(digits)); strings.Contains(hint, digits) {
		t.Errorf("the port is the secret: the hint is %q", hint)
	}
}

func TestBackoff(t *testing.T) {
	for attempt, most := range []time.Duration{1: 50, 2: 100, 3: 200, 4: 400, 5: 800, 6: 800, 60: 800} {
		for range 100 {
			if d := backoff(max(attempt, 1)); most != 0 && (d > most*time.Millisecond || d < most*time.Millisecond/2) {
				t.Errorf("backoff(%d) = %v, want at most %d ms and at least half of it", attempt, d, most)
			}
		}
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if sleep(ctx, 2*time.Second) || time.Since(start) != 0 {
			t.Errorf("waited %v although the context ends before", time.Since(start))
		}
		if !sleep(ctx, time.Millisecond) || time.Since(start) != time.Millisecond {
			t.Errorf("waited %v, want 1 ms", time.Since(start))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if sleep(ctx, time.Hour) {
			t.Error("waited on although the context ended")
		}
	})
}

// The row stays, but a later sign-in is written.
func TestStaleSignInRaisesItsTime(t *testing.T) {
	row, _, err := table.Row(users.Sync{User: cognito.User{ID: sub}, At: noon, SignedIn: true})
	if err != nil {
		t.Fatal(err)
	}
	cache, _ := manage(t)
	var updates []string
	s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Variables struct {
				Columns []string
				Where   json.RawMessage
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		updates = append(updates, strings.Join(request.Variables.Columns, " "))
		if v := request.Variables; len(v.Columns) == 1 && string(v.Where) != `{"_or":[{"last_sign_in_at":{"_lt":"2026-11-23T11:00:00.123456Z"}},{"last_sign_in_at":{"_is_null":true}}],"deleted_at":{"_is_null":true}}` {
			t.Errorf("the condition is %s", v.Where)
		}
		io.WriteString(w, `{"data":{"row":null}}`)
	})
	client := New(endpoint(t, s.URL, ""), cache, "")
	for _, r := range []users.Row{row, jane} {
		if stale, err := client.Upsert(t.Context(), r); err != nil || !stale {
			t.Errorf("stale = %t, %v", stale, err)
		}
	}
	if want := []string{"last_sign_in_at synced_at", "last_sign_in_at", "username email email_verified synced_at"}; !slices.Equal(updates, want) {
		t.Errorf("updated %q, want %q", updates, want)
	}
}

// HTTPS_PROXY counts for https alone: a proxy for plain http would see the admin secret.
func TestProxy(t *testing.T) {
	for url, want := range map[string]string{"https://hasura.example.com/": "http://proxy.example.com:3128", "http://hasura.example.com/": "<nil>"} {
		request := httptest.NewRequest(http.MethodPost, url, nil)
		if got, err := proxy(request); err != nil || fmt.Sprint(got) != want {
			t.Errorf("proxy of %s: %v (%v), want %s", url, got, err, want)
		}
	}
}

// An endpoint is called without TLS, which is logged once, unless it is on this machine.
func TestPlainHTTPIsLogged(t *testing.T) {
	manage(t)
	for domain, want := range map[string]bool{"http://hasura.invalid": true, "https://hasura.invalid": false, "http://127.0.0.1:1": false} {
		var log bytes.Buffer
		s := settings.Hasura{Endpoint: endpoint(t, domain, ""), SecretARN: settings.SecretsARN.Example}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if _, err := Connect(ctx, s, slog.New(slog.NewJSONHandler(&log, nil))); err != nil {
			t.Error(err)
		}
		cancel()
		if got := strings.Contains(log.String(), `"msg":"plain http"`); got != want {
			t.Errorf("%s: logs %s; want plain http: %t", domain, &log, want)
		}
	}
}

// When the time for a further attempt runs out, the error is that of the earlier response.
func TestErrorOfTheLastResponse(t *testing.T) {
	cache, _ := manage(t)
	var calls atomic.Int32
	s := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			io.WriteString(w, `{"errors":[{"extensions":{"code":"new-code"}}]}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	_, err := New(endpoint(t, s.URL, ""), cache, "").Upsert(ctx, jane)
	failure(t, "a response, then none", err, "new-code")
	if calls.Load() < 2 {
		t.Errorf("%d calls, want a second one", calls.Load())
	}
}
