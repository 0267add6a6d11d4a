package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// A site is a pool of cognito-local whose triggers are our functions, and the rows that
// they leave in PostgreSQL.
type site struct {
	cognito      *idp.Client
	pool, client string
	triggers     *triggers
	hasura       *graphQL

	jane             person
	password, synced string // hers; and when her row was last written
}

// newSite starts everything. name is that of the database, the secret and the log; wrap,
// when it is not nil, stands in front of Hasura.
func (m *machine) newSite(ctx context.Context, name string, wrap func(http.Handler) http.Handler) (*site, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	url := "http://127.0.0.1:" + port
	s := &site{cognito: cognitoAt(url), jane: person{email: "jane@example.com", roles: []string{"user"}, row: true}}
	if s.hasura, err = m.startHasura(ctx, name, wrap); err != nil {
		return nil, err
	}
	// Whatever pool is asked for, cognito-local's keys are the same.
	if err := s.hasura.trust("", url+"/any/.well-known/jwks.json"); err != nil {
		return nil, err
	}
	if s.triggers, err = m.newTriggers(ctx, s.hasura, name+"/app"); err != nil {
		return nil, err
	}
	if err := m.startCognitoLocal(ctx, name, port, s.triggers); err != nil {
		return nil, err
	}
	made, err := s.cognito.CreateUserPool(ctx, &idp.CreateUserPoolInput{PoolName: &name})
	if err != nil {
		return nil, err
	}
	s.pool = aws.ToString(made.UserPool.Id)
	client, err := s.cognito.CreateUserPoolClient(ctx, &idp.CreateUserPoolClientInput{UserPoolId: &s.pool, ClientName: &name})
	if err != nil {
		return nil, err
	}
	s.client = aws.ToString(client.UserPoolClient.ClientId)
	return s, nil
}

func (m *machine) startSite(ctx context.Context) (note string, err error) {
	m.site, err = m.newSite(ctx, "cognito-local", nil)
	return "", err
}

// expect compares columns of a person's row, and wants it written anew since it was last
// looked at, which synced says.
func (s *site) expect(ctx context.Context, sub string, synced *string, want map[string]string) error {
	row, err := s.hasura.row(ctx, sub)
	if err != nil {
		return s.explain(err)
	}
	for column, value := range want {
		if got := row.Text(column); got != value {
			return s.explain(fmt.Errorf("%s of the row = %q, want %q", column, got, value))
		}
	}
	// Times of one form: they are only compared for having moved.
	if at := row.Text("synced_at"); at == *synced {
		return s.explain(errors.New("the row was not written again"))
	} else {
		*synced = at
	}
	return nil
}

func (s *site) explain(err error) error {
	return fmt.Errorf("%w; the functions' last lines:\n%s", err, s.triggers.last())
}

// signUp has Jane sign up and confirm, which is a post confirmation.
func (s *site) signUp(ctx context.Context) (err error) {
	s.jane.sub, s.password, err = signUp(ctx, s.cognito, s.client, s.jane.email, attribute("email", s.jane.email), attribute("name", "Jane Doe"))
	if err != nil {
		return err
	}
	return s.expect(ctx, s.jane.sub, &s.synced, map[string]string{"email": s.jane.email, "name": "Jane Doe", "last_sign_in_at": ""})
}

// signIn has Jane sign in, which is a post authentication, and looks at her tokens.
func (s *site) signIn(ctx context.Context, name string) (tokens, error) {
	t, err := signIn(ctx, s.cognito, s.client, s.jane.email, s.password)
	if err != nil {
		return t, s.explain(err)
	}
	// Its triggers are of version V1_0: no claims in the access token.
	if err := judge(ctx, s.hasura, t, s.jane, false); err != nil {
		return t, s.explain(err)
	}
	return t, s.expect(ctx, s.jane.sub, &s.synced, map[string]string{"email": s.jane.email, "name": name, "status": "CONFIRMED"})
}

func (m *machine) janeSignsUpAndIn(ctx context.Context) (string, error) {
	if err := m.site.signUp(ctx); err != nil {
		return "", err
	}
	first, err := m.site.signIn(ctx, "Jane Doe")
	if err != nil {
		return "", err
	}
	if _, err := m.site.signIn(ctx, "Jane Doe"); err != nil {
		return "", fmt.Errorf("again: %w", err)
	}
	t, err := refresh(ctx, m.site.cognito, m.site.client, first.refresh)
	if err != nil {
		return "", err
	}
	if err := judge(ctx, m.site.hasura, t, m.site.jane, false); err != nil {
		return "", fmt.Errorf("refreshed: %w", err)
	}
	return m.one(ctx)
}

// one wants Jane's row to be the only one, and asks PostgreSQL itself.
func (m *machine) one(ctx context.Context) (string, error) {
	var rows, hers int
	err := m.site.hasura.database.SQL.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (WHERE id = $1) FROM users", m.site.jane.sub).Scan(&rows, &hers)
	if err == nil && (rows != 1 || hers != 1) {
		err = fmt.Errorf("there are %d rows, %d of them Jane's, want hers alone", rows, hers)
	}
	return "one row", err
}

