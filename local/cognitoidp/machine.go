package cognitoidp

import (
	"context"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// ClientCredentials gives a machine an access token. Only version V3_0 of the pre token generation trigger is called.
func (s *Server) ClientCredentials(ctx context.Context, clientID string, scopes []string, metadata map[string]string) (access string, err error) {
	c := s.begin(ctx, "Token_POST", nil)
	signed, refused := c.machine(clientID, scopes, metadata)
	c.recordManagedLogin(clientID)
	if refused != nil {
		return "", refused
	}
	return signed.Access, nil
}

func (c *call) machine(clientID string, scopes []string, metadata map[string]string) (Tokens, *awsjson.Error) {
	if _, refused := c.app(&clientID); refused != nil {
		return Tokens{}, refused
	}
	return c.tokens(userpool.Trigger{Source: userpool.ClientCredentials, ClientID: clientID, Username: clientID, Scopes: scopes, Metadata: metadata})
}
