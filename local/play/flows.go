package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

const (
	// clientID is also the machine that gets tokens.
	clientID = stack.ClientID
	// password is that of every user: the page asks for none.
	password = "Correct-horse-7"
)

var statuses = []string{cognitoidp.Unconfirmed, cognitoidp.Confirmed, cognitoidp.ForceChangePassword, cognitoidp.ResetRequired, cognitoidp.ExternalProvider}

// providers are the identity providers of the pool, without who signs in.
var providers = []cognitoidp.Identity{
	{Provider: "Google", Type: "Google"},
	{Provider: "ADFS", Type: "SAML", Issuer: "http://adfs.example.com/adfs/services/trust"},
	{Provider: "Okta", Type: "OIDC"},
}

// label is what people call a user.
func label(u cognitoidp.User) string {
	return cmp.Or(u.Attributes["email"], u.Attributes["name"], u.Attributes["phone_number"], u.Username)
}

// create signs a user up, or creates one as an administrator, and puts the user into the groups.
func (a *app) create(ctx context.Context, operation string, who newcomer, res *result) error {
	rest := maps.Clone(who.attributes)
	delete(rest, "email")
	in := cognitoidp.Object{"Username": who.attributes["email"], "UserAttributes": cognitoidp.Attributes(rest)}
	if operation == "SignUp" {
		in["ClientId"], in["Password"] = clientID, password
	} else {
		in["UserPoolId"], in["TemporaryPassword"], in["MessageAction"] = stack.PoolID, password, "SUPPRESS"
	}
	if _, err := a.pool.Do(ctx, operation, in); err != nil {
		return err
	}
	return a.welcome(ctx, func(u cognitoidp.User) bool {
		return u.Attributes["email"] == who.attributes["email"] && u.Provider == ""
	}, who.groups, res)
}

// welcome finds the new user, and puts the user into the groups.
func (a *app) welcome(ctx context.Context, is func(cognitoidp.User) bool, groups []string, res *result) error {
	all := a.pool.Users.All()
	i := slices.IndexFunc(all, is)
	if i < 0 {
		return errors.New("the pool has no new user")
	}
	res.sub = all[i].Sub()
	return a.setGroups(ctx, all[i], groups)
}

func (a *app) signIn(ctx context.Context, u cognitoidp.User, r request, res *result) error {
	response, err := a.pool.Do(ctx, "InitiateAuth", cognitoidp.Object{"ClientId": clientID, "AuthFlow": "USER_PASSWORD_AUTH",
		"AuthParameters": cognitoidp.Object{"USERNAME": u.Username, "PASSWORD": password}})
	if err == nil && response["ChallengeName"] != nil { // a new password in place of the temporary one
		response, err = a.pool.Do(ctx, "RespondToAuthChallenge", cognitoidp.Object{"ClientId": clientID, "ChallengeName": response["ChallengeName"],
			"Session": response["Session"], "ClientMetadata": r.metadata, "ChallengeResponses": cognitoidp.Object{"USERNAME": u.Username, "NEW_PASSWORD": password}})
	}
	res.tokens = tokensOf(response)
	return err
}

func (a *app) refresh(ctx context.Context, r request, res *result) (err error) {
	if len(r.metadata) == 0 {
		res.tokens, err = a.pool.Refresh(ctx, clientID, r.refresh)
		return err
	}
	// Of the refreshes, this one alone passes clientMetadata on.
	response, err := a.pool.Do(ctx, "GetTokensFromRefreshToken", cognitoidp.Object{"ClientId": clientID, "RefreshToken": r.refresh, "ClientMetadata": r.metadata})
	res.tokens = tokensOf(response)
	return err
}

// signInFederated signs a user of an identity provider in. The pool can put a new user into groups only after the first sign-in.
func (a *app) signInFederated(ctx context.Context, u cognitoidp.User, who newcomer, res *result) (err error) {
	i := slices.IndexFunc(providers, func(p cognitoidp.Identity) bool { return p.Provider == cmp.Or(u.Provider, who.provider) })
	if i < 0 {
		return fmt.Errorf("no identity provider %q", cmp.Or(u.Provider, who.provider))
	}
	identity := providers[i]
	if res.sub != "" {
		_, identity.UserID, _ = strings.Cut(u.Username, "_")
		res.tokens, err = a.pool.SignInFederated(ctx, clientID, identity)
		return err
	}
	identity.UserID, identity.Attributes = fmt.Sprintf("1%020d", rand.Uint64()), who.attributes
	res.tokens, err = a.pool.SignInFederated(ctx, clientID, identity)
	is := func(u cognitoidp.User) bool { return strings.HasSuffix(u.Username, "_"+identity.UserID) }
	return errors.Join(a.welcome(ctx, is, who.groups, res), err)
}

// tokensOf reads the response of a sign-in or a refresh.
func tokensOf(response cognitoidp.Object) cognitoidp.Tokens {
	result, _ := response["AuthenticationResult"].(cognitoidp.Object)
	text := func(name string) string { value, _ := result[name].(string); return value }
	return cognitoidp.Tokens{ID: text("IdToken"), Access: text("AccessToken"), Refresh: text("RefreshToken")}
}
