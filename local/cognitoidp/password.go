package cognitoidp

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// checkPassword checks the length alone.
func (c *call) checkPassword(password *string) *awsjson.Error {
	least, err := strconv.Atoi(fmt.Sprint(member(member(c.pool, "Policies"), "PasswordPolicy")["MinimumLength"]))
	if err != nil {
		least = 6 // the least that a pool can have
	}
	if len(aws.ToString(password)) < least {
		return awsjson.Errorf("InvalidPasswordException", "Password did not conform with policy: Password not long enough")
	}
	return nil
}

func (c *call) adminSetUserPassword(in sdk.AdminSetUserPasswordInput) (any, *awsjson.Error) {
	return c.edit(in.Username, func(u *User) *awsjson.Error {
		if refused := c.checkPassword(in.Password); refused != nil {
			return refused
		}
		u.password, u.Status = aws.ToString(in.Password), ForceChangePassword
		if in.Permanent {
			u.Status = Confirmed
		}
		return nil
	})
}

func (c *call) adminResetUserPassword(in sdk.AdminResetUserPasswordInput) (any, *awsjson.Error) {
	return c.edit(in.Username, func(u *User) *awsjson.Error {
		if refused := canReset(u); refused != nil {
			return refused
		}
		u.Status = ResetRequired
		return nil
	})
}

func (c *call) forgotPassword(in sdk.ForgotPasswordInput) (any, *awsjson.Error) {
	client, refused := c.app(in.ClientId)
	if refused == nil {
		refused = checkSecret(client, aws.ToString(in.Username), aws.ToString(in.SecretHash))
	}
	if refused == nil {
		refused = c.find(in.Username)
	}
	if refused == nil {
		refused = canReset(&c.user)
	}
	return Object{}, refused
}

// confirmForgotPassword sets the password, also if the trigger fails.
func (c *call) confirmForgotPassword(in sdk.ConfirmForgotPasswordInput) (any, *awsjson.Error) {
	client, refused := c.app(in.ClientId)
	if refused != nil {
		return nil, refused
	}
	_, refused = c.edit(in.Username, func(u *User) *awsjson.Error {
		if refused := canReset(u); refused != nil {
			return refused
		}
		if aws.ToString(in.ConfirmationCode) != Code {
			return errCode
		}
		if refused := c.checkPassword(in.Password); refused != nil {
			return refused
		}
		u.password, u.Status = aws.ToString(in.Password), Confirmed
		return nil
	})
	if refused != nil {
		return nil, refused
	}
	return Object{}, c.tell("PostConfirmation", userpool.Trigger{Source: "PostConfirmation_ConfirmForgotPassword", ClientID: id(client), Metadata: in.ClientMetadata})
}

// canReset refuses users who get no code for a new password.
func canReset(u *User) *awsjson.Error {
	switch {
	case !u.Enabled:
		return errDisabled
	case u.Status != Confirmed && u.Status != ResetRequired && u.Status != Unconfirmed:
		return awsjson.Errorf("NotAuthorizedException", "User password cannot be reset in the current state.")
	case u.Attributes["email_verified"] != "true" && u.Attributes["phone_number_verified"] != "true":
		return awsjson.Errorf("InvalidParameterException", "Cannot reset password for the user as there is no registered/verified email or phone_number")
	}
	return nil
}
