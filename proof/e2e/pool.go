package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/phenom-earth/hasura-cognito/functions"
	hasura "github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A pool is a user pool in an emulator, with the functions as its triggers.
type pool struct {
	name            string // of the stack that sam deploy makes, and of the secret
	url, secretsURL string // of the emulators of Cognito and of Secrets Manager
	lambdaURL       string // of the functions of cognito-local
	project         fs.FS  // of Hasura; nil means graphql/
	bothTokens      bool   // the functions may put claims into the access token too: V2_0
	emailUsername   bool   // the username is the e-mail address

	cognito                *idp.Client
	id, client             string
	stack                  *stack.Stack // Hasura and, for cognito-local, the functions
	adminSecret, secretARN string
	queueURL               string // of the parked syncs queue in MiniStack
	users                  int    // number of sign-ups
}

// prepare starts the Hasura of the pool and stores its admin secret. The pool need not exist.
func (e *environment) prepare(ctx context.Context, p *pool) *pool {
	p.cognito = idp.NewFromConfig(emulator(p.url))
	p.adminSecret = rand.Text()
	p.secretARN = createSecret(ctx, p.secretsURL, p.name+"/app", p.adminSecret)
	// All pools of an emulator have the same keys. It publishes them for each pool that exists.
	p.stack = e.startStack(ctx, stack.Config{Project: p.project, AdminSecret: p.adminSecret,
		JWT: hasura.Config{JWKURL: p.url + "/" + e.anyPool + "/.well-known/jwks.json", Format: hasura.FormatStringJSON},
		Env: map[string]map[string]string{functions.Sync: {"SECRETS_ARN": p.secretARN, "AWS_ENDPOINT_URL_SECRETS_MANAGER": p.secretsURL, "SYNC_QUEUE_URL": ""}}})
	return p
}

// A user is a user of a pool, and what tokens must say about them.
type user struct {
	sub, username, password, email string
	roles                          []string // allowed roles; the first is the default role
	groups                         []string
	hasRow                         bool
	syncedAt                       string // of the row, when it was last read
}

const confirmationCode = "123456"

func newPassword() string { return rand.Text() + "-a1" }

func attribute(name, value string) types.AttributeType {
	return types.AttributeType{Name: &name, Value: &value}
}

// signUp creates and confirms a user.
func (p *pool) signUp(ctx context.Context) *user {
	p.users++
	username := fmt.Sprintf("jane%d", p.users)
	u := &user{username: username, password: newPassword(), email: username + "@example.com", roles: []string{"user"}}
	if p.emailUsername {
		u.username = u.email
	}
	out := must(p.cognito.SignUp(ctx, &idp.SignUpInput{ClientId: &p.client, Username: &u.username, Password: &u.password,
		UserAttributes: []types.AttributeType{attribute("email", u.email), attribute("name", "Jane Doe")}}))
	must(p.cognito.ConfirmSignUp(ctx, &idp.ConfirmSignUpInput{ClientId: &p.client, Username: &u.username, ConfirmationCode: aws.String(confirmationCode)}))
	u.sub = aws.ToString(out.UserSub)
	return u
}

func (p *pool) signIn(ctx context.Context, u *user) *types.AuthenticationResultType {
	return p.authenticate(ctx, types.AuthFlowTypeUserPasswordAuth, map[string]string{"USERNAME": u.username, "PASSWORD": u.password}).AuthenticationResult
}

func (p *pool) refresh(ctx context.Context, t *types.AuthenticationResultType) *types.AuthenticationResultType {
	return p.authenticate(ctx, types.AuthFlowTypeRefreshTokenAuth, map[string]string{"REFRESH_TOKEN": aws.ToString(t.RefreshToken)}).AuthenticationResult
}

func (p *pool) authenticate(ctx context.Context, flow types.AuthFlowType, parameters map[string]string) *idp.InitiateAuthOutput {
	return must(p.cognito.InitiateAuth(ctx, &idp.InitiateAuthInput{ClientId: &p.client, AuthFlow: flow, AuthParameters: parameters}))
}

