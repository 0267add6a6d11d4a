package attach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/awstest"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
)

const (
	pool         = "us-east-1_ExaMPle01"
	functionARN  = "arn:aws:lambda:us-east-1:123456789012:function:"
	trigger      = functionARN + "acme-hasura-cognito-trigger:live"
	syncFunction = functionARN + "acme-hasura-cognito-sync-users:live"
)

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

// options are those of an attach without --apply.
func options() Options { return Options{Pool: pool, Target: Target{Prefix: "acme", Alias: "live"}} }

// account is an AWS account with the pool and the suite's functions.
func account(s *cognitoidp.Server) *awstest.Account {
	policy := `{"Statement":[{"Effect":"Allow","Principal":{"Service":"cognito-idp.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:cognito-idp:us-east-1:123456789012:userpool/` + pool + `"}}}]}`
	return &awstest.Account{
		Cognito:   s,
		Functions: map[string]object{trigger: {}, syncFunction: {}},
		Policies:  map[string]string{trigger: policy, syncFunction: policy},
	}
}

// run runs attach in an account.
func run(t *testing.T, a *awstest.Account, answer string, o Options) (Result, string, error) {
	t.Helper()
	return runContext(t.Context(), t, a, answer, o)
}

func runContext(ctx context.Context, t *testing.T, a *awstest.Account, answer string, o Options) (Result, string, error) {
	t.Helper()
	a.Start(t)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"))
	if err != nil {
		t.Fatal(err)
	}
	pause = func(ctx context.Context, _ int) error { return ctx.Err() }
	var out bytes.Buffer
	result, err := Run(ctx, cfg, o, Streams{strings.NewReader(answer), &out, &out})
	if err != nil {
		fmt.Fprintln(&out, err)
	}
	return result, out.String(), err
}

// apply returns options for a change without a question.
func apply(t *testing.T) Options {
	o := options()
	o.Apply, o.Yes, o.Dir = true, true, t.TempDir()
	return o
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
	s := unusual()
	o := apply(t)
	before := s.Snapshot()
	result, out, err := run(t, account(s), "", o)
	if err != nil || !result.Applied || len(result.Changes) == 0 {
		t.Fatalf("%+v, %v:\n%s", result, err, out)
	}
	want := s.Snapshot()
	triggers := want["LambdaConfig"].(object)
	if got := triggers["PreTokenGenerationConfig"]; !cmp.Equal(got, object{"LambdaArn": trigger, "LambdaVersion": "V2_0"}) {
		t.Errorf("pre token generation is %v", got)
	}
	if triggers["PostConfirmation"] != syncFunction || triggers["PostAuthentication"] != syncFunction || triggers["PreSignUp"] != functionARN+"guard" || triggers["KMSKeyID"] == nil {
		t.Errorf("the triggers are %v", triggers)
	}
	if found := differences(rest(before), rest(want)); len(found) > 0 {
		t.Errorf("other settings changed: %v", found)
	}

	t.Run("again, nothing is to do", func(t *testing.T) {
		result, out, err := run(t, account(s), "", o)
		if err != nil || result.Applied || !strings.Contains(out, "Nothing to change") || count(s, "UpdateUserPool") != 1 {
			t.Errorf("%d updates, %v:\n%s", count(s, "UpdateUserPool"), err, out)
		}
	})
	t.Run("undone, all is as before", func(t *testing.T) {
		if info, err := os.Stat(result.Backup); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the backup's mode is %v, %v", info.Mode(), err)
		}
		undo := apply(t)
		if undo.Undo, err = ReadBackup(result.Backup); err != nil {
			t.Fatal(err)
		}
		if _, out, err := run(t, account(s), "", undo); err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
		if found := differences(flatten(before), flatten(s.Snapshot())); len(found) > 0 {
			t.Errorf("these differ: %v", found)
		}
		if _, out, err := run(t, account(s), "", undo); err == nil || !strings.Contains(out, "have changed since the backup") {
			t.Errorf("undone twice: %v:\n%s", err, out)
		}
	})
}

