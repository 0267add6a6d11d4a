package attach

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// TestEmulator attaches to a pool of another emulator, such as moto, whose URL is ATTACH_ENDPOINT. The pool has no
// UsernameAttributes: moto 5.2.1 forgets them in an update, and attach says so.
func TestEmulator(t *testing.T) {
	endpoint := os.Getenv("ATTACH_ENDPOINT")
	if endpoint == "" {
		t.Log("ATTACH_ENDPOINT is not set: no emulator was asked")
		return
	}
	functions := account(nil)
	functions.Start(t) // of Lambda alone: the pool is the emulator's
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", endpoint)
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
	for arn, policy := range functions.Policies {
		functions.Policies[arn] = strings.ReplaceAll(policy, "arn:aws:cognito-idp:us-east-1:123456789012:userpool/"+pool, *created.UserPool.Arn)
	}
	o := apply(t)
	o.Pool = *created.UserPool.Id
	o.Target = Target{Trigger: trigger, Sync: syncFunction}
	a := attacher{Options: o, cognito: client}
	before, err := a.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := Run(t.Context(), cfg, o, Streams{strings.NewReader(""), &out, &out}); err != nil {
		t.Fatalf("%v:\n%s", err, &out)
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