// checkTokens decodes both tokens, compares them with the user and shows them to Hasura.
func (p *pool) checkTokens(ctx context.Context, u *user, t *types.AuthenticationResultType) {
	if t == nil {
		fail("the response has no tokens")
	}
	during("id token", func() { p.checkToken(ctx, u, aws.ToString(t.IdToken), true) })
	during("access token", func() { p.checkToken(ctx, u, aws.ToString(t.AccessToken), p.bothTokens) })
}

func (p *pool) checkToken(ctx context.Context, u *user, token string, wantClaims bool) {
	var payload struct {
		Issuer string          `json:"iss"`
		Sub    string          `json:"sub"`
		Groups []string        `json:"cognito:groups"`
		Claims json.RawMessage `json:"https://hasura.io/jwt/claims"`
	}
	parsed := must(jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256}))
	check(parsed.UnsafeClaimsWithoutVerification(&payload)) // Hasura verifies the signature
	if !strings.HasSuffix(payload.Issuer, "/"+p.id) {
		fail("iss = %s, want the pool %s", payload.Issuer, p.id)
	}
	if payload.Sub != u.sub || !slices.Equal(payload.Groups, u.groups) {
		fail("sub = %s, cognito:groups = %q, want %s, %q", payload.Sub, payload.Groups, u.sub, u.groups)
	}

	rows, err := p.stack.Own(ctx, token)
	refusal, refused := errors.AsType[*stack.Refusal](err)
	if !wantClaims {
		if !refused || refusal.Code != "jwt-invalid-claims" || payload.Claims != nil {
			fail("claims = %s and Hasura's error = %v, want no claims and jwt-invalid-claims", payload.Claims, err)
		}
		return
	}
	if refused {
		fail("Hasura refused it: %w", refusal)
	}
	check(err)
	if u.hasRow != (len(rows) == 1 && rows[0].Text("id") == u.sub) || len(rows) > 1 {
		fail("Hasura returned %d rows. The user has a row: %t", len(rows), u.hasRow)
	}

	var claims string // stringified_json
	check(json.Unmarshal(payload.Claims, &claims))
	want := must(json.Marshal(map[string]any{"x-hasura-user-id": u.sub, "x-hasura-allowed-roles": u.roles, "x-hasura-default-role": u.roles[0]}))
	if !sameJSON([]byte(claims), want) {
		fail("claims = %s, want %s", claims, want)
	}
}

// createPool creates the pool and an app client.
func (p *pool) createPool(ctx context.Context, name string) {
	p.id = *must(p.cognito.CreateUserPool(ctx, &idp.CreateUserPoolInput{PoolName: &name})).UserPool.Id
	p.client = *must(p.cognito.CreateUserPoolClient(ctx, &idp.CreateUserPoolClientInput{UserPoolId: &p.id, ClientName: &name,
		ExplicitAuthFlows: []types.ExplicitAuthFlowsType{"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}})).UserPoolClient.ClientId
}

var errNoRow = errors.New("the user has no row")

// row returns a user's row.
func (p *pool) row(ctx context.Context, sub string) (stack.Row, error) {
	for _, row := range must(p.stack.Users(ctx)) {
		if row.Text("id") == sub {
			return row, nil
		}
	}
	return nil, errNoRow
}

// checkRow compares columns of the user's row. It also fails if the row was not written
// since the last call.
func (p *pool) checkRow(ctx context.Context, u *user, want map[string]string) {
	row := p.checkColumns(ctx, u, want)
	if row.Text("synced_at") == u.syncedAt {
		fail("the row was not written again")
	}
	u.hasRow, u.syncedAt = true, row.Text("synced_at")
}

// checkColumns compares columns of the user's row.
func (p *pool) checkColumns(ctx context.Context, u *user, want map[string]string) stack.Row {
	row := must(p.row(ctx, u.sub))
	for column, value := range want {
		if got := row.Text(column); got != value {
			fail("%s of the row = %q, want %q", column, got, value)
		}
	}
	return row
}
