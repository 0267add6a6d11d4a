package cognitoidp

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

// owner finds the user who sends an access token.
func (c *call) owner(token *string) *awsjson.Error {
	refused := awsjson.Errorf("NotAuthorizedException", "Invalid Access Token")
	if c.Tokens == nil {
		return refused
	}
	sub, err := c.Tokens.Owner(aws.ToString(token))
	if err != nil {
		return refused
	}
	var found bool
	if c.user, found = c.Users.Get(sub); !found {
		return errNoUser
	}
	if !c.user.Enabled {
		return errDisabled
	}
	return nil
}

func (c *call) getUser(in sdk.GetUserInput) (any, *awsjson.Error) {
	if refused := c.owner(in.AccessToken); refused != nil {
		return nil, refused
	}
	return Object{"Username": c.user.Username, "UserAttributes": c.user.attributeList()}, nil
}

// updateUser serves UpdateUserAttributes. Users cannot verify their own addresses.
func (c *call) updateUser(in sdk.UpdateUserAttributesInput) (any, *awsjson.Error) {
	refused := c.owner(in.AccessToken)
	if refused != nil {
		return nil, refused
	}
	for _, a := range in.UserAttributes {
		if name := aws.ToString(a.Name); name == "email_verified" || name == "phone_number_verified" {
			return nil, awsjson.Errorf("NotAuthorizedException", "A client attempted to write unauthorized attribute")
		}
	}
	c.user, refused = c.Users.edit(c.user.Sub(), func(u *User) *awsjson.Error { return c.set(u, in.UserAttributes) })
	return Object{}, refused
}

func (c *call) deleteUser(in sdk.DeleteUserInput) (any, *awsjson.Error) {
	if refused := c.owner(in.AccessToken); refused != nil {
		return nil, refused
	}
	c.Users.Delete(c.user.Sub())
	return Object{}, nil
}
