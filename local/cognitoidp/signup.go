package cognitoidp

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// Code is the code in every message that Cognito would send.
const Code = "123456"

var errCode = awsjson.Errorf("CodeMismatchException", "Invalid verification code provided, please try again.")

func (c *call) signUp(in sdk.SignUpInput) (any, *awsjson.Error) {
	client, refused := c.app(in.ClientId)
	if refused == nil {
		refused = checkSecret(client, aws.ToString(in.Username), aws.ToString(in.SecretHash))
	}
	if refused == nil {
		refused = c.checkPassword(in.Password)
	}
	if refused != nil {
		return nil, refused
	}
	u, refused := c.newUser(in.Username, in.UserAttributes)
	if refused != nil {
		return nil, refused
	}
	u.Status, u.password = Unconfirmed, aws.ToString(in.Password)
	if refused := c.Users.create(u, c.aliases()); refused != nil {
		return nil, refused
	}
	c.user = u
	return Object{"UserConfirmed": false, "UserSub": u.Sub()}, nil
}

// confirmSignUp also verifies the address that got the code. The user stays confirmed if the trigger fails.
func (c *call) confirmSignUp(in sdk.ConfirmSignUpInput) (any, *awsjson.Error) {
	client, refused := c.app(in.ClientId)
	if refused != nil {
		return nil, refused
	}
	_, refused = c.edit(in.Username, func(u *User) *awsjson.Error {
		switch {
		case aws.ToString(in.ConfirmationCode) != Code:
			return errCode
		case u.Attributes["email"] != "":
			u.Attributes["email_verified"] = "true"
		case u.Attributes["phone_number"] != "":
			u.Attributes["phone_number_verified"] = "true"
		}
		return confirm(u)
	})
	if refused != nil {
		return nil, refused
	}
	return Object{}, c.tell("PostConfirmation", userpool.Trigger{Source: "PostConfirmation_ConfirmSignUp", ClientID: id(client), Metadata: in.ClientMetadata})
}

func (c *call) adminConfirmSignUp(in sdk.AdminConfirmSignUpInput) (any, *awsjson.Error) {
	if _, refused := c.edit(in.Username, confirm); refused != nil {
		return nil, refused
	}
	return Object{}, c.tell("PostConfirmation", userpool.Trigger{Source: "PostConfirmation_ConfirmSignUp", ClientID: userpool.AdminClient, Metadata: in.ClientMetadata})
}

func confirm(u *User) *awsjson.Error {
	if u.Status != Unconfirmed {
		return awsjson.Errorf("NotAuthorizedException", "User cannot be confirmed. Current status is %s", u.Status)
	}
	u.Status = Confirmed
	return nil
}

func id(client Object) string {
	text, _ := client["ClientId"].(string)
	return text
}
