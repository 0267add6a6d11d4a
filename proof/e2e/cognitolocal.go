package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/phenom-earth/hasura-cognito/functions"
)

func (e *environment) startLocalPool(ctx context.Context) string {
	e.local = e.startCognitoLocal(ctx, "cognito-local", nil)
	return "post confirmation, post authentication, pre token generation"
}

// startCognitoLocal starts cognito-local with a pool. It invokes the functions that SAM
// built through the API of the local Lambda runtime. moto keeps the secret.
func (e *environment) startCognitoLocal(ctx context.Context, name string, project fs.FS) *pool {
	port := freePort()
	p := e.prepare(ctx, &pool{name: name, url: "http://127.0.0.1:" + port, secretsURL: e.moto, project: project, emailUsername: true})
	dir := filepath.Join(e.dir, name)
	check(os.MkdirAll(filepath.Join(dir, ".cognito"), 0o755))
	p.lambdaURL = e.serve(must(net.Listen("tcp", "127.0.0.1:0")), p.stack.Lambda)
	writeJSON(filepath.Join(dir, ".cognito/config.json"), map[string]any{
		"LambdaClient":     map[string]string{"endpoint": p.lambdaURL},
		"TriggerFunctions": map[string]string{"PostConfirmation": functions.Sync, "PostAuthentication": functions.Sync, "PreTokenGeneration": functions.Claims},
	})
	e.start(ctx, server{name: name, args: []string{"cognito-local"}, dir: dir,
		env: []string{"HOST=127.0.0.1", "PORT=" + port, "CODE=" + confirmationCode}, ready: answers(p.url + "/health")})
	p.createPool(ctx, name)
	// cognito-local calls the TriggerFunctions above. This is what the pool shows.
	claims, sync := p.stack.Function(functions.Claims).ARN(), p.stack.Function(functions.Sync).ARN()
	must(p.cognito.UpdateUserPool(ctx, &idp.UpdateUserPoolInput{UserPoolId: &p.id,
		LambdaConfig: &types.LambdaConfigType{PreTokenGeneration: &claims, PostConfirmation: &sync, PostAuthentication: &sync}}))
	return p
}

func writeJSON(path string, value any) {
	check(os.WriteFile(path, must(json.Marshal(value)), 0o600))
}

// confirmed signs a user up and expects the row that post confirmation writes.
func (p *pool) confirmed(ctx context.Context) *user {
	u := p.signUp(ctx)
	p.checkRow(ctx, u, map[string]string{"email": u.email, "name": "Jane Doe", "last_sign_in_at": ""})
	return u
}

// signInAs signs Jane in. It checks the tokens and the row that post authentication writes.
func (e *environment) signInAs(ctx context.Context, name string) *types.AuthenticationResultType {
	t := e.local.signIn(ctx, e.jane)
	e.local.checkTokens(ctx, e.jane, t)
	e.local.checkRow(ctx, e.jane, map[string]string{"email": e.jane.email, "name": name, "status": "CONFIRMED"})
	return t
}

func (e *environment) signUpAndIn(ctx context.Context) string {
	e.jane = e.local.confirmed(ctx)
	t := e.signInAs(ctx, "Jane Doe")
	e.signInAs(ctx, "Jane Doe")
	during("refresh", func() { e.local.checkTokens(ctx, e.jane, e.local.refresh(ctx, t)) })
	return e.checkOneRow(ctx)
}

// checkOneRow asks PostgreSQL whether Jane's row is the only one.
func (e *environment) checkOneRow(ctx context.Context) string {
	var rows, janes int
	check(e.local.stack.Database.SQL.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (WHERE id = $1) FROM users", e.jane.sub).Scan(&rows, &janes))
	if rows != 1 || janes != 1 {
		fail("%d rows, %d of them Jane's, want only hers", rows, janes)
	}
	return "one row"
}

// rotateSecret replaces the admin secret in Hasura and in moto while the functions still
// have the old one.
func (e *environment) rotateSecret(ctx context.Context) string {
	secrets, old := secretsmanager.NewFromConfig(emulator(e.moto)), e.local.adminSecret
	e.local.adminSecret = rand.Text()
	check(e.local.stack.Rotate(e.local.adminSecret))
	must(secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &e.local.secretARN, SecretString: secretText(e.local.adminSecret)}))
	for stage, want := range map[string]string{"AWSCURRENT": e.local.adminSecret, "AWSPREVIOUS": old} {
		out := must(secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &e.local.secretARN, VersionStage: &stage}))
		if !strings.Contains(aws.ToString(out.SecretString), want) {
			fail("%s did not move", stage)
		}
	}
	e.signInAs(ctx, "Jane Doe")
	return "synced"
}