// The backup alone can put every setting back, by undo or by hand.
func TestBackupHoldsEverything(t *testing.T) {
	s := unusual()
	s.Pool["NewSetting"] = object{"Mode": "ON"}
	before, mfa := s.Snapshot(), s.MFA
	o := apply(t)
	o.Lossy = true
	result, out, err := run(t, account(s), "", o)
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	b, err := ReadBackup(result.Backup)
	if err != nil {
		t.Fatal(err)
	}
	if b.Region != "us-east-1" || b.UserPoolID != pool {
		t.Errorf("the backup is of %s in %q", b.UserPoolID, b.Region)
	}
	if found := differences(flatten(before), flatten(b.Pool)); len(found) > 0 {
		t.Errorf("Pool lacks %v", found)
	}
	if found := differences(flatten(mfa), flatten(b.MFA)); len(found) > 0 {
		t.Errorf("MFA lacks %v", found)
	}
	// Settings is a request of UpdateUserPool that restores everything but what this version cannot send.
	fresh := unusual()
	delete(fresh.Pool, "UserPoolTags")
	delete(fresh.Pool, "LambdaConfig")
	account(fresh).Start(t)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(b.Region))
	if err != nil {
		t.Fatal(err)
	}
	var request cognitoidentityprovider.UpdateUserPoolInput
	data, err := json.Marshal(b.Settings)
	if err == nil {
		err = json.Unmarshal(data, &request)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cognitoidentityprovider.NewFromConfig(cfg).UpdateUserPool(t.Context(), &request); err != nil {
		t.Fatal(err)
	}
	delete(before, "NewSetting")
	if found := differences(flatten(before), flatten(fresh.Snapshot())); len(found) > 0 {
		t.Errorf("Settings does not restore %v", found)
	}
}

// rest is a pool without what attach changes.
func rest(p object) flat {
	f := flatten(p)
	for path := range f {
		if strings.HasPrefix(path, "LambdaConfig.PreTokenGeneration") || strings.HasPrefix(path, "LambdaConfig.Post") || path == "LastModifiedDate" {
			delete(f, path)
		}
	}
	return f
}

func TestSettingsThatWouldBeLost(t *testing.T) {
	rows := []struct {
		name   string
		change func(*cognitoidp.Server)
		lost   string
	}{
		{"a new setting", func(s *cognitoidp.Server) { s.Pool["NewSetting"] = object{"Mode": "ON"} }, "NewSetting.Mode"},
		{"a new setting that is false", func(s *cognitoidp.Server) { s.Pool["NewSetting"] = false }, "NewSetting"},
		{"an empty new setting", func(s *cognitoidp.Server) { s.Pool["NewSetting"] = object{} }, "NewSetting"},
		{"a new member of a setting", func(s *cognitoidp.Server) {
			s.Pool["EmailConfiguration"].(object)["NewMember"] = "x"
		}, "EmailConfiguration.NewMember"},
		{"a new member of a list", func(s *cognitoidp.Server) {
			s.Pool["AccountRecoverySetting"] = object{"RecoveryMechanisms": []any{object{"Name": "verified_email", "Priority": 1, "New": "x"}}}
		}, "AccountRecoverySetting.RecoveryMechanisms"},
		{"a new trigger", func(s *cognitoidp.Server) { s.Pool["LambdaConfig"].(object)["NewTrigger"] = functionARN + "x" }, "LambdaConfig.NewTrigger"},
		{"a new MFA setting", func(s *cognitoidp.Server) { s.MFA["NewFactor"] = object{"Enabled": true} }, "MFA.NewFactor.Enabled"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := unusual()
			row.change(s)
			o := apply(t)
			result, out, err := run(t, account(s), "", o)
			if !errors.As(err, new(Refusal)) || fmt.Sprint(result.Lost) != "["+row.lost+"]" || !strings.Contains(out, row.lost) || count(s, "UpdateUserPool") != 0 {
				t.Errorf("lost %v, %d updates, %v, want %s and a refusal:\n%s", result.Lost, count(s, "UpdateUserPool"), err, row.lost, out)
			}
		})
	}
	t.Run("a setting that is false and known", func(t *testing.T) {
		s := unusual()
		s.Pool["AdminCreateUserConfig"].(object)["AllowAdminCreateUserOnly"] = false
		s.MFA["SoftwareTokenMfaConfiguration"] = object{"Enabled": false}
		if result, out, err := run(t, account(s), "", options()); err != nil || len(result.Lost) > 0 {
			t.Errorf("lost %v, %v:\n%s", result.Lost, err, out)
		}
	})
}

func TestAttachAsksFirst(t *testing.T) {
	rows := []struct {
		name, answer string
		apply        bool
		refused      bool
		says         string
		updates      int
	}{
		{"without --apply nothing changes", "yes\n", false, false, "Nothing was changed", 0},
		{"an answer other than yes is no", "y\n", true, true, "was not yes", 0},
		{"no answer is no", "", true, true, "was not yes", 0},
		{"yes is yes", "yes\n", true, false, "Done.", 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s, o := unusual(), apply(t)
			o.Apply, o.Yes = row.apply, false
			_, out, err := run(t, account(s), row.answer, o)
			if errors.As(err, new(Refusal)) != row.refused || !strings.Contains(out, row.says) || count(s, "UpdateUserPool") != row.updates {
				t.Errorf("%d updates, %v, want %d and %q:\n%s", count(s, "UpdateUserPool"), err, row.updates, row.says, out)
			}
		})
	}
}

