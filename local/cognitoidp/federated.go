package cognitoidp

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// An Identity is what an identity provider says about a user.
type Identity struct {
	Provider string // name in the pool, such as ADFS
	Type     string // such as SAML, OIDC or Google
	Issuer   string // of a SAML provider
	UserID   string
	// Attributes are those that the pool maps. Each sign-in writes them again.
	Attributes map[string]string
}

// SignInFederated signs a user of an identity provider in with managed login. The first sign-in creates the user, and calls
// post confirmation instead of post authentication.
func (s *Server) SignInFederated(ctx context.Context, clientID string, who Identity) (Tokens, error) {
	c := s.begin(ctx, "Token_POST", nil)
	response, refused := c.signInFederated(clientID, who)
	c.recordManagedLogin(clientID)
	if refused != nil {
		return Tokens{}, refused
	}
	return tokensOf(response), nil
}

func (c *call) signInFederated(clientID string, who Identity) (any, *awsjson.Error) {
	client, refused := c.app(&clientID)
	if refused != nil {
		return nil, refused
	}
	name := strings.ToLower(who.Provider + "_" + who.UserID)
	g := grant{client: client, source: "TokenGeneration_HostedAuth", scopes: []string{"openid", "profile", "email"}}
	if c.find(&name) != nil {
		if refused := c.Users.create(c.newFederated(name, who), nil); refused != nil {
			return nil, refused
		}
		if refused := c.find(&name); refused != nil {
			return nil, refused
		}
		if refused := c.tell("PostConfirmation", userpool.Trigger{Source: "PostConfirmation_ConfirmSignUp", ClientID: clientID}); refused != nil {
			return nil, refused
		}
		return c.issue(g, true)
	}
	if !c.user.Enabled {
		return nil, errDisabled
	}
	if c.user, refused = c.Users.edit(c.user.Sub(), func(u *User) *awsjson.Error { maps.Copy(u.Attributes, who.Attributes); return nil }); refused != nil {
		return nil, refused
	}
	return c.signIn(g)
}

func (c *call) newFederated(name string, who Identity) User {
	var issuer any
	if who.Issuer != "" {
		issuer = who.Issuer
	}
	type identity struct {
		UserID       string `json:"userId"`
		ProviderName string `json:"providerName"`
		ProviderType string `json:"providerType"`
		Issuer       any    `json:"issuer"`
		Primary      bool   `json:"primary"`
		DateCreated  int64  `json:"dateCreated"`
	}
	identities, err := json.Marshal([]identity{{who.UserID, who.Provider, who.Type, issuer, true, time.Now().UnixMilli()}})
	if err != nil {
		panic(err) // texts can always be encoded
	}
	u := User{Username: name, Attributes: map[string]string{}, Enabled: true, Status: ExternalProvider, Provider: who.Provider}
	for _, attribute := range verifiable {
		if who.Attributes[attribute] != "" {
			u.Attributes[attribute+"_verified"] = "false"
		}
	}
	maps.Copy(u.Attributes, who.Attributes)
	u.Attributes["sub"], u.Attributes["identities"] = uuid.NewString(), string(identities)
	poolID, _ := c.pool["Id"].(string)
	group := poolID + "_" + who.Provider
	u.Groups = []string{group}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.Groups, group) {
		c.Server.Groups = append(slices.Clone(c.Groups), group)
	}
	return u
}