// secretRotates moves AWSCURRENT to another admin secret, the only one that Hasura takes
// from then on, while the functions have the old one.
func (m *machine) secretRotates(ctx context.Context) (string, error) {
	s, moto := m.site, secretsAt(m.moto)
	old := s.hasura.admin
	s.hasura.rotate()
	_, err := moto.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &s.triggers.arn, SecretString: aws.String(bag(s.hasura.admin))})
	if err != nil {
		return "", err
	}
	for stage, want := range map[string]string{"AWSCURRENT": s.hasura.admin, "AWSPREVIOUS": old} {
		out, err := moto.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &s.triggers.arn, VersionStage: &stage})
		if err != nil || !strings.Contains(aws.ToString(out.SecretString), want) {
			return "", errors.Join(fmt.Errorf("%s has not moved", stage), err)
		}
	}
	_, err = s.signIn(ctx, "Jane Doe")
	return "the next sign-in is synced", err
}

func (m *machine) janeChanges(ctx context.Context) (string, error) {
	s := m.site
	_, err := s.cognito.AdminUpdateUserAttributes(ctx, &idp.AdminUpdateUserAttributesInput{UserPoolId: &s.pool, Username: &s.jane.email,
		UserAttributes: []types.AttributeType{attribute("name", "Jane Roe")}})
	if err != nil {
		return "", err
	}
	_, err = s.signIn(ctx, "Jane Roe")
	return "the next sign-in changes the row", err
}

func (m *machine) janeForgets(ctx context.Context) (string, error) {
	s := m.site
	if _, err := s.cognito.ForgotPassword(ctx, &idp.ForgotPasswordInput{ClientId: &s.client, Username: &s.jane.email}); err != nil {
		return "", err
	}
	s.password = rand.Text() + "-a1"
	_, err := s.cognito.ConfirmForgotPassword(ctx, &idp.ConfirmForgotPasswordInput{ClientId: &s.client, Username: &s.jane.email,
		ConfirmationCode: aws.String(code), Password: &s.password})
	if err != nil {
		return "", err
	}
	if err := s.expect(ctx, s.jane.sub, &s.synced, map[string]string{"email": s.jane.email, "name": "Jane Roe"}); err != nil {
		return "", err
	}
	if _, err = s.signIn(ctx, "Jane Roe"); err != nil {
		return "", err
	}
	return m.one(ctx)
}

// adamIsMade has an administrator make a person, who is never confirmed: the row comes
// with the first sign-in, in which he changes the password.
func (m *machine) adamIsMade(ctx context.Context) (string, error) {
	s := m.site
	email, first := "adam@example.com", rand.Text()+"-a1"
	made, err := s.cognito.AdminCreateUser(ctx, &idp.AdminCreateUserInput{UserPoolId: &s.pool, Username: &email, TemporaryPassword: &first,
		MessageAction: types.MessageActionTypeSuppress, UserAttributes: []types.AttributeType{attribute("email", email)}})
	if err != nil {
		return "", err
	}
	adam := person{email: email, roles: []string{"user"}, row: true}
	for _, a := range made.User.Attributes {
		if aws.ToString(a.Name) == "sub" {
			adam.sub = aws.ToString(a.Value)
		}
	}
	if _, err := s.hasura.row(ctx, adam.sub); !errors.Is(err, errNoRow) {
		return "", fmt.Errorf("before he signed in: %v, want that %w", err, errNoRow)
	}
	asked, err := s.cognito.InitiateAuth(ctx, &idp.InitiateAuthInput{ClientId: &s.client, AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": email, "PASSWORD": first}})
	if err != nil {
		return "", err
	}
	out, err := s.cognito.RespondToAuthChallenge(ctx, &idp.RespondToAuthChallengeInput{ClientId: &s.client, ChallengeName: asked.ChallengeName,
		Session: asked.Session, ChallengeResponses: map[string]string{"USERNAME": email, "NEW_PASSWORD": rand.Text() + "-a1"}})
	if err != nil {
		return "", s.explain(err)
	}
	t, err := got(out.AuthenticationResult)
	if err != nil {
		return "", err
	}
	if err := judge(ctx, s.hasura, t, adam, false); err != nil {
		return "", s.explain(err)
	}
	var never string
	return "the row comes with the first sign-in", s.expect(ctx, adam.sub, &never, map[string]string{"email": email})
}

// quiet wants nobody's name, address or secret in what the functions logged.
func (m *machine) quiet(context.Context) (string, error) {
	s := m.site
	if found := s.triggers.leaks(s.jane.email, "adam@example.com", "Jane", s.password, s.hasura.admin); len(found) > 0 {
		return "", fmt.Errorf("the functions' log has what it must not: %d of an e-mail address, another, a name, the password, the admin secret", found)
	}
	return "no address, name, password or secret", nil
}
