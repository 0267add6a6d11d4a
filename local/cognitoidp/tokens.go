package cognitoidp

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// A grant is why tokens are issued.
type grant struct {
	client   Object
	source   string // the source of the pre token generation trigger
	scopes   []string
	metadata map[string]string
}

// Tokens are what a sign-in or a refresh gives to an app.
type Tokens struct{ ID, Access, Refresh string } // without rotation, a refresh gives no new refresh token

// SignIn signs a user in with InitiateAuth. The app client must allow USER_PASSWORD_AUTH.
func (s *Server) SignIn(ctx context.Context, clientID, name, password string) (Tokens, error) {
	response, err := s.Do(ctx, "InitiateAuth", Object{"ClientId": clientID, "AuthFlow": "USER_PASSWORD_AUTH",
		"AuthParameters": Object{"USERNAME": name, "PASSWORD": password}})
	if err == nil && response["ChallengeName"] != nil {
		return Tokens{}, awsjson.Errorf("NotAuthorizedException", "the challenge %s is not answered", response["ChallengeName"])
	}
	return tokensOf(response), err
}

// Refresh refreshes tokens with InitiateAuth. The app client must allow REFRESH_TOKEN_AUTH.
func (s *Server) Refresh(ctx context.Context, clientID, refreshToken string) (Tokens, error) {
	response, err := s.Do(ctx, "InitiateAuth", Object{"ClientId": clientID, "AuthFlow": "REFRESH_TOKEN_AUTH",
		"AuthParameters": Object{"REFRESH_TOKEN": refreshToken}})
	return tokensOf(response), err
}

// tokens calls the pre token generation trigger and signs the tokens.
func (c *call) tokens(t userpool.Trigger) (Tokens, *awsjson.Error) {
	if c.Tokens == nil {
		return Tokens{}, awsjson.Errorf("InternalErrorException", "the stand-in has no keys for tokens")
	}
	arn, version := c.preTokenGeneration()
	if t.Version = version; t.Source == userpool.ClientCredentials && version != "3" {
		arn, t.Version = "", "3" // Cognito calls no function
	}
	sent := c.event(t)
	returned := sent
	if arn != "" {
		var refused *awsjson.Error
		if returned, refused = c.invoke(t.Source, arn, sent); refused != nil {
			return Tokens{}, refused
		}
	}
	claims, err := c.Tokens.Tokens(sent, returned, time.Now())
	if err != nil {
		return Tokens{}, exception(err)
	}
	var signed Tokens
	if signed.ID, signed.Access, err = c.Tokens.Sign(claims); err != nil {
		return Tokens{}, exception(err)
	}
	return signed, nil
}

// preTokenGeneration returns the function and the version, such as 2, of the trigger.
func (c *call) preTokenGeneration() (arn, version string) {
	triggers := member(c.pool, "LambdaConfig")
	config := member(triggers, "PreTokenGenerationConfig")
	arn, _ = config["LambdaArn"].(string)
	older, _ := triggers["PreTokenGeneration"].(string)
	version, _ = config["LambdaVersion"].(string)
	return cmp.Or(arn, older), cmp.Or(strings.TrimSuffix(strings.TrimPrefix(version, "V"), "_0"), "1")
}

// issue gives the user tokens.
func (c *call) issue(g grant, renew bool) (any, *awsjson.Error) {
	signed, refused := c.tokens(userpool.Trigger{Source: g.source, ClientID: id(g.client), Groups: c.user.Groups, Scopes: g.scopes, Metadata: g.metadata})
	if refused != nil {
		return nil, refused
	}
	result := Object{"IdToken": signed.ID, "AccessToken": signed.Access, "TokenType": "Bearer", "ExpiresIn": 3600}
	if renew {
		c.user, refused = c.Users.edit(c.user.Sub(), func(u *User) *awsjson.Error {
			u.refresh = u.Sub() + "." + rand.Text()
			return nil
		})
		result["RefreshToken"] = c.user.refresh
	}
	return Object{"AuthenticationResult": result}, refused
}

// tokensOf reads a response with an AuthenticationResult.
func tokensOf(response any) Tokens {
	object, _ := response.(Object)
	result := member(object, "AuthenticationResult")
	text := func(name string) string { value, _ := result[name].(string); return value }
	return Tokens{text("IdToken"), text("AccessToken"), text("RefreshToken")}
}
