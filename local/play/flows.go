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

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
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

// providerGroup is the group that Cognito makes for the users of an identity provider.
func providerGroup(u cognitoidp.User) string { return stack.PoolID + "_" + u.Provider }

// groups are those that somebody has put the user in.
func groups(u cognitoidp.User) []string {
	return slices.DeleteFunc(slices.Clone(u.Groups), func(name string) bool { return u.Provider != "" && name == providerGroup(u) })
}

// steps in a context collects what the triggers of an operation do.
type steps struct{ list []step }

type stepsKey struct{}

// watch puts what the triggers do into the steps of the context. Users of the pool sign in with an e-mail address.
func watch(s *stack.Stack) {
	s.UserPool.Pool["UsernameAttributes"] = []any{"email"}
	s.UserPool.Invoke = func(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
		call, err := s.Send(ctx, arn[strings.LastIndex(arn, ":")+1:], event)
		if all, ok := ctx.Value(stepsKey{}).(*steps); ok && err == nil {
			all.list = append(all.list, step{Call: call})
		}
		return call.Result, err
	}
	s.UserPool.Invoked = func(ctx context.Context, i cognitoidp.Invocation) {
		if all, ok := ctx.Value(stepsKey{}).(*steps); ok && len(all.list) > 0 {
			last := &all.list[len(all.list)-1]
			last.Source, last.Event, last.Refused = i.Source, i.Event, i.Refused
		}
	}
}

// Operations, as they are called on the page.
const (
	signUp        = "Sign up"
	confirm       = "Confirm"
	signIn        = "Sign in"
	refresh       = "Refresh"
	forgot        = "Forgot password"
	adminCreate   = "Create by an administrator"
	machineTokens = "Machine token"
)

// done says what Cognito did.
var done = map[string]string{
	signUp:        "Cognito has sent a confirmation code.",
	confirm:       "Cognito has confirmed the user.",
	signIn:        "Cognito has issued the tokens.",
	refresh:       "Cognito has issued the tokens.",
	forgot:        "Cognito has set the new password.",
	adminCreate:   "Cognito has sent an invitation with a temporary password.",
	machineTokens: "Cognito has issued the token.",
}

// silent says why Cognito calls no function.
var silent = map[string]string{
	signUp:        "Cognito calls no function: the user can sign in only after confirming.",
	adminCreate:   "Cognito calls no function, now or when the password is changed. The first sign-in writes the row.",
	machineTokens: "Cognito calls no function for a machine with this trigger version. Only V3_0 does.",
}

// A request is what somebody asks the pool for.
type request struct {
	version  string   // of the pre token generation trigger from now on: 1, 2 or 3; empty leaves it as it is
	who      newcomer // of a new user
	sub      string   // of the user; empty for a machine and for a new user
	refresh  string   // the refresh token
	metadata map[string]string
}

// A newcomer is a user who is not in the pool yet.
type newcomer struct {
	attributes map[string]string
	groups     []string
	provider   string // name of the identity provider; empty for a user with a password
}

// A result is what an operation led to.
type result struct {
	sub     string
	steps   []step
	refused error // Cognito's error, which the app gets; nil if there is none
	tokens  cognitoidp.Tokens
}

// do does an operation. The error is one of the page, not Cognito's.
func (a *app) do(ctx context.Context, operation string, r request) (result, error) {
	all := new(steps)
	res := result{sub: r.sub}
	err := a.call(context.WithValue(ctx, stepsKey{}, all), operation, r, &res)
	for i := range all.list {
		all.list[i].Operation = operation
	}
	if res.steps = all.list; len(res.steps) == 0 && err == nil {
		res.steps = []step{{Operation: operation, Note: silent[operation]}}
	}
	if refused, ok := errors.AsType[*awsjson.Error](err); ok && ctx.Err() == nil {
		res.refused, err = refused, nil
	}
	return res, err
}

