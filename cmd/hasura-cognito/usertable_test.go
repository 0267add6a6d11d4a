package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/awstest"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/usertable"
	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/reconciletest"
)

// startTable serves a pool, Hasura, and an account with the sync function.
func startTable(t *testing.T) *reconciletest.Services {
	t.Helper()
	services := reconciletest.Start(t, "../../graphql", "")
	services.Cognito.Pool["EstimatedNumberOfUsers"], services.Cognito.Pool["LambdaConfig"] = 3, awstest.Object{"PostAuthentication": syncFunction}
	variables := awstest.Object{"GRAPHQL_DOMAIN": services.URL, "SECRETS_ARN": services.SecretARN}
	a := &awstest.Account{Cognito: services.Cognito, Functions: map[string]awstest.Object{syncFunction: {"Environment": awstest.Object{"Variables": variables}}}}
	a.Start(t)
	return services
}

func reconcileOnce(t *testing.T, want int, args ...string) (r usertable.Result) {
	t.Helper()
	code, stdout, stderr := command(t, append([]string{"reconcile", "--user-pool-id", pool, "--rate", "30", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != want || strings.Contains(stdout+stderr, "example.com") {
		t.Fatalf("%q: got exit code %d, want %d, and no values:\n%s%s", args, code, want, stdout, stderr)
	}
	return r
}

func TestReconcile(t *testing.T) {
	services := startTable(t)
	services.Users.Put(reconciletest.User(0, 0), reconciletest.User(1, 1), reconciletest.User(2, 2))
	r := reconcileOnce(t, found)
	if fmt.Sprint(r.Counts) != "map[inserted:3]" || !r.DryRun || !r.Complete || r.InPool != 3 || r.InTable != 0 || len(services.Rows()) != 0 {
		t.Errorf("a dry run: got %+v and %d rows", r, len(services.Rows()))
	}
	if r = reconcileOnce(t, ok, "--apply"); r.Counts["inserted"] != 3 || r.InTable != 3 || len(services.Rows()) != 3 {
		t.Errorf("the first run: got %+v", r)
	}
	if r = reconcileOnce(t, ok, "--apply"); fmt.Sprint(r.Counts) != "map[same:3]" {
		t.Errorf("the second run: got %+v", r)
	}
	services.Age()
	services.Users.Put(reconciletest.User(0, 3), reconciletest.User(9, 1)) // edited, imported
	services.Users.Delete(reconciletest.Sub(2))
	code, text, _ := command(t, "reconcile", "--pool", pool, "--rate", "30", "--on-delete", "mark")
	for _, part := range []string{"Dry run: nothing was written.\n", "to insert            1  each insert fires all insert event triggers", "attributes 1, email 1, name 1", "to mark              1", "  " + reconciletest.Sub(0) + "  to update  email, name, attributes\n", "--apply writes this"} {
		if !strings.Contains(text, part) {
			t.Errorf("the report lacks %q:\n%s", part, text)
		}
	}
	if code != found || strings.Contains(text, "example.com") {
		t.Errorf("got exit code %d:\n%s", code, text)
	}
	if r = reconcileOnce(t, ok, "--apply", "--only-missing"); fmt.Sprint(r.Counts) != "map[inserted:1 same:2]" {
		t.Errorf("only missing: got %+v", r)
	}
}

func TestReconcileOnePart(t *testing.T) {
	services := startTable(t)
	want := 0
	for n := range 40 {
		services.Users.Put(reconciletest.User(n, n))
		if strings.HasPrefix(reconciletest.Sub(n), "3") {
			want++
		}
	}
	if r := reconcileOnce(t, ok, "--apply", "--prefix", "3"); r.Counts["inserted"] != want || want == 0 || len(services.Rows()) != want {
		t.Errorf("got %+v and %d rows, want %d", r, len(services.Rows()), want)
	}
}

// All parts of a large pool run with one rate, and together they are the pool. A part that fails is named, and the others end.
func TestReconcileParts(t *testing.T) {
	services := startTable(t)
	services.Cognito.Pool["EstimatedNumberOfUsers"] = 300_000
	for n := range 40 {
		services.Users.Put(reconciletest.User(n, n))
	}
	first := reconciletest.Sub(0)[:1]
	handle := func(rw http.ResponseWriter, body []byte) bool {
		if !strings.Contains(string(body), "upsertUsers") || !strings.Contains(string(body), reconciletest.Sub(0)) {
			return false
		}
		fmt.Fprint(rw, `{"errors":[{"extensions":{"code":"permission-denied"}}]}`)
		return true
	}
	services.Hasura.Store(&handle)
	r := reconcileOnce(t, invalid, "--apply")
	if r.Complete || len(r.Failed) != 1 || r.Failed[0].Prefix != first || len(services.Rows()) < 20 {
		t.Errorf("got %+v and %d rows, want one failed part, %s", r, len(services.Rows()), first)
	}
	services.Hasura.Store(nil)
	if r = reconcileOnce(t, ok, "--apply"); len(services.Rows()) != 40 || r.Counts["inserted"] == 40 {
		t.Errorf("the same command: got %+v and %d rows, want 40", r, len(services.Rows()))
	}
}

func TestReconcileInterrupted(t *testing.T) {
	services := startTable(t)
	for n := range 10 {
		services.Users.Put(reconciletest.User(n, n))
	}
	ctx, cancel := context.WithCancel(t.Context())
	services.Cognito.Intercept = func(operation string) string {
		if operation == "ListUsers" {
			cancel()
		}
		return ""
	}
	var out, stderr strings.Builder
	code := run(ctx, []string{"reconcile", "--pool", pool, "--apply"}, streams{strings.NewReader(""), &out, &stderr})
	if code != invalid || !strings.Contains(out.String(), "Interrupted. The same command goes on") {
		t.Errorf("got exit code %d:\n%s%s", code, &out, &stderr)
	}
	services.Cognito.Intercept = nil
	if reconcileOnce(t, ok, "--apply"); len(services.Rows()) != 10 {
		t.Errorf("afterwards there are %d rows, want 10", len(services.Rows()))
	}
}

func TestReconcileWithoutRights(t *testing.T) {
	services := startTable(t)
	services.Users.Put(reconciletest.User(0, 0))
	services.Cognito.Intercept = func(operation string) string {
		if operation == "ListUsers" {
			return "AccessDeniedException"
		}
		return ""
	}
	r := reconcileOnce(t, invalid, "--apply")
	if r.Complete || len(r.Failed) != 1 || !strings.Contains(r.Failed[0].Error, "need cognito-idp:ListUsers") {
		t.Errorf("got %+v", r)
	}
}

// With both variables, the sync function is not read.
func TestHasuraFromTheEnvironment(t *testing.T) {
	services := startTable(t)
	services.Cognito.Pool["LambdaConfig"] = nil
	if code, _, stderr := command(t, "reconcile", "--pool", pool); code != invalid || !strings.Contains(stderr, "not on the pool's triggers") {
		t.Errorf("got exit code %d: %s", code, stderr)
	}
	t.Setenv("GRAPHQL_DOMAIN", services.URL)
	t.Setenv("SECRETS_ARN", services.SecretARN)
	t.Setenv("RECONCILE_HASURA_ROLE", reconciletest.Role)
	if code, _, stderr := command(t, "reconcile", "--pool", pool); code != ok || !strings.Contains(stderr, "role "+reconciletest.Role) {
		t.Errorf("got exit code %d: %s", code, stderr)
	}
}

func TestReconcileUsage(t *testing.T) {
	startTable(t)
	rows := []struct {
		args []string
		want string
	}{
		{[]string{"--on-delete", "delete"}, "--on-delete"},
		{[]string{"--max-gone", "5"}, "--max-gone"},
		{[]string{"--prefix", "3g"}, "--prefix"},
		{[]string{"--rate", "31"}, "--rate 31"},
		{[]string{"--rate", "NaN"}, "--rate NaN"},
		{[]string{"--values"}, "only on a terminal"},
	}
	for _, row := range rows {
		if code, _, stderr := command(t, append([]string{"reconcile", "--pool", pool}, row.args...)...); code != invalid || !strings.Contains(stderr, row.want) {
			t.Errorf("%q: got exit code %d: %s", row.args, code, stderr)
		}
	}
}

func TestUser(t *testing.T) {
	services := startTable(t)
	jane := reconciletest.User(1, 1)
	sub, mail := reconciletest.Sub(1), jane.Attributes["email"]
	services.Users.Put(jane)
	user := func(want int, says string, args ...string) string {
		t.Helper()
		code, stdout, stderr := command(t, append([]string{"user", args[0], "--pool", pool}, args[1:]...)...)
		if code != want || !strings.Contains(stdout+stderr, says) {
			t.Errorf("%q: got exit code %d, want %d and %q:\n%s%s", args, code, want, says, stdout, stderr)
		}
		return stdout + stderr
	}
	user(found, "in the pool; no row", "show", sub)
	user(ok, sub+": inserted", "sync", mail)
	if text := user(ok, "email                  same", "show", mail); strings.Contains(text, "Jane") {
		t.Errorf("values are shown:\n%s", text)
	}
	var v usertable.View
	if err := json.Unmarshal([]byte(user(ok, "", "show", sub, "--json", "--values")), &v); err != nil || !v.InPool || !v.InTable ||
		!slices.ContainsFunc(v.Columns, func(c usertable.Cell) bool { return string(c.Row) == `"Jane Doe"` && string(c.Pool) == `"Jane Doe"` }) {
		t.Errorf("got %v, %+v", err, v)
	}
	n := graphql.Users
	services.Query(fmt.Sprintf(`mutation { %s(where: {}, _set: {deleted_at: "2026-01-01T00:00:00Z"}) { %s } }`, n.Update, n.AffectedRows), nil)
	user(found, "marked as deleted", "show", sub) // and is in the pool
	services.Query(fmt.Sprintf(`mutation { %s(where: {}, _set: {deleted_at: null}) { %s } }`, n.Update, n.AffectedRows), nil)
	user(ok, sub+": ", "sync", sub)
	user(found, "still in the pool", "erase", sub, "--yes")
	user(invalid, "neither a sub nor an e-mail address", "show", "jane")
	user(found, "no user in the pool and no row", "show", "nobody@example.com")
	user(found, "neither in the pool nor in the table", "show", reconciletest.Sub(50))
	user(invalid, "name one user, by the sub or by the e-mail address", "show")

	twin := reconciletest.User(2, 1)
	twin.Attributes["email"] = mail
	services.Users.Put(twin)
	if text := user(found, "2 users have this e-mail address", "sync", mail); !strings.Contains(text, sub) || !strings.Contains(text, reconciletest.Sub(2)) || strings.Contains(text, mail) {
		t.Errorf("the subs are not listed:\n%s", text)
	}

	services.Users.Delete(sub)
	services.Users.Delete(reconciletest.Sub(2))
	user(found, "the user is not in the pool", "sync", sub)
	user(found, "last five minutes", "erase", mail, "--yes")
	services.Age()
	user(found, "the answer was not yes", "erase", mail)
	if row := services.Rows()[sub]; row.Text("email") != mail || !row.Time("deleted_at").IsZero() {
		t.Errorf("the row has changed: %s", row)
	}
}
