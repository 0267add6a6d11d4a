package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// testStandIn runs the tests of the Hasura stand-in and of the local stack on SQLite and on PostgreSQL, and those of the
// lists in the claims.
func (e *environment) testStandIn(ctx context.Context) string {
	cmd := command(ctx, "go", "test", "-count=1", "-v", "./local/hasura/...", "./local/stack", "./pkg/claims")
	cmd.Env = append(cmd.Env, "DATABASE_URL="+e.database(ctx))
	out := output(cmd)
	onPostgreSQL, onSQLite := passed(out, "TestReplay/PostgreSQL/"), passed(out, "TestReplay/SQLite/")
	if onPostgreSQL == 0 || onPostgreSQL != onSQLite {
		fail("%d rows of TestReplay ran on PostgreSQL and %d on SQLite", onPostgreSQL, onSQLite)
	}
	if passed(out, "TestArrayLiteral/PostgreSQL")+passed(out, "TestFilterByList/PostgreSQL") != 2 {
		fail("PostgreSQL did not read the lists of the claims")
	}
	return fmt.Sprintf("%d requests on each database", onPostgreSQL)
}

// compareHasura runs the script of make e2e-hasura against the stand-in instead of the real
// Hasura, once for each JWT configuration as the script itself does.
func (e *environment) compareHasura(ctx context.Context) string {
	counts := make(map[string]int)
	tables := "all"
	for secret := range strings.Lines(string(must(os.ReadFile("local/hasura/jwt/testdata/secrets.jsonl")))) {
		secret = strings.TrimSpace(secret)
		var tokens jwt.Config
		check(json.Unmarshal([]byte(secret), &tokens))
		databaseURL := e.database(ctx)
		s := e.startStack(ctx, stack.Config{DatabaseURL: databaseURL, AdminSecret: "the admin secret", JWT: tokens}) // as in compose.yaml
		cmd := command(ctx, ".ci/e2e-hasura", tables)
		cmd.Env = append(cmd.Env, "HASURA_URL="+s.Hasura.URL, "HASURA_DATABASE_URL="+databaseURL, "HASURA_JWT_SECRET="+secret)
		during("HASURA_GRAPHQL_JWT_SECRET="+secret, func() {
			out := output(cmd)
			for _, test := range []string{"TestReplay", "TestSyncs", "TestTokens"} {
				counts[test] += passed(out, test+"/")
			}
		})
		tables = "tokens"
	}
	if counts["TestReplay"] == 0 || counts["TestSyncs"] == 0 || counts["TestTokens"] == 0 {
		fail("a test did not run: %v", counts)
	}
	return fmt.Sprintf("%d requests, every sync as %d roles, %d tokens", counts["TestReplay"], counts["TestSyncs"], counts["TestTokens"])
}

// passed counts the passed subtests below a name in the output of go test -v.
func passed(out, name string) int {
	return strings.Count(out, "--- PASS: "+name)
}
