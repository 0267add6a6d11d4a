package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
)

// attach runs the test of attach against moto: in a pool with many settings, only the
// triggers may change.
func (e *environment) attach(ctx context.Context) string {
	cmd := command(ctx, "go", "test", "-count=1", "-v", "-run", "^TestEmulator$", "./cmd/hasura-cognito/attach")
	cmd.Env = append(cmd.Env, "ATTACH_ENDPOINT="+e.moto)
	out := output(cmd)
	if passed(out, "TestEmulator") != 1 || strings.Contains(out, "ATTACH_ENDPOINT is not set") {
		fail("the test did not run:\n%s", out)
	}
	return "only the triggers changed"
}

// ministackWarnings are due to CloudFormation in MiniStack 1.4.21: it writes the principal of a
// permission as a bare name, and leaves the redrive policy of a queue out. The SDK cannot read its list of event source mappings after
// a replay.
var ministackWarnings = []string{"claims function: other callers", "sync function: other callers", "dead-letter queue", "replay function: queue"}

// doctor runs the doctor for the V2_0 deployment, with the token of a new user. Every check
// must be ok.
func (e *environment) doctor(ctx context.Context) string {
	p := e.pools["acme-v2"]
	u := p.signUp(ctx)
	token := *p.signIn(ctx, u).IdToken
	cmd := command(ctx, "make", "doctor", "USER_POOL_ID="+p.id, "ARGS=--json")
	cmd.Env = append(cmd.Env, "TOKEN="+token)
	report, err := cmd.Output()
	for _, secret := range []string{u.email, p.adminSecret, token} {
		if bytes.Contains(report, []byte(secret)) {
			fail("the report contains an e-mail address, the admin secret or the token")
		}
	}
	var rows []verdict
	check(json.Unmarshal(report, &rows))
	note := judge(rows, ministackWarnings, cmd.ProcessState.ExitCode())
	check(err)
	return note
}

// A verdict is a row of a report of doctor or smoke.
type verdict struct{ Check, Verdict, Found string }

// judge fails if a check is not ok. Some may warn or be unknown.
func judge(rows []verdict, mayWarn []string, exitCode int) string {
	ok := 0
	for _, row := range rows {
		if row.Verdict == "ok" {
			ok++
		} else if row.Verdict != "warn" && row.Verdict != "unknown" || !slices.Contains(mayWarn, row.Check) {
			fail("%s: %s: %s (exit code %d)", row.Verdict, row.Check, row.Found, exitCode)
		}
	}
	return fmt.Sprintf("%d checks are ok", ok)
}

// cognitoLocalWarnings are due to cognito-local: its post authentication events have no status, and it has V1_0 alone, which puts no
// claims into access tokens.
var cognitoLocalWarnings = []string{"row", "access token", "refreshed access token"}

// smoke signs a throwaway user in to cognito-local.
func (e *environment) smoke(ctx context.Context) string { return e.local.smoke(ctx) }

func (p *pool) smoke(ctx context.Context) string {
	cmd := command(ctx, "make", "smoke", "USER_POOL_ID="+p.id, "CLIENT_ID="+p.client, "ARGS=--json --wait 2s")
	cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER="+p.url, "AWS_ENDPOINT_URL_LAMBDA="+p.lambdaURL, "AWS_ENDPOINT_URL_SECRETS_MANAGER="+p.secretsURL)
	report, err := cmd.Output()
	for _, secret := range []string{p.adminSecret, "eyJ"} { // a token begins so
		if bytes.Contains(report, []byte(secret)) {
			fail("the report contains the admin secret or a token")
		}
	}
	var result struct{ Checks []verdict }
	check(json.Unmarshal(report, &result))
	note := judge(result.Checks, cognitoLocalWarnings, cmd.ProcessState.ExitCode())
	check(err)
	return note
}

// smokeInMiniStack signs a throwaway user in to MiniStack, which calls no function after a sign-in. smoke must say that the row is
// missing, and must find everything else as it should be. It must name each user that it leaves behind: MiniStack fails to delete a user
// by an e-mail address.
func (e *environment) smokeInMiniStack(ctx context.Context) string {
	p := e.pools["acme-own"]
	cmd := command(ctx, e.commandLine, "smoke", "--pool", p.id, "--client-id", p.client, "--json", "--wait", "2s")
	text, _ := cmd.Output() // the exit code says what the report says
	var result struct {
		Checks []verdict
		Left   []string
	}
	check(json.Unmarshal(text, &result))
	var left []string
	for _, u := range must(p.cognito.ListUsers(ctx, &idp.ListUsersInput{UserPoolId: &p.id, Filter: aws.String(`email ^= "smoke-"`)})).Users {
		left = append(left, "the user "+valueOf(u.Attributes, "email"))
	}
	if cmd.ProcessState.ExitCode() != 1 || !slices.Equal(result.Left, left) {
		fail("exit code %d, left behind: %q, in the pool: %q", cmd.ProcessState.ExitCode(), result.Left, left)
	}
	ok := 0
	for _, row := range result.Checks {
		want := verdict{Verdict: "ok"}
		switch {
		case row.Check == "row":
			want = verdict{Verdict: "FAIL", Found: "there is none after 2s"}
		case strings.HasSuffix(row.Check, ": Hasura"):
			want = verdict{Verdict: "warn", Found: "there is no row to see"}
		case row.Check == "clean-up: row":
			want = verdict{Verdict: "warn", Found: "there is none to delete"}
		case row.Check == "clean-up: user" && len(left) > 0:
			want = verdict{Verdict: "FAIL", Found: "InternalError"}
		default:
			ok++
		}
		if row.Verdict != want.Verdict || !strings.Contains(row.Found, want.Found) {
			fail("%s: %s: %s, want %s with %q", row.Verdict, row.Check, row.Found, want.Verdict, want.Found)
		}
	}
	return fmt.Sprintf("%d checks are ok; no row, as MiniStack calls no post trigger", ok)
}

// terraform applies the example of the Terraform module in moto, expects that the next plan
// changes nothing, and destroys everything. Without Terraform or its provider the note says so.
func (e *environment) terraform(ctx context.Context) string {
	return tail(output(command(ctx, "deploy/terraform/check", e.moto)), 1)
}
