package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// clientID is the app client of the pool, and the machine that gets tokens.
const clientID = "1example23456789example012"

// Statuses of users, as in Cognito.
const (
	unconfirmed         = "UNCONFIRMED"
	confirmed           = "CONFIRMED"
	forceChangePassword = "FORCE_CHANGE_PASSWORD"
	resetRequired       = "RESET_REQUIRED"
	externalProvider    = "EXTERNAL_PROVIDER"
)

var statuses = []string{unconfirmed, confirmed, forceChangePassword, resetRequired, externalProvider}

// A provider is an identity provider of the pool.
type provider struct{ Name, Type string }

var providers = []provider{{"Google", "Google"}, {"ADFS", "SAML"}, {"Okta", "OIDC"}}

// A user is a user of the pool.
type user struct {
	cognitoidp.User
	Groups   []string
	Provider string // name of the identity provider; empty for a user with a password

	seen     bool // an identity provider has sent the user before
	signedIn bool // the user has a refresh token
}

func (u user) Sub() string { return u.Attributes["sub"] }

// Label is what people call the user.
func (u user) Label() string {
	return cmp.Or(u.Attributes["email"], u.Attributes["name"], u.Attributes["phone_number"], u.Username)
}

// A pool has the users, and signs them in as Cognito does.
type pool struct {
	stack *stack.Stack

	mu    sync.Mutex
	users []user // the newest first
}

func (p *pool) list() []user {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.users)
}

func (p *pool) find(sub string) (user, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.index(sub); i >= 0 {
		return p.users[i], true
	}
	return user{}, false
}

func (p *pool) index(sub string) int {
	return slices.IndexFunc(p.users, func(u user) bool { return u.Sub() == sub })
}

// put creates the user or replaces it.
func (p *pool) put(u user) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.index(u.Sub()); i >= 0 {
		p.users[i] = u
	} else {
		p.users = slices.Insert(p.users, 0, u)
	}
}

func (p *pool) remove(sub string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users = slices.DeleteFunc(p.users, func(u user) bool { return u.Sub() == sub })
}

// newUser gives a new user a sub and a user name, and the status that Cognito gives.
func newUser(attributes map[string]string, groups []string, from, status string) user {
	u := user{Groups: groups, Provider: from}
	u.Attributes = map[string]string{"sub": uuid.NewString()}
	maps.Copy(u.Attributes, attributes)
	u.Username, u.Enabled, u.Status = u.Sub(), true, status
	if i := slices.IndexFunc(providers, func(p provider) bool { return p.Name == from }); i >= 0 {
		id := fmt.Sprintf("1%020d", rand.Uint64())
		u.Username, u.Status = strings.ToLower(from)+"_"+id, externalProvider
		identities, err := json.Marshal([]map[string]any{{"userId": id, "providerName": from, "providerType": providers[i].Type,
			"issuer": nil, "primary": true, "dateCreated": time.Now().UnixMilli()}})
		if err != nil {
			panic(err) // these values can always be encoded
		}
		u.Attributes["identities"] = string(identities)
	}
	if u.Attributes["email"] != "" && u.Attributes["email_verified"] == "" {
		u.Attributes["email_verified"] = fmt.Sprint(status == forceChangePassword)
	}
	return u
}

// Operations of the user pools API and of managed login.
const (
	signUp        = "Sign up"
	confirm       = "Confirm"
	signIn        = "Sign in"
	refresh       = "Refresh"
	forgot        = "Forgot password"
	adminCreate   = "Create by an administrator"
	machineTokens = "Machine token"
)

// A request is what somebody asks the pool for.
type request struct {
	operation string
	sub       string // of the user; empty for a machine
	version   string // of the pre token generation trigger: 1, 2 or 3
	metadata  map[string]string
}

// A step is one trigger that Cognito calls, or what it does without one.
type step struct {
	Operation string
	Note      string // in place of a call
	Source    string // the trigger source
	Event     []byte
	Call      stack.Call
	Refused   error // Cognito's error about the response
}

// A result is what an operation led to.
type result struct {
	steps   []step
	refused error // Cognito's error, which the app gets; nil if there is none
	done    string
	tokens  *userpool.Tokens
}

func refused(code, message string) error { return &userpool.Error{Code: code, Message: message} }

