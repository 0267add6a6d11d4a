package cognitoidp

import (
	"cmp"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/google/uuid"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

// find sets the user of the operation, by its name.
func (c *call) find(name *string) (refused *awsjson.Error) {
	c.user, refused = c.Users.find(aws.ToString(name), c.aliases())
	return refused
}

// edit finds the user and changes it.
func (c *call) edit(name *string, change func(*User) *awsjson.Error) (any, *awsjson.Error) {
	refused := c.find(name)
	if refused == nil {
		c.user, refused = c.Users.edit(c.user.Sub(), change)
	}
	return Object{}, refused
}

// newUser makes a user who is not in the pool yet. If users sign in with an e-mail address or a phone number, the name must be
// one, and the user name is the sub.
func (c *call) newUser(name *string, attributes []types.AttributeType) (User, *awsjson.Error) {
	u := User{Username: aws.ToString(name), Enabled: true, Attributes: map[string]string{}}
	if refused := c.set(&u, attributes); refused != nil {
		return User{}, refused
	}
	u.Attributes["sub"] = uuid.NewString()
	if logins := c.names("UsernameAttributes"); len(logins) > 0 {
		login := "email"
		if !strings.Contains(u.Username, "@") {
			login = "phone_number"
		}
		if !slices.Contains(logins, login) || login == "phone_number" && !strings.HasPrefix(u.Username, "+") {
			return User{}, awsjson.Errorf("InvalidParameterException", "Username should be either an email or a phone number.")
		}
		u.Attributes[login+"_verified"] = cmp.Or(u.Attributes[login+"_verified"], "false")
		u.Attributes[login], u.Username = u.Username, u.Sub()
	}
	if u.Username == "" {
		return User{}, awsjson.Errorf("InvalidParameterException", "1 validation error detected: Value at 'username' failed to satisfy constraint: Member must not be null")
	}
	return u, c.checkRequired(u)
}

func (c *call) adminCreateUser(in sdk.AdminCreateUserInput) (any, *awsjson.Error) {
	u, refused := c.newUser(in.Username, in.UserAttributes)
	if refused != nil {
		return nil, refused
	}
	u.Status, u.password = ForceChangePassword, cmp.Or(aws.ToString(in.TemporaryPassword), rand.Text())
	if refused := c.Users.create(u, c.aliases()); refused != nil {
		return nil, refused
	}
	c.user, _ = c.Users.Get(u.Sub())
	return Object{"User": c.user.object("Attributes")}, nil
}

func (c *call) adminGetUser(in sdk.AdminGetUserInput) (any, *awsjson.Error) {
	if refused := c.find(in.Username); refused != nil {
		return nil, refused
	}
	return c.user.object("UserAttributes"), nil
}

func (c *call) adminDeleteUser(in sdk.AdminDeleteUserInput) (any, *awsjson.Error) {
	if refused := c.find(in.Username); refused != nil {
		return nil, refused
	}
	c.Users.Delete(c.user.Sub())
	return Object{}, nil
}

func (c *call) adminUpdateUserAttributes(in sdk.AdminUpdateUserAttributesInput) (any, *awsjson.Error) {
	return c.edit(in.Username, func(u *User) *awsjson.Error { return c.set(u, in.UserAttributes) })
}

func (c *call) adminDeleteUserAttributes(in sdk.AdminDeleteUserAttributesInput) (any, *awsjson.Error) {
	return c.edit(in.Username, func(u *User) *awsjson.Error {
		for _, name := range in.UserAttributeNames {
			remove(u, name)
		}
		return nil
	})
}

func (c *call) adminEnableUser(in sdk.AdminEnableUserInput) (any, *awsjson.Error) {
	return c.edit(in.Username, func(u *User) *awsjson.Error { u.Enabled = true; return nil })
}

func (c *call) adminDisableUser(in sdk.AdminDisableUserInput) (any, *awsjson.Error) {
	return c.edit(in.Username, func(u *User) *awsjson.Error { u.Enabled = false; return nil })
}
