package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// expectFailure expects that f ends with an error that contains each text.
func expectFailure(f func(), texts ...string) string {
	err := attempt(f)
	if err == nil {
		fail("nothing failed, want an error with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			fail("it failed, but without %q: %w", text, err)
		}
	}
	return "found"
}

// failInvoke expects make invoke to fail if the function fails. sam local invoke exits with 0.
func (e *environment) failInvoke(ctx context.Context) string {
	return expectFailure(func() { e.makeInvoke(ctx, "events/sqs/parked-syncs.json", misconfigured) }, "misconfigured")
}

func (e *environment) omitDefaultRole(ctx context.Context) string {
	const claims = `{"claimsToAddOrOverride": {"https://hasura.io/jwt/claims": "{\"x-hasura-allowed-roles\": [\"user\"]}"}}`
	e.replaceTrigger(ctx, `{"claimsAndScopeOverrideDetails": {"idTokenGeneration": `+claims+`, "accessTokenGeneration": `+claims+`}}`)
	return expectFailure(func() { e.pools["acme-v2"].signIns(ctx) }, "id token: Hasura refused it: jwt-missing-role-claims")
}

func (e *environment) answerAsV1(ctx context.Context) string {
	e.replaceTrigger(ctx, `{"claimsOverrideDetails": {"claimsToAddOrOverride": {"https://hasura.io/jwt/claims": "{}"}}}`)
	return expectFailure(func() { e.pools["acme-v2"].signIns(ctx) },
		"id token: Hasura refused it: jwt-invalid-claims: claims key: 'https://hasura.io/jwt/claims' not found")
}

// doctorFinds expects the doctor to find what answerAsV1 left, and to say so by its exit code.
func (e *environment) doctorFinds(ctx context.Context) string {
	return expectFailure(func() { e.doctor(ctx) }, "FAIL: Hasura accepts a token", "jwt-invalid-claims", "exit code 2") // make's
}

// dropColumn removes a column that every sync writes from Hasura's schema, as if a
// migration had not run.
func (e *environment) dropColumn(ctx context.Context) string {
	dir := filepath.Join(e.dir, "old-project")
	check(os.CopyFS(dir, project))
	text := string(must(fs.ReadFile(project, "schema.graphql")))
	at := strings.Index(text, "enum users_update_column")
	old := text[:at] + strings.Replace(text[at:], "\n  email\n", "\n  email_of_a_later_migration\n", 1)
	check(os.WriteFile(filepath.Join(dir, "schema.graphql"), []byte(old), 0o644))
	p := e.startCognitoLocal(ctx, "cognito-local-old-schema", os.DirFS(dir))
	expectFailure(func() { p.confirmed(ctx) }, errNoRow.Error())
	expectFailure(func() { p.smoke(ctx) }, "FAIL: row: there is none", "exit code 2") // make's
	if !strings.Contains(p.log(), "validation-failed") {
		fail("the functions' log has no validation-failed:\n%s", p.log())
	}
	return "found"
}
