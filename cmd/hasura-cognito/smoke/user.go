package smoke

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
	events "github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A user is the throwaway user.
type user struct {
	login      string // what AdminCreateUser got as user name
	name       string // the user name in the pool
	attributes map[string]string
	password   string
	row        users.Row // that a sync writes
	id         string    // x-hasura-user-id
}

// createUser makes the user, confirmed, with a password. Cognito sends no message.
func (s *smoke) createUser(ctx context.Context) bool {
	const check = "user"
	s.user = newUser(s.pool)
	u := &s.user
	var attributes []cognito.AttributeType
	for name, value := range u.attributes {
		attributes = append(attributes, cognito.AttributeType{Name: aws.String(name), Value: aws.String(value)})
	}
	created, err := s.cognito.AdminCreateUser(ctx, &cognitoidentityprovider.AdminCreateUserInput{
		UserPoolId: &s.Pool, Username: &u.login, UserAttributes: attributes, MessageAction: cognito.MessageActionTypeSuppress,
	})
	if err != nil && strings.HasPrefix(u.login, "+") { // there are few reserved numbers: the user may be another one, and must stay
		var refused smithy.APIError
		if !errors.As(err, &refused) || refused.ErrorFault() == smithy.FaultServer {
			s.result.Left = append(s.result.Left, "perhaps the user "+u.login)
		}
		s.user = user{}
		var exists *cognito.UsernameExistsException
		if errors.As(err, &exists) {
			s.failed(ctx, check, err, "run smoke again: it chooses another number")
			return false
		}
	}
	if err != nil {
		s.failed(ctx, check, err, "the credentials need cognito-idp:AdminCreateUser. A pre sign-up trigger can refuse the user")
		return false
	}
	u.name = aws.ToString(created.User.Username)
	for _, a := range created.User.Attributes {
		u.attributes[aws.ToString(a.Name)] = aws.ToString(a.Value)
	}
	u.attributes["cognito:user_status"] = "CONFIRMED"
	if err := s.expectRow(); err != nil {
		s.add(check, doctor.Fail, err.Error(), "give the pool's users what the table needs: docs/own-table.md")
		return false
	}
	_, err = s.cognito.AdminSetUserPassword(ctx, &cognitoidentityprovider.AdminSetUserPasswordInput{
		UserPoolId: &s.Pool, Username: &u.name, Password: &u.password, Permanent: true,
	})
	if err != nil {
		s.failed(ctx, check, err, "the credentials need cognito-idp:AdminSetUserPassword")
		return false
	}
	s.ok(check, u.login+" was made, sub "+u.attributes["sub"])
	return true
}

// expectRow works out the row that a sync writes, and the user's id.
func (s *smoke) expectRow() (err error) {
	u := &s.user
	inPool := events.User{ID: u.attributes["sub"], Username: u.name, Attributes: u.attributes}
	table := users.Description.WithoutMarks()
	u.row, _, err = table.Mirror(users.Sync{User: inPool, At: time.Now(), UserID: s.sync.UserID}, true)
	u.id = u.attributes["sub"]
	if id := u.attributes[s.claims.UserID]; id != "" {
		u.id = id
	}
	return err
}

// newUser returns a user that the pool accepts. The addresses are reserved, so nobody else can own them: example.com by RFC 2606,
// and telephone numbers with 555-01 by the North American Numbering Plan.
func newUser(pool *cognito.UserPoolType) user {
	random := strings.ToLower(rand.Text()[:12])
	email, phone := "smoke-"+random+"@example.com", "+120255501"+twoDigits()
	u := user{login: "smoke-" + random, attributes: map[string]string{"email": email, "email_verified": "true"}}
	switch aliases := pool.UsernameAttributes; {
	case slices.Contains(aliases, cognito.UsernameAttributeTypeEmail):
		u.login = email
	case slices.Contains(aliases, cognito.UsernameAttributeTypePhoneNumber):
		u.login = phone
		u.attributes["phone_number"], u.attributes["phone_number_verified"] = phone, "true"
	}
	for _, attribute := range pool.SchemaAttributes {
		name := aws.ToString(attribute.Name)
		if _, ok := u.attributes[name]; ok || name == "sub" || !aws.ToBool(attribute.Required) {
			continue
		}
		u.attributes[name] = valueOf(attribute)
		if name == "phone_number" {
			u.attributes[name] = phone
		}
	}
	least := 8
	if p := pool.Policies; p != nil && p.PasswordPolicy != nil {
		least = int(aws.ToInt32(p.PasswordPolicy.MinimumLength))
	}
	for u.password = rand.Text() + "-aA1!"; len(u.password) < least; {
		u.password += rand.Text()
	}
	return u
}

func twoDigits() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(100)) // the reader never fails
	return fmt.Sprintf("%02d", n)
}

// values are values of the standard attributes that do not take any text.
var values = map[string]string{
	"birthdate": "2000-01-01", "locale": "en", "zoneinfo": "UTC",
	"picture": "https://example.com/", "profile": "https://example.com/", "website": "https://example.com/",
}

// valueOf returns a value for a required attribute.
func valueOf(attribute cognito.SchemaAttributeType) string {
	if value, ok := values[aws.ToString(attribute.Name)]; ok {
		return value
	}
	switch attribute.AttributeDataType {
	case cognito.AttributeDataTypeNumber:
		if c := attribute.NumberAttributeConstraints; c != nil && c.MinValue != nil {
			return *c.MinValue
		}
		return "0"
	case cognito.AttributeDataTypeBoolean:
		return "true"
	case cognito.AttributeDataTypeDatetime:
		return "2000-01-01T00:00:00Z"
	}
	value := "smoke"
	if c := attribute.StringAttributeConstraints; c != nil {
		var least, most int
		if n, _ := fmt.Sscan(aws.ToString(c.MinLength), &least); n == 1 && len(value) < least {
			value += strings.Repeat("x", least-len(value))
		}
		if n, _ := fmt.Sscan(aws.ToString(c.MaxLength), &most); n == 1 && len(value) > most {
			value = value[:most]
		}
	}
	return value
}
