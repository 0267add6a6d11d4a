package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
)

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

// A request has the parameters of an operation of the pool.
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