// Ctrl-C at the question is an answer.
func TestInterruptedQuestion(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	s, o := unusual(), apply(t)
	o.Yes = false
	account(s).Start(t)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"))
	if err != nil {
		t.Fatal(err)
	}
	stdin, keyboard := io.Pipe()
	defer keyboard.Close()
	question := writer(func(text string) {
		if strings.Contains(text, "Type yes") {
			interrupt()
		}
	})
	if _, err := Run(ctx, cfg, o, Streams{stdin, io.Discard, question}); !errors.As(err, new(Refusal)) || count(s, "UpdateUserPool") != 0 {
		t.Errorf("%v, %d updates", err, count(s, "UpdateUserPool"))
	}
}

// A writer is called with each text.
type writer func(text string)

func (w writer) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}

func TestAttachLeavesOtherFunctionsAlone(t *testing.T) {
	s, o := unusual(), apply(t)
	s.Pool["LambdaConfig"] = object{"PostConfirmation": functionARN + "welcome-mail"}
	_, out, err := run(t, account(s), "", o)
	if !errors.As(err, new(Refusal)) || !strings.Contains(out, "post confirmation is "+functionARN+"welcome-mail") || count(s, "UpdateUserPool") != 0 {
		t.Errorf("%v:\n%s", err, out)
	}
	o.Replace = true
	if _, out, err := run(t, account(s), "", o); err != nil {
		t.Errorf("with --replace, %v:\n%s", err, out)
	}
}

func TestAttachKeepsTheVersion(t *testing.T) {
	s := unusual()
	s.Pool["LambdaConfig"] = object{"PreTokenGeneration": trigger, "PreTokenGenerationConfig": object{"LambdaArn": trigger, "LambdaVersion": "V3_0"}}
	if _, out, err := run(t, account(s), "", apply(t)); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	config := s.Snapshot()["LambdaConfig"].(object)["PreTokenGenerationConfig"].(object)
	if config["LambdaVersion"] != "V3_0" {
		t.Errorf("the version became %v, want V3_0 kept", config["LambdaVersion"])
	}
}

func TestAttachChecksTheFunctions(t *testing.T) {
	rows := []struct {
		name    string
		change  func(*awstest.Account)
		says    string
		refused bool
	}{
		{"no function", func(a *awstest.Account) { delete(a.Functions, syncFunction) }, syncFunction + " does not exist", true},
		{"no permission", func(a *awstest.Account) { delete(a.Policies, trigger) }, "Cognito may not call " + trigger, true},
		{"another pool's permission", func(a *awstest.Account) {
			a.Policies[syncFunction] = strings.ReplaceAll(a.Policies[syncFunction], pool, "us-east-1_Other")
		}, "Cognito may not call " + syncFunction, true},
		{"no right to look", func(a *awstest.Account) { a.Denied = []string{"GetPolicy"} }, "lambda:GetFunctionConfiguration and GetPolicy", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := unusual()
			a := account(s)
			row.change(a)
			_, out, err := run(t, a, "", apply(t))
			if err == nil || errors.As(err, new(Refusal)) != row.refused || !strings.Contains(out, row.says) || strings.Contains(out, "would change") {
				t.Errorf("%v, want %q before a plan:\n%s", err, row.says, out)
			}
		})
	}
}

func TestOthersChangeThePoolToo(t *testing.T) {
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
		refused   bool
		says      string
		updates   int
	}{
		{"a change at the same time is waited for", refuse("UpdateUserPool", "ConcurrentModificationException", 3), false, "Done.", 4},
		{"but not for ever", refuse("UpdateUserPool", "ConcurrentModificationException", 99), true, "Run the command again later", attempts},
		{"throttling is waited for", refuse("UpdateUserPool", "TooManyRequestsException", 1), false, "Done.", 2},
		{"V2_0 on the Lite plan", refuse("UpdateUserPool", "FeatureUnavailableInTierException", 1), true, "--version V1_0", 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := unusual()
			s.Intercept = row.intercept
			_, out, err := run(t, account(s), "", apply(t))
			if errors.As(err, new(Refusal)) != row.refused || !strings.Contains(out, row.says) || count(s, "UpdateUserPool") != row.updates {
				t.Errorf("%d updates, %v, want %d and %q:\n%s", count(s, "UpdateUserPool"), err, row.updates, row.says, out)
			}
		})
	}
	// at changes the pool before its n-th description.
	at := func(s *cognitoidp.Server, n int, change func()) {
		reads := 0
		s.Intercept = func(operation string) string {
			if operation == "DescribeUserPool" {
				if reads++; reads == n {
					change()
				}
			}
			return ""
		}
	}
	t.Run("a change since the plan is not overwritten", func(t *testing.T) {
		s := unusual()
		at(s, 2, func() { s.Pool["DeletionProtection"] = "INACTIVE" })
		if _, out, err := run(t, account(s), "", apply(t)); err == nil || !strings.Contains(out, "DeletionProtection") || count(s, "UpdateUserPool") != 0 {
			t.Errorf("%v:\n%s", err, out)
		}
	})
	t.Run("multi-factor authentication is set back", func(t *testing.T) {
		s := unusual()
		mfa := flatten(s.MFA)
		at(s, 3, func() { s.MFA = object{"MfaConfiguration": "OPTIONAL"} })
		if _, out, err := run(t, account(s), "", apply(t)); err != nil || len(differences(mfa, flatten(s.MFA))) > 0 || count(s, "SetUserPoolMfaConfig") != 1 {
			t.Errorf("%v, MFA is %v:\n%s", err, s.MFA, out)
		}
	})
	t.Run("a setting that is lost on the way is named", func(t *testing.T) {
		s := unusual()
		at(s, 3, func() { delete(s.Pool, "UserPoolTags") })
		if result, out, err := run(t, account(s), "", apply(t)); err == nil || result.Applied || fmt.Sprint(result.Wrong) != "[{UserPoolTags.team identity }]" || !strings.Contains(out, "UserPoolTags.team") {
			t.Errorf("%v:\n%s", err, out)
		}
	})
}

