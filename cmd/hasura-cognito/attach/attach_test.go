package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
)

const (
	pool        = "us-east-1_ExaMPle01"
	functionARN = "arn:aws:lambda:us-east-1:123456789012:function:"
	trigger     = functionARN + "acme-hasura-cognito-trigger:live"
	syncer      = functionARN + "acme-hasura-cognito-sync-users:live"
)

type object = cognitoidp.Object

// unusual has every setting of a pool other than its default.
func unusual() *cognitoidp.Server {
	return &cognitoidp.Server{
		Pool: object{
			"Id": pool, "Name": "people", "Arn": "arn:aws:cognito-idp:us-east-1:123456789012:userpool/" + pool,
			"LastModifiedDate": 1.7e9, "EstimatedNumberOfUsers": 12.0, "UsernameAttributes": []any{"email"},
			"SchemaAttributes":            []any{object{"Name": "org", "AttributeDataType": "String", "Mutable": true}},
			"AccountRecoverySetting":      object{"RecoveryMechanisms": []any{object{"Name": "verified_email", "Priority": 1}}},
			"AdminCreateUserConfig":       object{"AllowAdminCreateUserOnly": true, "UnusedAccountValidityDays": 3, "InviteMessageTemplate": object{"EmailSubject": "Welcome", "EmailMessage": "{username} {####}"}},
			"AutoVerifiedAttributes":      []any{"phone_number", "email"},
			"DeletionProtection":          "ACTIVE",
			"DeviceConfiguration":         object{},
			"EmailConfiguration":          object{"EmailSendingAccount": "DEVELOPER", "SourceArn": "arn:aws:ses:us-east-1:123456789012:identity/example.com", "From": "Acme <no-reply@example.com>", "ConfigurationSet": "set"},
			"EmailVerificationMessage":    "the code is {####}",
			"EmailVerificationSubject":    "code",
			"IssuerConfiguration":         object{"Type": "ORIGINAL"},
			"KeyConfiguration":            object{"KeyType": "AWS_OWNED_KEY"},
			"LambdaConfig":                object{"PreSignUp": functionARN + "guard", "CustomEmailSender": object{"LambdaArn": functionARN + "mail", "LambdaVersion": "V1_0"}, "KMSKeyID": "arn:aws:kms:us-east-1:123456789012:key/1"},
			"MfaConfiguration":            "OPTIONAL",
			"Policies":                    object{"PasswordPolicy": object{"MinimumLength": 14, "RequireSymbols": true, "PasswordHistorySize": 5, "TemporaryPasswordValidityDays": 3}, "SignInPolicy": object{"AllowedFirstAuthFactors": []any{"PASSWORD", "WEB_AUTHN"}}},
			"SmsAuthenticationMessage":    "sign in with {####}",
			"SmsConfiguration":            object{"SnsCallerArn": "arn:aws:iam::123456789012:role/sms", "ExternalId": "acme", "SnsRegion": "us-east-1"},
			"SmsVerificationMessage":      "verify with {####}",
			"UserAttributeUpdateSettings": object{"AttributesRequireVerificationBeforeUpdate": []any{"email"}},
			"UserPoolAddOns":              object{"AdvancedSecurityMode": "AUDIT"},
			"UserPoolTags":                object{"team": "identity"},
			"UserPoolTier":                "PLUS",
			"VerificationMessageTemplate": object{"DefaultEmailOption": "CONFIRM_WITH_CODE", "EmailMessage": "the code is {####}", "EmailSubject": "code", "SmsMessage": "verify with {####}"},
		},
		MFA: object{"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": object{"Enabled": true}, "WebAuthnConfiguration": object{"RelyingPartyId": "example.com"}},
	}
}

// attach runs the command against a pool.
func attach(t *testing.T, s *cognitoidp.Server, stdin string, args ...string) (code int, out string) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	point(t, server.URL)
	var both bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &both, &both)
	return code, both.String()
}

func point(t *testing.T, url string) {
	t.Helper()
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", url)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_MAX_ATTEMPTS", "2")
	pause = func(context.Context, int) error { return nil }
}

func count(s *cognitoidp.Server, operation string) (n int) {
	for _, call := range s.Calls() {
		if call == operation {
			n++
		}
	}
	return n
}

