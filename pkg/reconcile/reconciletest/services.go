// Package reconciletest starts the stand-ins that tests of reconcile and follow need: a
// user pool, Hasura over a database, and Secrets Manager, behind the real clients.
package reconciletest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
	client "github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/pool"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const (
	// PoolID is the id of the user pool.
	PoolID = "us-east-1_ExaMPle01"
	// Role is the role that the reconcile function acts as.
	Role   = "cognito_reconcile"
	secret = "the-admin-secret"
)

// Services are the stand-ins of Cognito, Secrets Manager and Hasura.
type Services struct {
	Cognito *cognitoidp.Server
	Users   *cognitoidp.Users
	// Hasura, if set, is called with each request first. Returns true if it has answered the request.
	Hasura atomic.Pointer[func(w http.ResponseWriter, body []byte) bool]
	// Log has what was logged.
	Log *bytes.Buffer
	// URL is Hasura's, SecretARN that of the secret with its admin secret.
	URL, SecretARN string

	t      testing.TB
	engine *hasura.Server
}

// Start starts the stand-ins and points the AWS SDK at them. project is the folder
// graphql/; databaseURL is that of a PostgreSQL database, or "" for SQLite in memory.
//
// The tests need a table that reconcile can mark, with the shipped names of its columns. With
// a table of another form they are skipped.
func Start(t testing.TB, project, databaseURL string) *Services {
	t.Helper()
	if d := users.Description; d.Key != "id" || d.Sub != "id" || d.SyncedAt != "synced_at" || d.Enabled != "enabled" || d.DeletedAt != "deleted_at" {
		t.Skip("reconcile's tests need the columns id, synced_at, enabled and deleted_at")
	}
	poolUsers := new(cognitoidp.Users)
	s := &Services{t: t, Users: poolUsers, Log: new(bytes.Buffer),
		Cognito: &cognitoidp.Server{Pool: cognitoidp.Object{"Id": PoolID}, Users: poolUsers}}
	database, err := hasura.Open(t.Context(), os.DirFS(project), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	if s.engine, err = hasura.New(hasura.Config{Project: os.DirFS(project), Database: database, AdminSecret: secret}); err != nil {
		t.Fatal(err)
	}
	manager := new(secretsmanager.Server)
	s.SecretARN = manager.Put("app", `{"ADMIN_SECRET":"`+secret+`"}`)
	serve := func(h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	s.URL = serve(http.HandlerFunc(s.serveHasura))
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": serve(manager), "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": serve(s.Cognito),
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		t.Setenv(name, value)
	}
	return s
}

func (s *Services) serveHasura(rw http.ResponseWriter, r *http.Request) {
	if handle := s.Hasura.Load(); handle != nil {
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil {
			return // the client is gone
		}
		if (*handle)(rw, body.Bytes()) {
			return
		}
		r.Body = http.NoBody
		r = r.Clone(r.Context())
		r.Body = readCloser{bytes.NewReader(body.Bytes())}
	}
	s.engine.ServeHTTP(rw, r)
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// Reconciler returns a reconciler of the pool, as the role, that marks and waits a
// millisecond between two look-ups.
func (s *Services) Reconciler() *reconcile.Reconciler {
	s.t.Helper()
	r, err := Connect(s.URL, s.SecretARN, s.Log)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// Client returns a client of Hasura that acts as a role.
func (s *Services) Client(role string) *client.Client {
	s.t.Helper()
	endpoint, err := settings.NewEndpoint(s.URL, "")
	if err != nil {
		s.t.Fatal(err)
	}
	cache, err := secrets.Open(s.t.Context(), slog.New(slog.DiscardHandler), s.SecretARN, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return client.New(endpoint, cache, role)
}

// Context returns a context with a deadline.
func (s *Services) Context() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	s.t.Cleanup(cancel)
	return ctx
}

// Connect is [Services.Reconciler] for another process, which has the environment
// variables of the one that called [Start].
func Connect(url, secretARN string, log io.Writer) (*reconcile.Reconciler, error) {
	ctx, logger := context.Background(), slog.New(slog.NewJSONHandler(log, nil))
	endpoint, err := settings.NewEndpoint(url, "")
	if err != nil {
		return nil, err
	}
	cache, err := secrets.Open(ctx, logger, secretARN, "")
	if err != nil {
		return nil, err
	}
	rows, err := client.New(endpoint, cache, Role).Rows(ctx, &users.Description)
	if err != nil {
		return nil, err
	}
	p, err := pool.Open(ctx, PoolID, 1e6)
	if err != nil {
		return nil, err
	}
	return &reconcile.Reconciler{Pool: p, Rows: rows, OnDelete: settings.Mark, MaxGone: 0.05, Between: time.Millisecond, Log: logger}, nil
}

// Sub returns the sub of a user by number.
func Sub(n int) string {
	random := rand.New(rand.NewPCG(uint64(n), 7))
	a, b := random.Uint64(), random.Uint64()
	return fmt.Sprintf("%08x-%04x-7%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48, b&0xffffffffffff)
}

// User returns a user by number, with the values of a version.
func User(n, version int) cognitoidp.User {
	u := cognitoidp.User{Username: fmt.Sprintf("user-%d", n), Status: "CONFIRMED", Enabled: version%3 != 2, Attributes: map[string]string{
		"sub": Sub(n), "email": fmt.Sprintf("user-%d-%d@example.com", n, version), "email_verified": "true",
	}}
	if version%2 == 1 {
		u.Attributes["name"] = "Jane Doe"
		u.Attributes["custom:plan"] = fmt.Sprint("pro ", version)
	}
	return u
}

// Opener returns an Opener for the stand-ins.
func (s *Services) Opener() *reconcile.Opener {
	s.t.Helper()
	endpoint, err := settings.NewEndpoint(s.URL, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return &reconcile.Opener{Settings: settings.Reconcile{UserPoolID: PoolID}, Hasura: settings.Hasura{Endpoint: endpoint, SecretARN: s.SecretARN, Role: Role},
		PerSecond: 1e6, Log: slog.New(slog.NewJSONHandler(s.Log, nil))}
}

// Query runs an operation as admin and returns the member rows of its data.
func (s *Services) Query(query string, variables map[string]any) []users.Stored {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		s.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/v1/graphql", bytes.NewReader(body))
	r.Header.Set("X-Hasura-Admin-Secret", secret)
	recorder := httptest.NewRecorder()
	s.engine.ServeHTTP(recorder, r)
	var answer struct {
		Data   map[string]json.RawMessage
		Errors []any
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil || len(answer.Errors) > 0 {
		s.t.Fatalf("%s: %s", query, recorder.Body)
	}
	var rows []users.Stored
	if raw, ok := answer.Data["rows"]; ok {
		if err := json.Unmarshal(raw, &rows); err != nil {
			s.t.Fatal(err)
		}
	}
	return rows
}

// Rows returns all rows, by key.
func (s *Services) Rows() map[string]users.Stored {
	s.t.Helper()
	all := make(map[string]users.Stored)
	fields := []string{users.Description.Enabled, users.Description.DeletedAt, "updated_at"}
	for _, c := range users.Description.Columns {
		fields = append(fields, c.Name)
	}
	for _, row := range s.Query(fmt.Sprintf(`{ rows: %s { %s } }`, graphql.Users.Select, strings.Join(fields, " ")), nil) {
		all[row.Text(users.Description.Key)] = row
	}
	return all
}

// Insert inserts rows as admin.
func (s *Services) Insert(rows ...map[string]any) {
	s.t.Helper()
	n := graphql.Users
	s.Query(fmt.Sprintf(`mutation ($rows: [%s!]!) { %s(objects: $rows) { %s } }`, n.Input, n.InsertMany, n.AffectedRows), map[string]any{"rows": rows})
}

// Age sets the time of the last sync of all rows that have one to ten minutes ago, or of
// the rows with the given subs.
func (s *Services) Age(subs ...string) {
	s.t.Helper()
	s.SetSynced(time.Now().Add(-10*time.Minute), subs...)
}

// SetSynced sets the time of the last sync in the rows of users; without subs, in every row
// that has one.
func (s *Services) SetSynced(at time.Time, subs ...string) {
	s.t.Helper()
	where := map[string]any{"synced_at": map[string]any{"_is_null": false}}
	if len(subs) > 0 {
		where["id"] = map[string]any{"_in": subs}
	}
	n := graphql.Users
	s.Query(fmt.Sprintf(`mutation ($where: %s!, $set: %s!) { %s(where: $where, _set: $set) { %s } }`, n.Condition, n.Set, n.Update, n.AffectedRows),
		map[string]any{"where": where, "set": map[string]any{"synced_at": at.UTC()}})
}

// Differences says where the table is not equal to the pool: it returns a line for each
// user whose row is missing or different, or marked.
func (s *Services) Differences(pooled map[string]cognitoidp.User) (lines []string) {
	s.t.Helper()
	rows := s.Rows()
	for _, sub := range slices.Sorted(maps.Keys(pooled)) {
		u := pooled[sub]
		if u.Status == "UNCONFIRMED" {
			continue
		}
		user := poolUser(u)
		row, _, err := users.Description.Mirror(users.Sync{User: user.User, At: time.Now()}, user.Enabled)
		if err != nil {
			s.t.Fatal(err)
		}
		if stored, ok := rows[sub]; !ok {
			lines = append(lines, sub+" has no row")
		} else if columns := users.Description.Differences(row, stored); len(columns) > 0 {
			lines = append(lines, fmt.Sprintf("%s differs in %q", sub, columns))
		}
	}
	return lines
}

func poolUser(u cognitoidp.User) pool.User {
	p := pool.User{Enabled: u.Enabled}
	p.ID, p.Username, p.Attributes = u.Attributes["sub"], u.Username, maps.Clone(u.Attributes)
	p.Attributes["cognito:user_status"] = u.Status
	return p
}