// After Ctrl-C during the write, attach says what state the pool is in.
func TestInterruptedWrite(t *testing.T) {
	rows := []struct {
		name   string
		change func(object) // what becomes of the pool
		says   string
	}{
		{"the request did not arrive", func(object) {}, "The pool has not changed so far"},
		{"the request arrived", func(pool object) {
			triggers := pool["LambdaConfig"].(object)
			triggers["PreTokenGenerationConfig"] = object{"LambdaArn": trigger, "LambdaVersion": "V2_0"}
			triggers["PreTokenGeneration"], triggers["PostConfirmation"], triggers["PostAuthentication"] = trigger, syncFunction, syncFunction
		}, "The pool has the new triggers, and all other settings are as before"},
		{"the pool cannot be read", func(pool object) { pool["Id"] = "gone" }, "The change may have been made"},
		{"something else changed", func(pool object) { pool["DeletionProtection"] = "INACTIVE" }, "DeletionProtection"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			s, reads := unusual(), 0
			reading := make(chan struct{})
			s.Intercept = func(operation string) string {
				switch {
				case operation == "UpdateUserPool":
					row.change(s.Pool)
					interrupt()
					<-reading
					return "InternalErrorException" // the client is gone
				case operation == "DescribeUserPool":
					if reads++; reads == 3 { // after the plan and right before the write
						close(reading)
					}
				}
				return ""
			}
			_, out, err := runContext(ctx, t, account(s), "", apply(t))
			if !errors.As(err, new(Refusal)) || !strings.Contains(out, "interrupted during the change") || !strings.Contains(out, row.says) {
				t.Errorf("%v, want %q:\n%s", err, row.says, out)
			}
		})
	}
	t.Run("a failure of Cognito", func(t *testing.T) {
		s := unusual()
		s.Intercept = func(operation string) string {
			return map[string]string{"UpdateUserPool": "InternalErrorException"}[operation]
		}
		_, out, err := run(t, account(s), "", apply(t))
		if !errors.As(err, new(Refusal)) || !strings.Contains(out, "Cognito gave no answer during the change. The pool has not changed so far") {
			t.Errorf("%v:\n%s", err, out)
		}
	})
}

func TestTarget(t *testing.T) {
	rows := []struct {
		name, says string
		target     Target
	}{
		{"the functions are needed", "--prefix is missing", Target{}},
		{"in one way, not in two", "cannot be combined", Target{Prefix: "acme", Sync: syncFunction}},
		{"an ARN is one of a function", "is not the ARN", Target{Trigger: "acme", Sync: syncFunction}},
		{"versions are Cognito's", `"V9" is unknown`, Target{Prefix: "acme", Version: "V9"}},
	}
	for _, row := range rows {
		if err := row.target.Check(); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.name, err, row.says)
		}
	}
	if err := (Target{Trigger: trigger, Sync: syncFunction, Version: "V1_0"}).Check(); err != nil {
		t.Error(err)
	}
}

func TestReadBackup(t *testing.T) {
	if _, err := ReadBackup("attach.go"); err == nil || !strings.Contains(err.Error(), "is not a backup file") {
		t.Errorf("a file of another kind: %v", err)
	}
	// A file of version 0 has no Region.
	old := filepath.Join(t.TempDir(), "old.json")
	os.WriteFile(old, []byte(`{"UserPoolID":"`+pool+`","At":"2026-01-02T15:04:05Z","Before":{},"After":{"PostConfirmation":"x"},"Settings":{}}`), 0o600)
	if b, err := ReadBackup(old); err != nil || b.UserPoolID != pool {
		t.Errorf("a file of an older version: %+v, %v", b, err)
	}
}
