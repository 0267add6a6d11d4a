package main

import (
	"os"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

func skipWithoutCrowd(t *testing.T) {
	t.Helper()
	if crowdRows() == nil {
		t.Skip("there are no rows about reconcile and follow with this users table")
	}
}

// What no moment may show must be found.
func TestMoment(t *testing.T) {
	skipWithoutCrowd(t)
	rows := []struct {
		name    string
		row     stack.Row
		signed  map[string]int
		deleted map[string]bool
		want    string
	}{
		{"a row", stack.Row{"id": "1", "email": "canary-1-2@example.com"}, map[string]int{"1": 2}, nil, ""},
		{"a newer row", stack.Row{"id": "1", "email": "canary-1-3@example.com"}, map[string]int{"1": 2}, nil, ""},
		{"the marked row of a deleted user", stack.Row{"id": "1", "deleted_at": "now"}, map[string]int{"1": 2}, map[string]bool{"1": true}, ""},
		{"the marked row of another user", stack.Row{"id": "1", "deleted_at": "now"}, nil, map[string]bool{"2": true}, "the row of a user of the pool was marked: 1"},
		{"an older row", stack.Row{"id": "1", "email": "canary-1-1@example.com"}, map[string]int{"1": 2}, nil, "a row got values from before the last sign-in: 1"},
		{"an emptied row", stack.Row{"id": "1", "email": nil}, map[string]int{"1": 1}, nil, "a row got values from before the last sign-in: 1"},
	}
	for _, row := range rows {
		if got := strings.Join(moment([]stack.Row{row.row}, row.signed, row.deleted), "; "); got != row.want {
			t.Errorf("%s: wrong = %q, want %q", row.name, got, row.want)
		}
	}
}

// Each difference between pool and table must be found in the end.
func TestSettled(t *testing.T) {
	skipWithoutCrowd(t)
	t.Chdir("../..")
	const jane, gone, foreign = "140000a1-40a1-70d6-b2e9-0000000000a1", "240000a2-40a1-70d6-b2e9-0000000000a2", "340000a3-40a1-70d6-b2e9-0000000000a3"
	rows := []struct{ name, change, call, want string }{
		{"nothing differs", "", "", ""},
		{"a row is missing", "DELETE FROM users WHERE id = '" + jane + "'", "", "a user has no row: " + jane},
		{"a value differs", "UPDATE users SET email = 'canary-1-0@example.com' WHERE id = '" + jane + "'", "", "a row differs from the pool in email: " + jane},
		{"a value is too many", "UPDATE users SET picture = 'x' WHERE id = '" + jane + "'", "", "a row differs from the pool in picture: " + jane},
		{"a user counts as disabled", "UPDATE users SET enabled = false WHERE id = '" + jane + "'", "", "a row differs from the pool in enabled: " + jane},
		{"the attributes differ", "UPDATE users SET attributes = '{}' WHERE id = '" + jane + "'", "", "a row differs from the pool in attributes: " + jane},
		{"a user of the pool is marked", "UPDATE users SET deleted_at = synced_at WHERE id = '" + jane + "'", "", "a row differs from the pool in deleted_at: " + jane},
		{"a deleted user is not marked", "UPDATE users SET deleted_at = NULL WHERE id = '" + gone + "'", "", "the row of a deleted user is not marked: " + gone},
		{"a foreign row is changed", "UPDATE users SET deleted_at = '2026-11-28T00:00:00.000000+00:00' WHERE id = '" + foreign + "'", "", "a row that never came from Cognito was changed: " + foreign},
		{"a foreign row is deleted", "DELETE FROM users WHERE id = '" + foreign + "'", "", "a row that never came from Cognito was changed: " + foreign},
		{"a row too many", "INSERT INTO users (id) VALUES ('440000a4-40a1-70d6-b2e9-0000000000a4')", "", "a row belongs to no user: 440000a4"},
		{"a billed call", "", "AdminGetUser", "AdminGetUser was called"},
	}
	services, err := stack.Start(t.Context(), stack.Config{Functions: t.TempDir(), Project: os.DirFS("graphql")})
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	_, name, _ := strings.Cut(services.Table(), ".") // SQLite has no schemas
	exec := func(statement string) {
		t.Helper()
		statement = strings.Replace(statement, " users", " "+name, 1)
		if _, err := services.Database.SQL.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	services.UserPool.Users.Put(cognitoidp.User{Username: "canary-1", Status: cognitoidp.Confirmed, Enabled: true, Attributes: map[string]string{
		"sub": jane, "email": "canary-1-1@example.com", "email_verified": "true", "custom:plan": "pro"}})
	for _, row := range rows {
		exec("DELETE FROM users")
		exec(`INSERT INTO users (id, username, status, enabled, email, email_verified, attributes, synced_at, deleted_at) VALUES
			('` + jane + `', 'canary-1', 'CONFIRMED', true, 'canary-1-1@example.com', true, '{"plan":"pro"}', '2026-11-28T00:00:00.000000+00:00', NULL),
			('` + gone + `', 'canary-2', 'CONFIRMED', true, NULL, NULL, '{}', '2026-11-28T00:00:00.000000+00:00', '2026-11-28T00:00:00.000000+00:00'),
			('` + foreign + `', NULL, NULL, NULL, 'foreign@example.com', NULL, '{}', NULL, NULL)`)
		all, err := services.Everyone(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c := &crowd{Stack: services, deleted: map[string]bool{gone: true}, foreign: all[2:]}
		if row.change != "" {
			exec(row.change)
		}
		if row.call != "" {
			if _, err := c.UserPool.Do(t.Context(), row.call, cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": "canary-1"}); err != nil {
				t.Fatal(err)
			}
		}
		got := strings.Join(c.settled(t.Context()), "; ")
		if row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%s: wrong = %q, want %q", row.name, got, row.want)
		}
	}
}