func (e *environment) changeName(ctx context.Context) string {
	must(e.local.cognito.AdminUpdateUserAttributes(ctx, &idp.AdminUpdateUserAttributesInput{UserPoolId: &e.local.id, Username: &e.jane.username,
		UserAttributes: []types.AttributeType{attribute("name", "Jane Roe")}}))
	e.signInAs(ctx, "Jane Roe")
	return "the row has the new name"
}

func (e *environment) forgetPassword(ctx context.Context) string {
	must(e.local.cognito.ForgotPassword(ctx, &idp.ForgotPasswordInput{ClientId: &e.local.client, Username: &e.jane.username}))
	e.jane.password = newPassword()
	must(e.local.cognito.ConfirmForgotPassword(ctx, &idp.ConfirmForgotPasswordInput{ClientId: &e.local.client, Username: &e.jane.username,
		ConfirmationCode: aws.String(confirmationCode), Password: &e.jane.password}))
	e.local.checkRow(ctx, e.jane, map[string]string{"email": e.jane.email, "name": "Jane Roe"})
	e.signInAs(ctx, "Jane Roe")
	return e.checkOneRow(ctx)
}

// createUser creates a user as an administrator. Such a user never confirms: the row comes
// with the first sign-in, in which the user changes the password.
func (e *environment) createUser(ctx context.Context) string {
	p, adam := e.local, &user{username: "adam@example.com", email: "adam@example.com", password: newPassword(), roles: []string{"user"}}
	created := must(p.cognito.AdminCreateUser(ctx, &idp.AdminCreateUserInput{UserPoolId: &p.id, Username: &adam.username, TemporaryPassword: &adam.password,
		MessageAction: types.MessageActionTypeSuppress, UserAttributes: []types.AttributeType{attribute("email", adam.email)}}))
	for _, a := range created.User.Attributes {
		if aws.ToString(a.Name) == "sub" {
			adam.sub = aws.ToString(a.Value)
		}
	}
	if _, err := p.row(ctx, adam.sub); !errors.Is(err, errNoRow) {
		fail("before the first sign-in: %v, want %w", err, errNoRow)
	}
	challenge := p.authenticate(ctx, types.AuthFlowTypeUserPasswordAuth, map[string]string{"USERNAME": adam.username, "PASSWORD": adam.password})
	out := must(p.cognito.RespondToAuthChallenge(ctx, &idp.RespondToAuthChallengeInput{ClientId: &p.client, ChallengeName: challenge.ChallengeName,
		Session: challenge.Session, ChallengeResponses: map[string]string{"USERNAME": adam.username, "NEW_PASSWORD": newPassword()}}))
	p.checkRow(ctx, adam, map[string]string{"email": adam.email})
	p.checkTokens(ctx, adam, out.AuthenticationResult)
	return "the first sign-in writes the row"
}

// readLogs looks for personal data and secrets in the functions' log.
func (e *environment) readLogs(context.Context) string {
	log := e.local.log()
	if !strings.Contains(log, `"synced"`) {
		fail("the log has no message synced")
	}
	for what, text := range map[string]string{"Jane's e-mail address": e.jane.email, "Adam's": "adam@example.com", "a name": "Jane",
		"the password": e.jane.password, "the admin secret": e.local.adminSecret} {
		if strings.Contains(log, text) {
			fail("the log contains %s", what)
		}
	}
	return fmt.Sprintf("%d lines", strings.Count(log, "\n"))
}

// log returns what the functions printed.
func (p *pool) log() string {
	var b strings.Builder
	for _, line := range p.stack.Log.Lines() {
		fmt.Fprintln(&b, line.Text)
	}
	return b.String()
}