// do does an operation. The error is one of the local environment, not Cognito's.
func (p *pool) do(ctx context.Context, r request) (result, error) {
	if r.operation == machineTokens {
		return p.machine(ctx, r)
	}
	u, ok := p.find(r.sub)
	if !ok {
		return result{refused: refused("UserNotFoundException", "User does not exist.")}, nil
	}
	switch r.operation {
	case signUp:
		return result{done: "Cognito has sent a confirmation code.",
			steps: []step{{Operation: signUp, Note: "Cognito calls no function: the user can sign in only after confirming."}}}, nil
	case adminCreate:
		return result{done: "Cognito has sent an invitation with a temporary password.",
			steps: []step{{Operation: adminCreate, Note: "Cognito calls no function, now or when the password is changed. The first sign-in writes the row."}}}, nil
	case confirm:
		return p.confirm(ctx, r, u)
	case forgot:
		return p.forgot(ctx, r, u)
	case refresh:
		return p.refresh(ctx, r, u)
	case signIn:
		return p.signIn(ctx, r, u)
	}
	return result{}, fmt.Errorf("no operation %q", r.operation)
}

func (p *pool) confirm(ctx context.Context, r request, u user) (res result, err error) {
	if u.Status != unconfirmed {
		return result{refused: refused("NotAuthorizedException", "User cannot be confirmed. Current status is "+u.Status)}, nil
	}
	u.Status = confirmed // also if the function fails
	if u.Attributes["email"] != "" {
		u.Attributes = maps.Clone(u.Attributes)
		u.Attributes["email_verified"] = "true"
	}
	p.put(u)
	_, err = p.call(ctx, &res, r, u, "PostConfirmation_ConfirmSignUp")
	res.done = "Cognito has confirmed the user."
	return res, err
}

func (p *pool) forgot(ctx context.Context, r request, u user) (res result, err error) {
	switch {
	case !u.Enabled:
		return result{refused: refused("NotAuthorizedException", "User is disabled.")}, nil
	case u.Status == unconfirmed:
		return result{refused: refused("InvalidParameterException", "Cannot reset password for the user as there is no registered/verified email or phone_number")}, nil
	case u.Status != confirmed && u.Status != resetRequired:
		return result{refused: refused("NotAuthorizedException", "User password cannot be reset in the current state.")}, nil
	}
	u.Status = confirmed
	p.put(u)
	_, err = p.call(ctx, &res, r, u, "PostConfirmation_ConfirmForgotPassword")
	res.done = "Cognito has set the new password."
	return res, err
}

func (p *pool) refresh(ctx context.Context, r request, u user) (res result, err error) {
	switch {
	case !u.Enabled:
		return result{refused: refused("NotAuthorizedException", "User is disabled.")}, nil
	case !u.signedIn:
		return result{refused: refused("NotAuthorizedException", "Invalid Refresh Token")}, nil
	}
	source := "TokenGeneration_RefreshTokens"
	if len(r.metadata) > 0 {
		source = "TokenGeneration_Authentication" // of GetTokensFromRefreshToken, which alone passes clientMetadata on
	}
	return p.tokens(ctx, res, r, u, source)
}

func (p *pool) signIn(ctx context.Context, r request, u user) (res result, err error) {
	switch {
	case !u.Enabled:
		return result{refused: refused("NotAuthorizedException", "User is disabled.")}, nil
	case u.Status == unconfirmed:
		return result{refused: refused("UserNotConfirmedException", "User is not confirmed.")}, nil
	case u.Status == resetRequired:
		return result{refused: refused("PasswordResetRequiredException", "Password reset required for the user")}, nil
	}
	first, source := "PostAuthentication_Authentication", "TokenGeneration_Authentication"
	switch {
	case u.Provider != "" && !u.seen:
		first, source = "PostConfirmation_ConfirmSignUp", "TokenGeneration_HostedAuth"
	case u.Provider != "":
		source = "TokenGeneration_HostedAuth"
	case u.Status == forceChangePassword:
		source = "TokenGeneration_NewPasswordChallenge"
	}
	if u.Provider != "" {
		r.metadata = nil // managed login has none
	}
	u.seen = true
	p.put(u)
	if ok, err := p.call(ctx, &res, r, u, first); !ok || err != nil {
		return res, err
	}
	if res, err = p.tokens(ctx, res, r, u, source); err != nil || res.refused != nil {
		return res, err
	}
	if u.Status == forceChangePassword {
		u.Status = confirmed
	}
	u.signedIn = true
	p.put(u)
	return res, nil
}

func (p *pool) machine(ctx context.Context, r request) (res result, err error) {
	u := user{User: cognitoidp.User{Username: clientID}}
	if r.version != "3" {
		note := fmt.Sprintf("Cognito calls no function for a machine with trigger version V%s_0. Only V3_0 does.", r.version)
		res.steps = append(res.steps, step{Operation: r.operation, Note: note})
		event := u.event("TokenGeneration_ClientCredentials", r)
		return p.issue(res, event, event)
	}
	return p.tokens(ctx, res, r, u, "TokenGeneration_ClientCredentials")
}

