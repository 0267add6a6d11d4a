package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/hasura"
)

func TestCheckTable(t *testing.T) {
	const secret = "canary-admin-secret"
	project := os.DirFS("../../graphql")
	database, err := hasura.Open(t.Context(), project, "")
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	engine, err := hasura.New(hasura.Config{Project: project, Database: database, AdminSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(engine)
	defer server.Close()
	dir := t.TempDir()
	printed, secretFile := filepath.Join(dir, "schema.graphql"), filepath.Join(dir, "secret")
	if err := os.WriteFile(secretFile, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name       string
		args       []string
		stdin, env string
		code       int
		says       string // on standard output or error
	}{
		{"the secret in a file", []string{"--hasura", server.URL, "--admin-secret-file", secretFile}, "", "", 0, "the role cognito_sync can write every column"},
		{"the secret on standard input", []string{"--hasura", server.URL, "--admin-secret-file", "-", "--role", ""}, secret, "", 0, "admin can write every column"},
		{"the secret in the environment", []string{"--hasura", server.URL, "--print-schema", printed}, "", secret, 0, "none beside the key"},
		{"JSON", []string{"--hasura", server.URL, "--json"}, "", secret, 0, `"check": "NOT NULL columns"`},
		{"another secret", []string{"--hasura", server.URL}, "", "canary-other", 1, "access-denied"},
		{"another secret, and a schema to print", []string{"--hasura", server.URL, "--print-schema", filepath.Join(dir, "none")}, "", "canary-other", 2, "print the schema: Hasura answers access-denied"},
		{"a role without permissions", []string{"--hasura", server.URL, "--role", "nobody"}, "", secret, 1, "the role nobody lacks"},
		{"no Hasura", []string{"--hasura", "http://127.0.0.1:9"}, "", secret, 1, "127.0.0.1:9 does not answer"},
		{"no URL", nil, "", secret, 2, "--hasura: missing"},
		{"an invalid URL", []string{"--hasura", "ftp://x"}, "", secret, 2, "--hasura: "},
		{"no secret", []string{"--hasura", server.URL}, "", "", 2, "no admin secret"},
		{"no file", []string{"--hasura", server.URL, "--admin-secret-file", filepath.Join(dir, "no")}, "", "", 2, "no such file"},
	}
	for _, row := range rows {
		t.Setenv("HASURA_GRAPHQL_ADMIN_SECRET", row.env)
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"check-table"}, row.args...), streams{strings.NewReader(row.stdin), &out, &errs})
		all := out.String() + errs.String()
		if code != row.code || !strings.Contains(all, row.says) || strings.Contains(all, "canary") {
			t.Errorf("%s: exit code %d, want %d and %q in\n%s", row.name, code, row.code, row.says, all)
		}
	}
	got, err := os.ReadFile(printed)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../graphql/schema.graphql")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the printed schema is not graphql/schema.graphql (%v):\n%s", err, got)
	}
}
