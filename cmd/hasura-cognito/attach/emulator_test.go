package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// TestEmulator attaches to a pool of an emulator that others wrote, moto for one,
// when ATTACH_ENDPOINT has its URL. It fails where there is none at that URL. The pool
// has no UsernameAttributes: moto 5.2.1 forgets them in an update, and attach tells.
func TestEmulator(t *testing.T) {
	endpoint := os.Getenv("ATTACH_ENDPOINT")
	if endpoint == "" {
		t.Log("ATTACH_ENDPOINT is not set: only the stand-in of this repository was asked")
		return
	}
	point(t, endpoint)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"))
	if err != nil {
		t.Fatal(err)
	}
	client := cognitoidentityprovider.NewFromConfig(cfg)
	text := func(s string) *string { return &s }
	number := func(n int32) *int32 { return &n }
	created, err := client.CreateUserPool(t.Context(), &cognitoidentityprovider.CreateUserPoolInput{
		PoolName:               text("attach"),
		AutoVerifiedAttributes: []types.VerifiedAttributeType{"email"},
		AccountRecoverySetting: &types.AccountRecoverySettingType{RecoveryMechanisms: []types.RecoveryOptionType{{Name: "verified_email", Priority: number(1)}}},
		AdminCreateUserConfig:  &types.AdminCreateUserConfigType{AllowAdminCreateUserOnly: true, InviteMessageTemplate: &types.MessageTemplateType{EmailSubject: text("Welcome")}},
		DeletionProtection:     "ACTIVE",
		DeviceConfiguration:    &types.DeviceConfigurationType{ChallengeRequiredOnNewDevice: true},
		EmailConfiguration:     &types.EmailConfigurationType{EmailSendingAccount: "DEVELOPER", SourceArn: text("arn:aws:ses:us-east-1:123456789012:identity/example.com")},
		LambdaConfig:           &types.LambdaConfigType{PreSignUp: text(functionARN + "guard")},
		Policies:               &types.UserPoolPolicyType{PasswordPolicy: &types.PasswordPolicyType{MinimumLength: number(14), TemporaryPasswordValidityDays: 3}},
		UserPoolAddOns:         &types.UserPoolAddOnsType{AdvancedSecurityMode: "AUDIT"},
		UserPoolTags:           map[string]string{"team": "identity"},
		UserPoolTier:           "PLUS",
		VerificationMessageTemplate: &types.VerificationMessageTemplateType{
			DefaultEmailOption: "CONFIRM_WITH_CODE", EmailMessage: text("the code is {####}"), EmailSubject: text("code"), SmsMessage: text("{####}"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.SetUserPoolMfaConfig(t.Context(), &cognitoidentityprovider.SetUserPoolMfaConfigInput{
		UserPoolId: created.UserPool.Id, MfaConfiguration: "OPTIONAL", SoftwareTokenMfaConfiguration: &types.SoftwareTokenMfaConfigType{Enabled: true},
	}); err != nil {
		t.Fatal(err)
	}
	a := attacher{pool: *created.UserPool.Id, client: client}
	before, err := a.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"-pool", a.pool, "-prefix", "acme", "-apply", "-yes", "-backup", t.TempDir()}, strings.NewReader(""), &out, &out); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, &out)
	}
	after, err := a.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range differences(before.flat(), after.flat()) {
		if !strings.HasPrefix(path, "LambdaConfig.PreTokenGeneration") && !strings.HasPrefix(path, "LambdaConfig.Post") {
			t.Errorf("%s changed from %q to %q", path, before.flat()[path], after.flat()[path])
		}
	}
	t.Log(&out)
}
