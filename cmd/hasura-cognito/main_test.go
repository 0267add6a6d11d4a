package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/attach"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/awstest"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
)

const (
	pool         = "us-east-1_ExaMPle01"
	claims       = "arn:aws:lambda:us-east-1:123456789012:function:acme-hasura-cognito-trigger"
	syncFunction = "arn:aws:lambda:us-east-1:123456789012:function:acme-hasura-cognito-sync-users"
)

// start serves an AWS account with a pool and functions, which are not on its triggers yet.
func start(t *testing.T) *awstest.Account {
	policy := `{"Statement":[{"Effect":"Allow","Principal":{"Service":"cognito-idp.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:cognito-idp:us-east-1:123456789012:userpool/` + pool + `"}}}]}`
	a := &awstest.Account{
		Cognito: &cognitoidp.Server{
			Pool: awstest.Object{
				"Id": pool, "Name": "people", "Arn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/" + pool,
				"AdminCreateUserConfig": awstest.Object{"AllowAdminCreateUserOnly": false, "UnusedAccountValidityDays": 7},
				"DeletionProtection":    "ACTIVE", "EmailConfiguration": awstest.Object{"EmailSendingAccount": "COGNITO_DEFAULT"}, "MfaConfiguration": "OFF",
				"Policies":     awstest.Object{"PasswordPolicy": awstest.Object{"MinimumLength": 8, "TemporaryPasswordValidityDays": 7}},
				"UserPoolTier": "ESSENTIALS", "VerificationMessageTemplate": awstest.Object{"DefaultEmailOption": "CONFIRM_WITH_CODE"},
			},
			MFA: awstest.Object{"MfaConfiguration": "OFF"},
		},
		Functions: map[string]awstest.Object{claims: {"FunctionName": "claims"}, syncFunction: {"FunctionName": "sync"}},
		Policies:  map[string]string{claims: policy, syncFunction: policy},
	}
	a.Start(t)
	return a
}

// command runs the program.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, streams{strings.NewReader(""), &out, &err})
	return code, out.String(), err.String()
}