func TestAttachChangesTheTriggersAlone(t *testing.T) {
	s, dir := unusual(), t.TempDir()
	before := s.Snapshot()
	code, out := attach(t, s, "", "-pool", pool, "-prefix", "acme", "-alias", "live", "-apply", "-yes", "-backup", dir)
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	want := s.Snapshot()
	triggers := want["LambdaConfig"].(object)
	if got := triggers["PreTokenGenerationConfig"]; !cmp.Equal(got, object{"LambdaArn": trigger, "LambdaVersion": "V2_0"}) {
		t.Errorf("pre token generation is %v", got)
	}
	if triggers["PostConfirmation"] != syncer || triggers["PostAuthentication"] != syncer || triggers["PreSignUp"] != functionARN+"guard" || triggers["KMSKeyID"] == nil {
		t.Errorf("the triggers are %v", triggers)
	}
	if found := differences(rest(before), rest(want)); len(found) > 0 {
		t.Errorf("other settings changed: %v", found)
	}

	// Again there is nothing to do, and undone all is as it was.
	if code, out := attach(t, s, "", "-pool", pool, "-prefix", "acme", "-alias", "live", "-apply", "-yes"); code != 0 || !strings.Contains(out, "nothing to change") || count(s, "UpdateUserPool") != 1 {
		t.Errorf("the second time, exit code %d after %d updates:\n%s", code, count(s, "UpdateUserPool"), out)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(files) != 1 {
		t.Fatalf("backups %v, want one", files)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup's mode is %v, %v", info.Mode(), err)
	}
	if code, out := attach(t, s, "", "-undo", files[0], "-apply", "-yes", "-backup", t.TempDir()); code != 0 {
		t.Fatalf("undo: exit code %d:\n%s", code, out)
	}
	if found := differences(flatten(before), flatten(s.Snapshot())); len(found) > 0 {
		t.Errorf("undone, these differ: %v", found)
	}
}

// rest is a pool but for what attach is to change.
func rest(p object) flat {
	f := flatten(p)
	for path := range f {
		if strings.HasPrefix(path, "LambdaConfig.PreTokenGeneration") || strings.HasPrefix(path, "LambdaConfig.Post") || path == "LastModifiedDate" {
			delete(f, path)
		}
	}
	return f
}

func TestAttachAsksFirst(t *testing.T) {
	rows := []struct {
		name, stdin string
		args        []string
		code        int
		says        string
		updates     int
	}{
		{"without -apply nothing changes", "yes\n", nil, 0, "Nothing was changed", 0},
		{"an answer other than yes is no", "y\n", []string{"-apply"}, 1, "was not yes", 0},
		{"no answer is no", "", []string{"-apply"}, 1, "was not yes", 0},
		{"yes is yes", "yes\n", []string{"-apply"}, 0, "Done.", 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := unusual()
			code, out := attach(t, s, row.stdin, append([]string{"-pool", pool, "-prefix", "acme", "-alias", "live", "-backup", t.TempDir()}, row.args...)...)
			if code != row.code || !strings.Contains(out, row.says) || count(s, "UpdateUserPool") != row.updates {
				t.Errorf("exit code %d, %d updates, want %d, %d and %q:\n%s", code, count(s, "UpdateUserPool"), row.code, row.updates, row.says, out)
			}
		})
	}
}

