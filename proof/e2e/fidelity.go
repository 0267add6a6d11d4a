package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

// fidelity runs the local Hasura's own tests, SQLite and PostgreSQL side by side.
func (m *machine) fidelity(ctx context.Context) (string, error) {
	url, err := m.postgres.database(ctx, "fidelity")
	if err != nil {
		return "", err
	}
	cmd := m.command(ctx, "go", "test", "-count=1", "-v", "./local/hasura/...")
	cmd.Env = append(cmd.Env, "DATABASE_URL="+url)
	out, _, err := output(cmd)
	if err != nil {
		return "", err
	}
	onPostgreSQL, onSQLite := passed(out, "TestReplay/PostgreSQL/"), passed(out, "TestReplay/SQLite/")
	if onPostgreSQL == 0 || onPostgreSQL != onSQLite {
		return "", fmt.Errorf("%d rows of the replay ran on PostgreSQL and %d on SQLite", onPostgreSQL, onSQLite)
	}
	return fmt.Sprintf("%d requests replayed on each database", onPostgreSQL), nil
}

// byAddress does with the local Hasura what make e2e-hasura does with the real one: the
// same script runs the same tests, and only the address differs.
func (m *machine) byAddress(ctx context.Context) (string, error) {
	file, err := os.Open("local/hasura/jwt/testdata/secrets.jsonl")
	if err != nil {
		return "", err
	}
	defer file.Close()
	requests, syncs, tokens := 0, 0, 0
	lines := bufio.NewScanner(file)
	for tables := "all"; lines.Scan(); tables = "tokens" {
		out, err := m.hold(ctx, lines.Text(), tables)
		if err != nil {
			return "", fmt.Errorf("with HASURA_GRAPHQL_JWT_SECRET=%s: %w", lines.Text(), err)
		}
		requests += passed(out, "TestReplay/the_Hasura_at_HASURA_URL/")
		syncs += passed(out, "TestSyncs/the_Hasura_at_HASURA_URL/")
		tokens += passed(out, "TestTokens/the_Hasura_at_HASURA_URL/")
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	if requests == 0 || syncs == 0 || tokens == 0 {
		return "", errors.New("some of the tables did not run")
	}
	return fmt.Sprintf("%d requests, every sync as %d roles, %d tokens", requests, syncs, tokens), nil
}

// hold starts a local Hasura as compose.yaml starts the real one, and has the script hold
// it to the tables.
func (m *machine) hold(ctx context.Context, secret, tables string) (out string, err error) {
	databaseURL, err := m.postgres.database(ctx, "held_"+strings.ToLower(rand.Text()))
	if err != nil {
		return "", err
	}
	db, err := hasura.Open(ctx, project, databaseURL)
	if err != nil {
		return "", err
	}
	m.atEnd(db.Close)
	config := hasura.Config{Project: project, Database: db, AdminSecret: "the admin secret", JWT: new(jwt.Config)}
	if err := json.Unmarshal([]byte(secret), config.JWT); err != nil {
		return "", err
	}
	server, err := hasura.New(config)
	if err != nil {
		return "", err
	}
	url, err := m.serve(server)
	if err != nil {
		return "", err
	}
	cmd := m.command(ctx, ".ci/e2e-hasura", tables)
	cmd.Env = append(cmd.Env, "HASURA_URL="+url, "HASURA_DATABASE_URL="+databaseURL, "HASURA_JWT_SECRET="+secret)
	out, _, err = output(cmd)
	return out, err
}

// passed counts the subtests below a name that go test -v printed as passed.
func passed(printed, name string) (n int) {
	for line := range strings.Lines(printed) {
		if row, ok := strings.CutPrefix(strings.TrimSpace(line), "--- PASS: "+name); ok && row != "" {
			n++
		}
	}
	return n
}
