package smoke

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
)

// signIn signs the user in, with the first flow that the app client allows. It returns nil if there are no tokens.
func (s *smoke) signIn(ctx context.Context) *cognito.AuthenticationResultType {
	const check = "sign-in"
	began := time.Now()
	result, challenge, err := s.authenticate(ctx, s.flow(), map[string]string{"USERNAME": s.user.name, "PASSWORD": s.user.password})
	switch {
	case err != nil:
		s.failed(ctx, check, err, "see the log of the claims function and of the sync function. A WAF or another trigger can refuse the sign-in too")
	case result == nil:
		s.add(check, doctor.Fail, "Cognito asks for "+string(challenge), "smoke signs in with a password alone. Use a pool, or a test pool, where MFA is optional or off")
	default:
		s.ok(check, took(began))
	}
	return result
}

// refresh gets new tokens for the refresh token. An app client with rotation of refresh tokens has an operation for this.
func (s *smoke) refresh(ctx context.Context, tokens *cognito.AuthenticationResultType) (result *cognito.AuthenticationResultType) {
	const check = "refresh"
	began := time.Now()
	var err error
	if r := s.client.RefreshTokenRotation; r != nil && r.Feature == cognito.FeatureTypeEnabled {
		in := &cognitoidentityprovider.GetTokensFromRefreshTokenInput{ClientId: &s.Client, RefreshToken: tokens.RefreshToken}
		if s.ClientSecret != "" {
			in.ClientSecret = &s.ClientSecret
		}
		var out *cognitoidentityprovider.GetTokensFromRefreshTokenOutput
		if out, err = s.cognito.GetTokensFromRefreshToken(ctx, in); err == nil {
			result = out.AuthenticationResult
		}
	} else {
		result, _, err = s.authenticate(ctx, cognito.AuthFlowTypeRefreshTokenAuth, map[string]string{"REFRESH_TOKEN": aws.ToString(tokens.RefreshToken)})
	}
	switch {
	case err != nil:
		s.failed(ctx, check, err, "the app client needs ALLOW_REFRESH_TOKEN_AUTH, or rotation of refresh tokens. See the log of the claims function")
	case result == nil:
		s.add(check, doctor.Fail, "Cognito gives no tokens", "see the log of the claims function")
	default:
		s.ok(check, took(began))
	}
	return result
}

// authenticate starts a flow. Without tokens, challenge says what Cognito asks for.
func (s *smoke) authenticate(ctx context.Context, flow cognito.AuthFlowType, parameters map[string]string) (*cognito.AuthenticationResultType, cognito.ChallengeNameType, error) {
	if s.ClientSecret != "" {
		parameters["SECRET_HASH"] = secretHash(s.ClientSecret, s.user.name, s.Client)
	}
	if flow == cognito.AuthFlowTypeAdminUserPasswordAuth {
		out, err := s.cognito.AdminInitiateAuth(ctx, &cognitoidentityprovider.AdminInitiateAuthInput{
			UserPoolId: &s.Pool, ClientId: &s.Client, AuthFlow: flow, AuthParameters: parameters,
		})
		if err != nil {
			return nil, "", err
		}
		return out.AuthenticationResult, out.ChallengeName, nil
	}
	out, err := s.cognito.InitiateAuth(ctx, &cognitoidentityprovider.InitiateAuthInput{ClientId: &s.Client, AuthFlow: flow, AuthParameters: parameters})
	if err != nil {
		return nil, "", err
	}
	return out.AuthenticationResult, out.ChallengeName, nil
}

// secretHash is SECRET_HASH ("Computing secret hash values" in the Amazon Cognito Developer Guide).
func secretHash(secret, name, client string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(name + client))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func took(began time.Time) string {
	return fmt.Sprintf("in %d ms", time.Since(began).Milliseconds())
}