func (a *app) call(ctx context.Context, operation string, r request, res *result) (err error) {
	u, _ := a.pool.Users.Get(r.sub)
	name := cognitoidp.Object{"ClientId": clientID, "Username": u.Username, "ConfirmationCode": cognitoidp.Code, "ClientMetadata": r.metadata}
	switch operation {
	case signUp:
		return a.create(ctx, "SignUp", r.who, res)
	case adminCreate:
		return a.create(ctx, "AdminCreateUser", r.who, res)
	case confirm:
		_, err = a.pool.Do(ctx, "ConfirmSignUp", name)
		return err
	case forgot:
		if _, err = a.pool.Do(ctx, "ForgotPassword", cognitoidp.Object{"ClientId": clientID, "Username": u.Username}); err != nil {
			return err
		}
		name["Password"] = password
		_, err = a.pool.Do(ctx, "ConfirmForgotPassword", name)
		return err
	case refresh:
		return a.refresh(ctx, r, res)
	case machineTokens:
		res.tokens.Access, err = a.pool.ClientCredentials(ctx, clientID, []string{"api/read"}, r.metadata)
		return err
	case signIn:
		if u.Provider != "" || r.who.provider != "" {
			return a.signInFederated(ctx, u, r.who, res)
		}
		return a.signIn(ctx, u, r, res)
	}
	return fmt.Errorf("no operation %q", operation)
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

// setGroups puts the user into these groups alone, apart from the one of the identity provider.
func (a *app) setGroups(ctx context.Context, u cognitoidp.User, want []string) error {
	var errs []error
	has := groups(u)
	for _, name := range want {
		if slices.Contains(has, name) {
			continue
		}
		// The group may be there already.
		_, err := a.pool.Do(ctx, "CreateGroup", cognitoidp.Object{"UserPoolId": stack.PoolID, "GroupName": name})
		if refused, ok := errors.AsType[*awsjson.Error](err); err != nil && (!ok || refused.Code != "GroupExistsException") {
			return err
		}
		_, err = a.pool.Do(ctx, "AdminAddUserToGroup", cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": u.Username, "GroupName": name})
		errs = append(errs, err)
	}
	for _, name := range has {
		if !slices.Contains(want, name) {
			_, err := a.pool.Do(ctx, "AdminRemoveUserFromGroup", cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": u.Username, "GroupName": name})
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
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

// edit changes a user as an administrator does. Put sets the status, for which there is no operation.
func (a *app) edit(ctx context.Context, u cognitoidp.User, attributes map[string]string, groups []string, status string, enabled bool) error {
	in := cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": u.Username}
	with := func(name string, value any) cognitoidp.Object {
		more := maps.Clone(in)
		more[name] = value
		return more
	}
	changed, gone := make(map[string]string), []string{}
	for name, value := range attributes {
		if u.Attributes[name] != value {
			changed[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		if _, stays := attributes[name]; !stays && name != "sub" && name != "identities" {
			gone = append(gone, name)
		}
	}
	var errs []error
	do := func(operation string, in cognitoidp.Object) {
		_, err := a.pool.Do(ctx, operation, in)
		errs = append(errs, err)
	}
	if len(gone) > 0 {
		do("AdminDeleteUserAttributes", with("UserAttributeNames", gone))
	}
	if len(changed) > 0 {
		do("AdminUpdateUserAttributes", with("UserAttributes", cognitoidp.Attributes(changed)))
	}
	if u.Enabled != enabled {
		do(map[bool]string{true: "AdminEnableUser", false: "AdminDisableUser"}[enabled], in)
	}
	errs = append(errs, a.setGroups(ctx, u, groups))
	if u.Status != status {
		if now, ok := a.pool.Users.Get(u.Sub()); ok {
			now.Status = status
			a.pool.Users.Put(now)
		}
	}
	return errors.Join(errs...)
}

// tokensOf reads the response of a sign-in or a refresh.
func tokensOf(response cognitoidp.Object) cognitoidp.Tokens {
	result, _ := response["AuthenticationResult"].(cognitoidp.Object)
	text := func(name string) string { value, _ := result[name].(string); return value }
	return cognitoidp.Tokens{ID: text("IdToken"), Access: text("AccessToken"), Refresh: text("RefreshToken")}
}
