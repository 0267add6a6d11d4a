package stack

import (
	"context"
	"database/sql"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
)

var project = os.DirFS("../../graphql")

func TestFunctionFor(t *testing.T) {
	rows := []struct{ name, file, event, want string }{
		{"token generation by its source", "x.json", `{"triggerSource":"TokenGeneration_RefreshTokens"}`, functions.Claims},
		{"post confirmation by its source", "x.json", `{"triggerSource":"PostConfirmation_ConfirmForgotPassword"}`, functions.Sync},
		{"post authentication by its source", "x.json", `{"triggerSource":"PostAuthentication_Authentication"}`, functions.Sync},
		{"the source wins over the file name", "pre-token-generation-x.json", `{"triggerSource":"PostAuthentication_Authentication"}`, functions.Sync},
		{"a test event by its file name", "pre-token-generation-test.json", `{"triggerSource":"testTrigger"}`, functions.Claims},
		{"an invalid event by its file name", "pre-token-generation-test.json", `[]`, functions.Claims},
		{"any other event", "post-authentication-test.json", `{}`, functions.Sync},
	}
	for _, row := range rows {
		if got := FunctionFor(row.file, []byte(row.event)); got != row.want {
			t.Errorf("%s: function = %s, want %s", row.name, got, row.want)
		}
	}
}

func TestLog(t *testing.T) {
	l := new(Log)
	write := func(line string) {
		if _, err := l.Write([]byte(line + "\n")); err != nil {
			t.Error(err)
		}
	}
	write(`{"level":"WARN","message":"attributes dropped","requestId":"1","columns":["name"]}`)
	write(`panic: a trace`)
	got := make(chan []Line)
	go func() {
		got <- l.Wait(t.Context(), func(lines []Line) bool { return slices.ContainsFunc(lines, Line.Outcome) })
	}()
	write(`{"level":"INFO","message":"synced","requestId":"1"}`)
	lines := <-got
	if len(lines) != 3 || lines[0].Columns[0] != "name" || lines[1].Message != "" || lines[1].Text != "panic: a trace" || lines[2].RequestID != "1" {
		t.Errorf("lines = %+v, want those that were written", lines)
	}
	ended, end := context.WithTimeout(t.Context(), time.Millisecond)
	defer end()
	if lines := l.Wait(ended, func([]Line) bool { return false }); len(lines) != 3 {
		t.Errorf("after the time has ended there are %d lines, want 3", len(lines))
	}
}

func TestFaults(t *testing.T) {
	var calls atomic.Int64
	f, err := NewFront(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		_, _ = io.Copy(w, r.Body)
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := []struct {
		name  string
		fault Fault
		want  []string // of two requests: the status and the body, or a part of the error
		calls int64
	}{
		{"none", Fault{}, []string{"200 ping", "200 ping"}, 2},
		{"refuse", Refuse, []string{"refused", "refused"}, 0},
		{"recovered", Fault{}, []string{"200 ping", "200 ping"}, 2},
		{"hang", Hang, []string{"deadline", "deadline"}, 0},
		{"hang after headers", HangAfterHeaders, []string{"deadline", "deadline"}, 0},
		{"half a body", HalfBody, []string{"reset", "reset"}, 0},
		{"lost answers", LoseAnswers, []string{"deadline", "deadline"}, 2},
		{"a status", Status(503, "down"), []string{"503 down", "503 down"}, 0},
		{"a redirect", Redirect("http://elsewhere.invalid"), []string{"301 ", "301 "}, 0},
		{"slow", Slow(time.Millisecond), []string{"200 ping", "200 ping"}, 2},
		{"once", Once(Status(404, "")), []string{"404 ", "200 ping"}, 1},
		{"of some requests", If(Status(500, ""), func(_ *http.Request, body []byte) bool { return string(body) == "pong" }), []string{"200 ping", "200 ping"}, 2},
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(limit time.Duration) string {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL, strings.NewReader("ping"))
		if err != nil {
			return err.Error()
		}
		response, err := client.Do(r)
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return err.Error()
		}
		return response.Status[:4] + string(body)
	}
	for _, row := range rows {
		calls.Store(0)
		if err := f.Set(row.fault); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		for i, want := range row.want {
			limit := 30 * time.Second
			if want == "deadline" {
				limit = 300 * time.Millisecond
			}
			if got := ask(limit); got != want && !strings.Contains(got, want) {
				t.Errorf("%s: request %d ends with %q, want %q", row.name, i+1, got, want)
			}
		}
		if got := calls.Load(); got != row.calls {
			t.Errorf("%s: the service got %d requests, want %d", row.name, got, row.calls)
		}
	}
}

func TestStartErrors(t *testing.T) {
	rows := []struct {
		name   string
		config Config
		want   string
	}{
		{"no project", Config{Project: os.DirFS(t.TempDir())}, "start Hasura: "},
		{"a database URL of no scheme", Config{Project: project, DatabaseURL: "nonsense"}, "DATABASE_URL: not the URL of a PostgreSQL database"},
		{"a database URL of another scheme", Config{Project: project, DatabaseURL: "mysql://canary@localhost/app"}, "DATABASE_URL: not the URL of a PostgreSQL database"},
	}
	for _, row := range rows {
		_, err := Start(t.Context(), row.config)
		if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error = %v, want %q", row.name, err, row.want)
		}
	}
	if _, err := os.Stat("nonsense"); err == nil {
		t.Error("a file named nonsense was created")
	}
}

// make e2e runs this with DATABASE_URL, the URL of a PostgreSQL database that is empty.
func TestTablesThatDoNotFit(t *testing.T) {
	url := os.Getenv("DATABASE_URL")
	if url == "" {
		t.Log("DATABASE_URL is not set, and SQLite has no tables of other people")
		return
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(statement string) {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	try := func() error {
		s, err := Start(t.Context(), Config{Project: project, DatabaseURL: url}) // creates the table
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return s.TryTable(t.Context())
	}
	rows := []struct{ name, change, want string }{
		{"our own table", "ADD COLUMN points integer", ""},
		{"no email", "DROP COLUMN email", `column "email" of relation "users" does not exist`},
		{"an e-mail of another type", "ALTER COLUMN email TYPE boolean USING false", `column "email" is of type boolean`},
		{"a required column", "ADD COLUMN tenant uuid NOT NULL", `null value in column "tenant"`},
		{"a required e-mail", "ALTER COLUMN email SET NOT NULL", `null value in column "email"`},
		{"no primary key", "DROP CONSTRAINT users_pkey", `constraint "users_pkey" for table "users" does not exist`},
	}
	for _, row := range rows {
		exec("DROP TABLE IF EXISTS public.users")
		if err := try(); err != nil {
			t.Fatal(err)
		}
		exec("ALTER TABLE public.users " + row.change)
		got := ""
		if err := try(); err != nil {
			got = err.Error()
		}
		if row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%s: error = %q, want %q", row.name, got, row.want)
		}
	}
	exec("DROP TABLE public.users")
}