func TestUsage(t *testing.T) {
	backup := filepath.Join(t.TempDir(), "backup.json")
	if err := os.WriteFile(backup, []byte(`{"UserPoolID":"`+pool+`","Region":"us-west-2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"help", []string{"--help"}, 0, "Exit codes:"},
		{"doctor's help has an example", []string{"doctor", "--help"}, 0, "hasura-cognito doctor --pool us-east-1_ExaMPle01\n"},
		{"attach's help has an example", []string{"attach", "--help"}, 0, "hasura-cognito attach --pool us-east-1_ExaMPle01 --prefix acme-prod\n"},
		{"completion", []string{"completion", "bash"}, 0, "hasura-cognito"},
		{"completion of versions", []string{"__complete", "attach", "--version", ""}, 0, "V2_0"},
		{"an unknown command", []string{"docter"}, 2, `unknown command "docter"`},
		{"an unknown flag", []string{"doctor", "--pol", pool}, 2, "unknown flag: --pol. See hasura-cognito doctor --help"},
		{"an argument", []string{"doctor", pool}, 2, "takes only flags, such as --pool"},
		{"an unknown shell", []string{"completion", "tcsh"}, 2, `unknown command "tcsh"`},
		{"no shell", []string{"completion"}, 0, "Available Commands:"},
		{"an unknown command of user", []string{"user", "delete"}, 2, `unknown command "delete"`},
		{"a flag's value", []string{"reconcile", "--pool", pool, "--on-delete", "drop"}, 2, `--on-delete: "drop"`},
		{"doctor without a pool", []string{"doctor"}, 2, "USER_POOL_ID"},
		{"attach without a pool", []string{"attach", "--prefix", "acme"}, 2, "USER_POOL_ID"},
		{"smoke without a pool and an app client", []string{"smoke"}, 2, "--client-id is missing"},
		{"a file in a folder that does not exist", []string{"smoke", "--pool", pool, "--client-id", "web", "--out", filepath.Join(backup, "smoke.json")}, 2, "smoke.json"},
		{"attach without functions", []string{"attach", "--pool", pool}, 2, "--prefix is missing"},
		{"a backup of another Region", []string{"attach", "--undo", backup, "--region", "us-east-1"}, 2, "in us-west-2"},
		{"a backup of another pool", []string{"attach", "--undo", backup, "--pool", "us-east-1_Other"}, 2, "is a backup of " + pool},
		{"a file that is not a backup", []string{"attach", "--undo", "main.go"}, 2, "is not a backup file"},
		{"a profile that does not exist", []string{"doctor", "--pool", pool, "--profile", "nobody"}, 2, "load the AWS configuration"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			start(t)
			if code, stdout, stderr := command(t, row.args...); code != row.code || !strings.Contains(stdout+stderr, row.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s%s", code, row.code, row.says, stdout, stderr)
			}
		})
	}
}

func TestAttach(t *testing.T) {
	a := start(t)
	args := []string{"attach", "--pool", pool, "--prefix", "acme"}
	if code, stdout, stderr := command(t, args...); code != 0 || !strings.Contains(stdout, "Nothing was changed") {
		t.Fatalf("exit code %d:\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := command(t, append(args, "--apply")...); code != 1 || !strings.Contains(stderr, "was not yes") {
		t.Errorf("without an answer, exit code %d:\n%s", code, stderr)
	}
	// The flags of version 0 had one dash.
	old := []string{"attach", "-pool", pool, "-prefix=acme", "-apply", "-yes", "-json", "-backup", t.TempDir()}
	code, stdout, stderr := command(t, old...)
	var result attach.Result
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || code != 0 || !result.Applied || result.UserPoolID != pool || len(result.Changes) == 0 {
		t.Fatalf("exit code %d, %v:\n%s%s", code, err, stdout, stderr)
	}
	if code, _, stderr := command(t, "attach", "--undo", result.Backup, "--apply", "--yes", "--backup", t.TempDir()); code != 0 {
		t.Errorf("undo, exit code %d:\n%s", code, stderr)
	}
	if triggers := a.Cognito.Snapshot()["LambdaConfig"].(awstest.Object); triggers["PostConfirmation"] != nil {
		t.Errorf("undone, the triggers are %v", triggers)
	}
	delete(a.Functions, syncFunction)
	code, stdout, stderr = command(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || code != 1 || !strings.Contains(stderr, "does not exist") {
		t.Errorf("without a function, exit code %d, %v:\n%s%s", code, err, stdout, stderr)
	}
}

func TestDoctor(t *testing.T) {
	start(t)
	code, stdout, stderr := command(t, "doctor", "--pool", pool, "--json")
	var report doctor.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil || code != 1 || !report.Failed() || stderr != "" {
		t.Errorf("exit code %d, %v:\n%s%s", code, err, stdout, stderr)
	}
	if code, stdout, _ := command(t, "doctor", "--pool", pool); code != 1 || !strings.Contains(stdout, "FAIL     pre token generation") || strings.Contains(stdout, "\x1b") {
		t.Errorf("as a table, exit code %d:\n%q", code, stdout)
	}
}

// A replica of a multi-Region pool has the primary's id: --region and AWS_REGION name its Region.
func TestRegion(t *testing.T) {
	for _, name := range []string{"doctor", "attach"} {
		args := []string{name, "--pool", pool}
		if name == "attach" {
			args = append(args, "--prefix", "acme")
		}
		rows := []struct {
			env   string
			flags []string
			want  string
		}{
			{"", nil, "us-east-1"},
			{"us-west-2", nil, "us-west-2"},
			{"us-west-2", []string{"--region", "eu-west-1"}, "eu-west-1"},
		}
		for _, row := range rows {
			a := start(t)
			t.Setenv("AWS_REGION", row.env)
			command(t, append(args, row.flags...)...)
			if got := a.Regions(); !slices.Equal(got, []string{row.want}) {
				t.Errorf("%s with AWS_REGION %q and %v: requests for %v, want %s", name, row.env, row.flags, got, row.want)
			}
		}
	}
}

// Without AWS credentials, a command ends with exit code 2.
func TestNoCredentials(t *testing.T) {
	start(t)
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none} {
		t.Setenv(name, value)
	}
	if code, _, stderr := command(t, "doctor", "--pool", pool); code != 2 || !strings.Contains(stderr, "aws sso login") {
		t.Errorf("exit code %d:\n%s", code, stderr)
	}
}

func TestSmoke(t *testing.T) {
	start(t)
	file := filepath.Join(t.TempDir(), "smoke.json")
	args := []string{"smoke", "--pool", pool, "--client-id", "web", "--out", file}
	code, table, stderr := command(t, args...)
	if code != found || !strings.Contains(table, "FAIL     app client") || stderr != "" {
		t.Errorf("got exit code %d:\n%s%s", code, table, stderr)
	}
	written, err := os.ReadFile(file)
	var result struct {
		Version, UserPoolID, Region string
		Checks                      doctor.Report
		Left                        []string
	}
	if err != nil || json.Unmarshal(written, &result) != nil || result.UserPoolID != pool || result.Region != "us-east-1" || result.Version == "" || !result.Checks.Failed() || result.Left == nil {
		t.Errorf("got %v, %s", err, written)
	}
	if code, stdout, _ := command(t, append(args, "--json")...); code != found || json.Unmarshal([]byte(stdout), &result) != nil {
		t.Errorf("got exit code %d and no JSON:\n%s", code, stdout)
	}
}
