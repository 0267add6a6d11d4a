package attach

import (
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// updateOf returns the request that leaves a pool as it is: every setting that UpdateUserPool takes, with the pool's value.
func updateOf(p *types.UserPoolType) *cognitoidentityprovider.UpdateUserPoolInput {
	return &cognitoidentityprovider.UpdateUserPoolInput{
		UserPoolId:                  p.Id,
		AccountRecoverySetting:      p.AccountRecoverySetting,
		AdminCreateUserConfig:       adminCreateUserConfig(p),
		AutoVerifiedAttributes:      p.AutoVerifiedAttributes,
		DeletionProtection:          p.DeletionProtection,
		DeviceConfiguration:         p.DeviceConfiguration,
		EmailConfiguration:          p.EmailConfiguration,
		EmailVerificationMessage:    p.EmailVerificationMessage,
		EmailVerificationSubject:    p.EmailVerificationSubject,
		IssuerConfiguration:         p.IssuerConfiguration,
		KeyConfiguration:            p.KeyConfiguration,
		LambdaConfig:                p.LambdaConfig,
		MfaConfiguration:            p.MfaConfiguration,
		Policies:                    p.Policies,
		PoolName:                    p.Name,
		SmsAuthenticationMessage:    p.SmsAuthenticationMessage,
		SmsConfiguration:            p.SmsConfiguration,
		SmsVerificationMessage:      p.SmsVerificationMessage,
		UserAttributeUpdateSettings: p.UserAttributeUpdateSettings,
		UserPoolAddOns:              p.UserPoolAddOns,
		UserPoolTags:                p.UserPoolTags,
		UserPoolTier:                p.UserPoolTier,
		VerificationMessageTemplate: p.VerificationMessageTemplate,
	}
}

// adminCreateUserConfig leaves out a setting that DescribeUserPool returns and UpdateUserPool refuses ("Please use
// TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays"). The password policy holds the same
// value under its new name.
func adminCreateUserConfig(p *types.UserPoolType) *types.AdminCreateUserConfigType {
	if p.AdminCreateUserConfig == nil || p.Policies == nil || p.Policies.PasswordPolicy == nil ||
		p.Policies.PasswordPolicy.TemporaryPasswordValidityDays == 0 {
		return p.AdminCreateUserConfig
	}
	c := *p.AdminCreateUserConfig
	c.UnusedAccountValidityDays = 0
	return &c
}

// mfaOf returns the request that leaves multi-factor authentication as it is. UpdateUserPool has only its switch.
func mfaOf(pool string, m *cognitoidentityprovider.GetUserPoolMfaConfigOutput) *cognitoidentityprovider.SetUserPoolMfaConfigInput {
	return &cognitoidentityprovider.SetUserPoolMfaConfigInput{
		UserPoolId:                    &pool,
		EmailMfaConfiguration:         m.EmailMfaConfiguration,
		MfaConfiguration:              m.MfaConfiguration,
		SmsMfaConfiguration:           m.SmsMfaConfiguration,
		SoftwareTokenMfaConfiguration: m.SoftwareTokenMfaConfiguration,
		WebAuthnConfiguration:         m.WebAuthnConfiguration,
	}
}
