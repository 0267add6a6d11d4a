package hasura

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

const secret = "the admin secret"

// projectFS is the project of the tests, and shippedFS that of the repository, which may have another table.
var (
	projectFS = os.DirFS("testdata/project")
	shippedFS = os.DirFS("../../graphql")
)

// The tests run on SQLite. If DATABASE_URL names a PostgreSQL server, they also run there,
// in databases that they create.
func TestMain(m *testing.M) {
	if postgresServer() == "" {
		fmt.Println("local/hasura: DATABASE_URL is not set, so the tests run on SQLite only")
	}
	os.Exit(m.Run())
}

func postgresServer() string { return os.Getenv("DATABASE_URL") }

// onEach runs a test on each database.
func onEach(t *testing.T, test func(t *testing.T, db *Database)) {
	t.Run("SQLite", func(t *testing.T) { test(t, open(t, "")) })
	if server := postgresServer(); server != "" {
		t.Run("PostgreSQL", func(t *testing.T) { test(t, open(t, newPostgres(t, server))) })
	}
}

func open(t *testing.T, databaseURL string) *Database {
	t.Helper()
	db, err := Open(t.Context(), projectFS, databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// newPostgres creates a database for the time of the test.
func newPostgres(t *testing.T, server string) string {
	t.Helper()
	ctx := context.Background() // t.Context is done before the cleanup
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("hasura_cognito_test_%d", rand.Uint32())
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		conn.Close(ctx)
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func serve(t *testing.T, config Config) *Server {
	t.Helper()
	config.Project = projectFS
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The headers of requests.
var (
	asAdmin = http.Header{"X-Hasura-Admin-Secret": {secret}}
	asSync  = as("cognito_sync", ada)
	asUser  = as("user", ada)
)

// as returns headers as the sync function sends them: the admin secret, a role and a user id.
func as(role, user string) http.Header {
	return http.Header{
		"X-Hasura-Admin-Secret":                 {secret},
		"X-Hasura-Role":                         {role},
		"X-Hasura-User-Id":                      {user},
		"X-Hasura-Use-Backend-Only-Permissions": {"true"},
	}
}

func without(header http.Header, names ...string) http.Header {
	header = header.Clone()
	for _, name := range names {
		header.Del(name)
	}
	return header
}

// post sends a GraphQL request and returns status and body.
func post(t *testing.T, s http.Handler, header http.Header, query string, variables any) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return postBody(s, header, string(body))
}

func postBody(s http.Handler, header http.Header, body string) (int, string) {
	req := httptest.NewRequest(http.MethodPost, "/v1/graphql", bytes.NewBufferString(body))
	req.Header = header.Clone()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return bytes.Equal(p, q)
}