// tokens calls the pre token generation trigger and issues the tokens.
func (p *pool) tokens(ctx context.Context, res result, r request, u user, source string) (result, error) {
	ok, err := p.call(ctx, &res, r, u, source)
	if !ok || err != nil {
		return res, err
	}
	last := res.steps[len(res.steps)-1]
	return p.issue(res, last.Event, last.Call.Payload)
}

func (p *pool) issue(res result, sent, returned []byte) (result, error) {
	tokens, err := p.stack.Pool.Tokens(sent, returned, time.Now())
	if _, ok := errors.AsType[*userpool.Error](err); ok {
		res.refused = err
		return res, nil
	}
	res.tokens, res.done = &tokens, "Cognito has issued the tokens."
	return res, err
}

// call calls the function of a trigger and adds the step. It reports whether Cognito accepts the response.
func (p *pool) call(ctx context.Context, res *result, r request, u user, source string) (ok bool, err error) {
	s := step{Operation: r.operation, Source: source, Event: u.event(source, r)}
	s.Call, err = p.stack.Send(ctx, stack.FunctionFor("", s.Event), s.Event)
	if err != nil {
		return false, err
	}
	if s.Call.FunctionError != "" {
		s.Refused = userpool.Failed(source, s.Call.Payload)
	} else {
		s.Refused = userpool.Check(s.Event, s.Call.Payload)
	}
	res.steps, res.refused = append(res.steps, s), s.Refused
	return s.Refused == nil, nil
}

// A member is a member of a JSON object, which keeps its place.
type member struct {
	name  string
	value any
}

func object(members ...member) json.RawMessage {
	var parts []string
	for _, m := range members {
		name, err := json.Marshal(m.name)
		value, valueErr := json.Marshal(m.value)
		if err := errors.Join(err, valueErr); err != nil {
			panic(err) // events have texts, lists and objects
		}
		parts = append(parts, string(name)+":"+string(value))
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}")
}

// event is what Cognito sends to a trigger. Its members are in Cognito's order, which V3_0 sorts.
func (u user) event(source string, r request) []byte {
	trigger, _, _ := strings.Cut(source, "_")
	attributes := maps.Clone(u.Attributes)
	if attributes != nil {
		attributes["cognito:user_status"] = u.Status
	}
	isToken := trigger == "TokenGeneration"
	version := "1"
	if isToken {
		version = r.version
	}
	response := object()
	var about []member
	if source != "TokenGeneration_ClientCredentials" {
		about = append(about, member{"userAttributes", attributes})
	}
	switch {
	case isToken:
		groups := slices.Clone(u.Groups)
		if u.Provider != "" {
			groups = slices.Insert(groups, 0, stack.PoolID+"_"+u.Provider)
		}
		if source != "TokenGeneration_ClientCredentials" {
			about = append(about, member{"groupConfiguration", object(member{"groupsToOverride", append([]string{}, groups...)},
				member{"iamRolesToOverride", []string{}}, member{"preferredRole", nil})})
		}
		response = object(member{"claimsOverrideDetails", nil})
		if version != "1" {
			scopes := []string{"aws.cognito.signin.user.admin"}
			switch source {
			case "TokenGeneration_HostedAuth":
				scopes = []string{"openid", "profile", "email"}
			case "TokenGeneration_ClientCredentials":
				scopes = []string{"api/read"}
			}
			about = append(about, member{"scopes", scopes})
			response = object(member{"claimsAndScopeOverrideDetails", nil})
		}
	case trigger == "PostAuthentication":
		about = append(about, member{"newDeviceUsed", false})
	}
	if len(r.metadata) > 0 {
		about = append(about, member{"clientMetadata", r.metadata})
	}
	byName := func(a, b member) int { return strings.Compare(a.name, b.name) }
	if version == "3" {
		slices.SortFunc(about, byName)
	}
	members := []member{
		{"version", version}, {"region", lambda.Region}, {"userPoolId", stack.PoolID}, {"userName", u.Username},
		{"callerContext", object(member{"awsSdkVersion", "aws-sdk-unknown-unknown"}, member{"clientId", clientID})},
		{"triggerSource", source}, {"request", object(about...)}, {"response", response},
	}
	switch {
	case version == "3":
		slices.SortFunc(members, byName)
	case isToken:
		members = slices.Insert(slices.Delete(members, 5, 6), 1, member{"triggerSource", source})
	}
	return object(members...)
}

// function returns what the docs call the function of a step.
func (s step) Function() string {
	return map[string]string{functions.Claims: "claims function", functions.Sync: "sync function"}[s.Call.Function]
}
