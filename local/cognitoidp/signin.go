package cognitoidp

import (
	"crypto/rand"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

var (
	errPassword = awsjson.Errorf("NotAuthorizedException", "Incorrect username or password.")
	errDisabled = awsjson.Errorf("NotAuthorizedException", "User is disabled.")
	errRefresh  = awsjson.Errorf("NotAuthorizedException", "Invalid Refresh Token")
)

// apiScopes are the scopes of tokens that the API issues.
var apiScopes = []string{"aws.cognito.signin.user.admin"}

// initiateAuth does not pass ClientMetadata on, as in Cognito.
func (c *call) initiateAuth(in sdk.InitiateAuthInput) (any, *awsjson.Error) {
	return c.auth(in.ClientId, string(in.AuthFlow), in.AuthParameters)
}

func (c *call) adminInitiateAuth(in sdk.AdminInitiateAuthInput) (any, *awsjson.Error) {
	return c.auth(in.ClientId, string(in.AuthFlow), in.AuthParameters)
}

func (c *call) auth(clientID *string, flow string, parameters map[string]string) (any, *awsjson.Error) {
	client, refused := c.app(clientID)
	if refused != nil {
		return nil, refused
	}
	flows, _ := client["ExplicitAuthFlows"].([]any)
	refreshes := flow == "REFRESH_TOKEN_AUTH"
	if refreshes && rotates(client) || !slices.Contains(flows, any("ALLOW_"+flow)) {
		return nil, awsjson.Errorf("InvalidParameterException", "%s flow not enabled for this client", flow)
	}
	if refreshes {
		return c.refresh(parameters["REFRESH_TOKEN"], grant{client: client, source: "TokenGeneration_RefreshTokens", scopes: apiScopes})
	}
	name := parameters["USERNAME"]
	if c.find(&name) != nil {
		return nil, errPassword
	}
	if refused := checkSecret(client, name, parameters["SECRET_HASH"]); refused != nil {
		return nil, refused
	}
	switch u := c.user; {
	case !u.Enabled:
		return nil, errDisabled
	case u.Status == ResetRequired:
		return nil, awsjson.Errorf("PasswordResetRequiredException", "Password reset required for the user")
	case u.password == "" || u.password != parameters["PASSWORD"]:
		return nil, errPassword
	case u.Status == Unconfirmed:
		return nil, awsjson.Errorf("UserNotConfirmedException", "User is not confirmed.")
	case u.Status == ForceChangePassword:
		return c.challenge()
	case c.pool["MfaConfiguration"] == "ON":
		return Object{"ChallengeName": "MFA_SETUP", "Session": rand.Text()}, nil
	}
	return c.signIn(grant{client: client, source: "TokenGeneration_Authentication", scopes: apiScopes})
}

// challenge asks for a new password in place of the temporary one.
func (c *call) challenge() (any, *awsjson.Error) {
	var refused *awsjson.Error
	c.user, refused = c.Users.edit(c.user.Sub(), func(u *User) *awsjson.Error { u.session = rand.Text(); return nil })
	return Object{"ChallengeName": types.ChallengeNameTypeNewPasswordRequired, "Session": c.user.session,
		"ChallengeParameters": Object{"USER_ID_FOR_SRP": c.user.Username, "requiredAttributes": "[]"}}, refused
}

func (c *call) respond(in sdk.RespondToAuthChallengeInput) (any, *awsjson.Error) {
	return c.newPassword(in.ClientId, in.ChallengeName, in.Session, in.ChallengeResponses, in.ClientMetadata)
}

func (c *call) adminRespond(in sdk.AdminRespondToAuthChallengeInput) (any, *awsjson.Error) {
	return c.newPassword(in.ClientId, in.ChallengeName, in.Session, in.ChallengeResponses, in.ClientMetadata)
}

// newPassword serves the challenge NEW_PASSWORD_REQUIRED. The triggers still see the old status.
func (c *call) newPassword(clientID *string, challenge types.ChallengeNameType, session *string, responses, metadata map[string]string) (any, *awsjson.Error) {
	client, refused := c.app(clientID)
	if refused != nil {
		return nil, refused
	}
	if challenge != types.ChallengeNameTypeNewPasswordRequired {
		return nil, awsjson.Errorf("InvalidParameterException", "the stand-in does not serve the challenge %s", challenge)
	}
	name, password := responses["USERNAME"], responses["NEW_PASSWORD"]
	if c.find(&name) != nil || c.user.session == "" || c.user.session != aws.ToString(session) {
		return nil, awsjson.Errorf("NotAuthorizedException", "Invalid session for the user.")
	}
	if refused := checkSecret(client, name, responses["SECRET_HASH"]); refused != nil {
		return nil, refused
	}
	var attributes []types.AttributeType
	for key, value := range responses {
		if attribute, ok := strings.CutPrefix(key, "userAttributes."); ok {
			attributes = append(attributes, types.AttributeType{Name: &attribute, Value: &value})
		}
	}
	c.user, refused = c.Users.edit(c.user.Sub(), func(u *User) *awsjson.Error {
		if refused := c.checkPassword(&password); refused != nil {
			return refused
		}
		u.password, u.session = password, ""
		return c.set(u, attributes)
	})
	if refused != nil {
		return nil, refused
	}
	result, refused := c.signIn(grant{client: client, source: "TokenGeneration_NewPasswordChallenge", scopes: apiScopes, metadata: metadata})
	if refused == nil {
		c.user, refused = c.Users.edit(c.user.Sub(), func(u *User) *awsjson.Error { u.Status = Confirmed; return nil })
	}
	return result, refused
}

// rotate serves GetTokensFromRefreshToken, the only refresh that passes clientMetadata on.
func (c *call) rotate(in sdk.GetTokensFromRefreshTokenInput) (any, *awsjson.Error) {
	client, refused := c.app(in.ClientId)
	if refused != nil {
		return nil, refused
	}
	if secret := client["ClientSecret"]; secret != nil && secret != aws.ToString(in.ClientSecret) {
		return nil, awsjson.Errorf("NotAuthorizedException", "Client secret is wrong.")
	}
	return c.refresh(aws.ToString(in.RefreshToken), grant{client: client, source: "TokenGeneration_Authentication", scopes: apiScopes, metadata: in.ClientMetadata})
}

func rotates(client Object) bool {
	return member(client, "RefreshTokenRotation")["Feature"] == "ENABLED"
}

// A refresh token begins with the sub of its user.
func (c *call) refresh(token string, g grant) (any, *awsjson.Error) {
	sub, _, _ := strings.Cut(token, ".")
	var found bool
	switch c.user, found = c.Users.Get(sub); {
	case !found || token == "" || c.user.refresh != token:
		return nil, errRefresh
	case !c.user.Enabled:
		return nil, errDisabled
	}
	return c.issue(g, rotates(g.client))
}

// signIn calls post authentication and issues tokens.
func (c *call) signIn(g grant) (any, *awsjson.Error) {
	refused := c.tell("PostAuthentication", userpool.Trigger{Source: "PostAuthentication_Authentication", ClientID: id(g.client), Metadata: g.metadata})
	if refused != nil {
		return nil, refused
	}
	return c.issue(g, true)
}
