package hasura

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestRoutes(t *testing.T) {
	db := open(t, "")
	s := serve(t, Config{Database: db, AdminSecret: secret})
	gone := open(t, "")
	gone.Close()
	down := serve(t, Config{Database: gone})

	const missing = `{"path":"$","error":"resource does not exist","code":"not-found"}`
	rows := []struct {
		server *Server
		method string
		path   string
		status int
		want   string
	}{
		{s, "GET", "/healthz", 200, "OK"},
		{down, "GET", "/healthz", 500, "ERROR"},
		{s, "POST", "/graphql", 404, missing},
		{s, "GET", "/", 404, missing},
		{s, "DELETE", "/v1/graphql", 404, missing},
	}
	for _, row := range rows {
		w := httptest.NewRecorder()
		row.server.ServeHTTP(w, httptest.NewRequest(row.method, row.path, nil))
		if got := w.Body.String(); w.Code != row.status || got != row.want && !sameJSON(got, row.want) {
			t.Errorf("%s %s: %d %s, want %d %s", row.method, row.path, w.Code, got, row.status, row.want)
		}
	}
}

func TestBodies(t *testing.T) {
	s := serve(t, Config{Database: open(t, ""), AdminSecret: secret})
	rows := []struct{ name, body, code string }{
		{"not JSON", `{`, invalidJSON},
		{"nothing", ``, invalidJSON},
		{"a list", `[]`, parseFailed},
		{"no query", `{}`, parseFailed},
		{"an unknown operation", `{"query":"query a { __typename }","operationName":"b"}`, validationFailed},
	}
	for _, row := range rows {
		status, got := postBody(s, asAdmin, row.body)
		if status != 200 || code(t, got) != row.code {
			t.Errorf("%s: %d %s, want code %s", row.name, status, got, row.code)
		}
	}
	_, got := postBody(s, asAdmin, `{"query":"query a { __typename } query b { b: __typename }","operationName":"b"}`)
	if want := `{"data":{"b":"query_root"}}`; !sameJSON(got, want) {
		t.Errorf("the operation by name: %s, want %s", got, want)
	}
}

func code(t *testing.T, body string) string {
	t.Helper()
	var answer struct {
		Errors []struct {
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Errors) != 1 {
		t.Fatalf("%s: want one error", body)
	}
	return answer.Errors[0].Extensions.Code
}

// Only the role admin sees the SQL and its arguments if a statement fails with an unexpected
// error.
func TestInternalErrorsAreForAdmin(t *testing.T) {
	const query = `mutation($users: [users_insert_input!]!) { insert_users(objects: $users, on_conflict: {constraint: users_pkey, update_columns: [email]}) { affected_rows } }`
	users := json.RawMessage(`{"users":[` + user(ada, `"email":"canary"`) + "," + user(ada, "") + `]}`)
	onEach(t, func(t *testing.T, db *Database) {
		s := serve(t, Config{Database: db, AdminSecret: secret})
		for name, header := range map[string]http.Header{"admin": asAdmin, "cognito_sync": asSync} {
			_, got := post(t, s, header, query, users)
			var answer struct {
				Errors []struct {
					Message    string
					Extensions struct {
						Code, Path string
						Internal   *struct {
							Error struct {
								Status string `json:"status_code"`
							}
							Arguments []string
						}
					}
				}
			}
			if err := json.Unmarshal([]byte(got), &answer); err != nil || len(answer.Errors) != 1 {
				t.Fatalf("%s: %s", name, got)
			}
			e := answer.Errors[0]
			if e.Message != "database query error" || e.Extensions.Code != unexpected {
				t.Errorf("%s: %s", name, got)
			}
			if internal := e.Extensions.Internal; name == "admin" && (internal == nil || internal.Error.Status != "21000" || !strings.Contains(strings.Join(internal.Arguments, ""), "canary")) {
				t.Errorf("admin: %s, want internal with SQLSTATE 21000 and the arguments", got)
			} else if name != "admin" && (internal != nil || strings.Contains(got, "canary")) {
				t.Errorf("%s sees internal: %s", name, got)
			}
		}
	})
}

func TestDatabaseIsGone(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		s := serve(t, Config{Database: db, AdminSecret: secret})
		db.Close()
		for _, header := range []http.Header{asAdmin, asSync} {
			for _, query := range []string{`mutation { insert_users_one(object: {id: "` + ada + `"}) { id } }`, `{ users { id } }`} {
				status, got := post(t, s, header, query, nil)
				if status != 200 || code(t, got) != postgresError || !strings.Contains(got, "connection error") {
					t.Errorf("%s: %d %s, want postgres-error", query, status, got)
				}
			}
		}
	})
}

func TestTableIsGone(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		s := serve(t, Config{Database: db, AdminSecret: secret})
		if _, err := db.SQL.Exec("DROP TABLE " + db.dialect.tableName(s.tables[0])); err != nil {
			t.Fatal(err)
		}
		_, got := post(t, s, asAdmin, `{ users { id } }`, nil)
		if code(t, got) != unexpected || !strings.Contains(got, "42P01") {
			t.Errorf("%s, want unexpected with SQLSTATE 42P01", got)
		}
	})
}

// Three copies of the events of many users arrive at once.
func TestConcurrentUpserts(t *testing.T) {
	const users, copies = 100, 3
	onEach(t, func(t *testing.T, db *Database) {
		s := serve(t, Config{Database: db, AdminSecret: secret})
		var group sync.WaitGroup
		for i := range users * copies {
			group.Go(func() {
				id := fmt.Sprintf("00000000-0000-4000-8000-%012d", i%users)
				vars := variables(user(id, `"synced_at":"`+noon+`"`), `["synced_at"]`, noon)
				if status, got := post(t, s, as("cognito_sync", id), upsert, json.RawMessage(vars)); status != 200 || strings.Contains(got, "errors") {
					t.Errorf("%s: %d %s", id, status, got)
				}
			})
		}
		group.Wait()
		var got int
		if err := db.SQL.QueryRow("SELECT count(*) FROM users").Scan(&got); err != nil || got != users {
			t.Errorf("%d rows, error %v, want %d rows", got, err, users)
		}
	})
}

func TestSetAdminSecretUnderLoad(t *testing.T) {
	s := serve(t, Config{Database: open(t, ""), AdminSecret: "0"})
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() { s.SetAdminSecret(fmt.Sprint(i)) })
		group.Go(func() {
			_, got := post(t, s, http.Header{"X-Hasura-Admin-Secret": {fmt.Sprint(i)}}, `{ __typename }`, nil)
			if !strings.Contains(got, "query_root") && !strings.Contains(got, accessDenied) {
				t.Errorf("during the rotation: %s", got)
			}
		})
	}
	group.Wait()
	s.SetAdminSecret("new")
	for given, want := range map[string]string{"new": "query_root", "0": accessDenied} {
		if _, got := post(t, s, http.Header{"X-Hasura-Admin-Secret": {given}}, `{ __typename }`, nil); !strings.Contains(got, want) {
			t.Errorf("secret %q: %s, want %s", given, got, want)
		}
	}
}
