package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// signUp makes a person and their password, and confirms them.
func signUp(ctx context.Context, c *idp.Client, client, username string, attributes ...types.AttributeType) (sub, password string, err error) {
	password = rand.Text() + "-a1"
	made, err := c.SignUp(ctx, &idp.SignUpInput{ClientId: &client, Username: &username, Password: &password, UserAttributes: attributes})
	if err != nil {
		return "", "", fmt.Errorf("sign up: %w", err)
	}
	if _, err := c.ConfirmSignUp(ctx, &idp.ConfirmSignUpInput{ClientId: &client, Username: &username, ConfirmationCode: aws.String(code)}); err != nil {
		return "", "", fmt.Errorf("confirm: %w", err)
	}
	return aws.ToString(made.UserSub), password, nil
}

// signIn is the sign-in of an app.
func signIn(ctx context.Context, c *idp.Client, client, username, password string) (tokens, error) {
	out, err := c.InitiateAuth(ctx, &idp.InitiateAuthInput{ClientId: &client, AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": username, "PASSWORD": password}})
	if err != nil {
		return tokens{}, fmt.Errorf("sign in: %w", err)
	}
	return got(out.AuthenticationResult)
}

func refresh(ctx context.Context, c *idp.Client, client, token string) (tokens, error) {
	out, err := c.InitiateAuth(ctx, &idp.InitiateAuthInput{ClientId: &client, AuthFlow: types.AuthFlowTypeRefreshTokenAuth,
		AuthParameters: map[string]string{"REFRESH_TOKEN": token}})
	if err != nil {
		return tokens{}, fmt.Errorf("refresh: %w", err)
	}
	return got(out.AuthenticationResult)
}

func got(r *types.AuthenticationResultType) (tokens, error) {
	if r == nil || r.IdToken == nil || r.AccessToken == nil {
		return tokens{}, fmt.Errorf("no tokens came back")
	}
	return tokens{*r.IdToken, *r.AccessToken, aws.ToString(r.RefreshToken)}, nil
}

func attribute(name, value string) types.AttributeType {
	return types.AttributeType{Name: &name, Value: &value}
}

// through takes a new person through the pool: sign up, confirm, sign in, a group more,
// refresh, a group less; and has the deployed sync write the row in between.
func (m *machine) through(ctx context.Context, p *pool) error {
	who, username, password, err := p.newPerson(ctx)
	if err != nil {
		return err
	}
	member := func(add bool) error {
		editor := aws.String("editor")
		if add {
			who.roles, who.groups = []string{"user", "editor"}, []string{"editor"}
			_, err := p.cognito.AdminAddUserToGroup(ctx, &idp.AdminAddUserToGroupInput{UserPoolId: &p.id, Username: &username, GroupName: editor})
			return err
		}
		who.roles, who.groups = []string{"user"}, nil
		_, err := p.cognito.AdminRemoveUserFromGroup(ctx, &idp.AdminRemoveUserFromGroupInput{UserPoolId: &p.id, Username: &username, GroupName: editor})
		return err
	}
	check := func(when string, t tokens, err error) (tokens, error) {
		if err == nil {
			err = judge(ctx, p.hasura, t, who, p.complex())
		}
		if err != nil {
			return t, fmt.Errorf("%s, pool with %s: %w", when, p.version, err)
		}
		return t, nil
	}

	t, err := signIn(ctx, p.cognito, p.client, username, password)
	if t, err = check("first sign-in", t, err); err != nil {
		return err
	}
	if err := m.syncDeployed(ctx, p, who, username); err != nil {
		return fmt.Errorf("the deployed sync: %w", err)
	}
	if err := p.written(ctx, who, username); err != nil {
		return fmt.Errorf("the deployed sync: %w", err)
	}
	who.row = true
	if err := member(true); err != nil {
		return err
	}
	again, err := refresh(ctx, p.cognito, p.client, t.refresh)
	if _, err = check("refresh with a new group", again, err); err != nil {
		return err
	}
	if err := member(false); err != nil {
		return err
	}
	t, err = signIn(ctx, p.cognito, p.client, username, password)
	_, err = check("sign-in without the group", t, err)
	return err
}

// newPerson has somebody sign up.
func (p *pool) newPerson(ctx context.Context) (who person, username, password string, err error) {
	p.people++
	username = fmt.Sprintf("jane%d", p.people)
	who = person{email: username + "@example.com", roles: []string{"user"}}
	if p.byEmail {
		username = who.email
	}
	who.sub, password, err = signUp(ctx, p.cognito, p.client, username, attribute("email", who.email), attribute("name", "Jane Doe"))
	return who, username, password, err
}

// syncDeployed gives the deployed sync the event that Cognito would send at this
// person's confirmation. MiniStack fires pre token generation alone.
func (m *machine) syncDeployed(ctx context.Context, p *pool, who person, username string) error {
	event, err := json.Marshal(map[string]any{
		"version": "1", "region": region, "userPoolId": p.id, "userName": username,
		"callerContext": map[string]string{"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": p.client},
		"triggerSource": "PostConfirmation_ConfirmSignUp",
		"request": map[string]any{"userAttributes": map[string]string{
			"sub": who.sub, "email": who.email, "email_verified": "true", "cognito:user_status": "CONFIRMED", "name": "Jane Doe"}},
		"response": map[string]any{},
	})
	if err != nil {
		return err
	}
	answer, err := m.invokeDeployed(ctx, p.sync, event)
	if err != nil {
		return err
	}
	if !sameJSON(answer, event) {
		return fmt.Errorf("it answered %s, want the event as it was", answer)
	}
	return nil
}

// written wants the row that syncDeployed is to write.
func (p *pool) written(ctx context.Context, who person, username string) error {
	row, err := p.hasura.row(ctx, who.sub)
	if err != nil {
		return err
	}
	if row.Text("email") != who.email || row.Text("name") != "Jane Doe" || row.Text("username") != username {
		return fmt.Errorf("the row is not the person's")
	}
	return nil
}

func (m *machine) signInV1(ctx context.Context) (string, error) {
	return "claims in the id token alone", m.through(ctx, m.v1)
}

func (m *machine) signInV2(ctx context.Context) (string, error) {
	return "claims in both tokens", m.through(ctx, m.v2)
}

func (m *machine) signInOwn(ctx context.Context) (string, error) {
	return "claims in both tokens", m.through(ctx, m.own)
}