func TestAttachLeavesOtherFunctionsAlone(t *testing.T) {
	s := unusual()
	s.Pool["LambdaConfig"] = object{"PostConfirmation": functionARN + "welcome-mail"}
	args := []string{"-pool", pool, "-prefix", "acme", "-alias", "live", "-apply", "-yes", "-backup", t.TempDir()}
	code, out := attach(t, s, "", args...)
	if code != 1 || !strings.Contains(out, "post confirmation is "+functionARN+"welcome-mail") || count(s, "UpdateUserPool") != 0 {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if code, out := attach(t, s, "", append(args, "-replace")...); code != 0 {
		t.Errorf("with -replace, exit code %d:\n%s", code, out)
	}
}

func TestAttachKeepsTheVersion(t *testing.T) {
	s := unusual()
	s.Pool["LambdaConfig"] = object{"PreTokenGeneration": trigger, "PreTokenGenerationConfig": object{"LambdaArn": trigger, "LambdaVersion": "V3_0"}}
	if code, out := attach(t, s, "", "-pool", pool, "-prefix", "acme", "-alias", "live", "-apply", "-yes", "-backup", t.TempDir()); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	config := s.Snapshot()["LambdaConfig"].(object)["PreTokenGenerationConfig"].(object)
	if config["LambdaVersion"] != "V3_0" {
		t.Errorf("the version became %v, want V3_0 kept", config["LambdaVersion"])
	}
}

func TestOthersChangeThePoolToo(t *testing.T) {
	args := []string{"-pool", pool, "-prefix", "acme", "-alias", "live", "-apply", "-yes"}
	refuse := func(operation, exception string, times int) func(string) string {
		return func(called string) string {
			if called == operation && times > 0 {
				times--
				return exception
			}
			return ""
		}
	}
	rows := []struct {
		name      string
		intercept func(string) string
		code      int
		says      string
		updates   int
	}{
		{"a change at the same time is waited for", refuse("UpdateUserPool", "ConcurrentModificationException", 3), 0, "Done.", 4},
		{"but not for ever", refuse("UpdateUserPool", "ConcurrentModificationException", 99), 1, "Run it again later", attempts},
		{"throttling is waited for", refuse("UpdateUserPool", "TooManyRequestsException", 1), 0, "Done.", 2},
		{"a plan without V2_0 is told", refuse("UpdateUserPool", "FeatureUnavailableInTierException", 1), 1, "-version V1_0", 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := unusual()
			s.Intercept = row.intercept
			code, out := attach(t, s, "", append(args, "-backup", t.TempDir())...)
			if code != row.code || !strings.Contains(out, row.says) || count(s, "UpdateUserPool") != row.updates {
				t.Errorf("exit code %d, %d updates, want %d, %d and %q:\n%s", code, count(s, "UpdateUserPool"), row.code, row.updates, row.says, out)
			}
		})
	}
	t.Run("a change since the pool was shown is not overwritten", func(t *testing.T) {
		s, reads := unusual(), 0
		s.Intercept = func(operation string) string {
			if operation == "DescribeUserPool" {
				if reads++; reads == 2 {
					s.Pool["DeletionProtection"] = "INACTIVE"
				}
			}
			return ""
		}
		code, out := attach(t, s, "", append(args, "-backup", t.TempDir())...)
		if code != 1 || !strings.Contains(out, "DeletionProtection") || count(s, "UpdateUserPool") != 0 {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
	t.Run("a setting that is lost on the way is told", func(t *testing.T) {
		s, reads := unusual(), 0
		s.Intercept = func(operation string) string {
			if operation == "DescribeUserPool" {
				if reads++; reads == 3 {
					delete(s.Pool, "UserPoolTags")
				}
			}
			return ""
		}
		code, out := attach(t, s, "", append(args, "-backup", t.TempDir())...)
		if code != 1 || !strings.Contains(out, "UserPoolTags.team") {
			t.Errorf("exit code %d:\n%s", code, out)
		}
	})
}

func TestCommandLine(t *testing.T) {
	rows := []struct {
		name, says string
		args       []string
	}{
		{"a pool is needed", "USER_POOL_ID", []string{"-prefix", "acme", "-alias", "live"}},
		{"so are the functions", "PREFIX is not set", []string{"-pool", pool}},
		{"in one way, not in two", "the one or the others", []string{"-pool", pool, "-prefix", "acme", "-alias", "live", "-sync", syncer}},
		{"an ARN is one of a function", "is not the ARN", []string{"-pool", pool, "-trigger", "acme", "-sync", syncer}},
		{"versions are Cognito's", "is none of", []string{"-pool", pool, "-prefix", "acme", "-alias", "live", "-version", "V9"}},
		{"a backup is one of attach's", "is not a file that attach wrote", []string{"-undo", "main.go"}},
		{"words are flags", "not understood", []string{"apply"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			if code := run(t.Context(), row.args, strings.NewReader(""), &out, &out); code != 2 || !strings.Contains(out.String(), row.says) {
				t.Errorf("exit code %d, want 2 and %q:\n%s", code, row.says, &out)
			}
		})
	}
}
