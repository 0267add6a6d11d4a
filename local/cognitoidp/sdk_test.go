package cognitoidp

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// The real SDK reads the responses and the errors.
func TestSDK(t *testing.T) {
	w := newWorld(t, "V2_0")
	server := httptest.NewServer(w.Server)
	t.Cleanup(server.Close)
	client := sdk.New(sdk.Options{Region: "eu-north-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "key", "")})
	ctx, pool, name, secret := t.Context(), aws.String(poolID), aws.String("jane"), aws.String(password)
	signUp, err := client.SignUp(ctx, &sdk.SignUpInput{ClientId: aws.String(web), Username: name, Password: secret,
		UserAttributes: []types.AttributeType{{Name: aws.String("email"), Value: aws.String("jane@example.com")}}})
	if err != nil || signUp.UserConfirmed {
		t.Fatal(signUp, err)
	}
	signIn := &sdk.InitiateAuthInput{ClientId: aws.String(web), AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": *name, "PASSWORD": *secret}}
	_, err = client.InitiateAuth(ctx, signIn)
	if _, ok := errors.AsType[*types.UserNotConfirmedException](err); !ok {
		t.Errorf("got %v before the confirmation", err)
	}
	if _, err := client.ConfirmSignUp(ctx, &sdk.ConfirmSignUpInput{ClientId: aws.String(web), Username: name, ConfirmationCode: aws.String(Code)}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AdminAddUserToGroup(ctx, &sdk.AdminAddUserToGroupInput{UserPoolId: pool, Username: name, GroupName: aws.String("editor")}); err != nil {
		t.Fatal(err)
	}
	groups, err := client.AdminListGroupsForUser(ctx, &sdk.AdminListGroupsForUserInput{UserPoolId: pool, Username: name})
	if err != nil || len(groups.Groups) != 1 {
		t.Errorf("got the groups %v, %v", groups, err)
	}
	tokens, err := client.InitiateAuth(ctx, signIn)
	if err != nil {
		t.Fatal(err)
	}
	self, err := client.GetUser(ctx, &sdk.GetUserInput{AccessToken: tokens.AuthenticationResult.AccessToken})
	if err != nil || aws.ToString(self.Username) != *name {
		t.Errorf("got %v, %v", self, err)
	}
	list, err := client.ListUsers(ctx, &sdk.ListUsersInput{UserPoolId: pool, Filter: aws.String(`sub = "` + *signUp.UserSub + `"`)})
	if err != nil || len(list.Users) != 1 || !list.Users[0].Enabled || list.Users[0].UserStatus != types.UserStatusTypeConfirmed || list.Users[0].UserCreateDate.IsZero() {
		t.Errorf("got %v, %v", list, err)
	}
	described, err := client.DescribeUserPool(ctx, &sdk.DescribeUserPoolInput{UserPoolId: pool})
	if err != nil || described.UserPool.EstimatedNumberOfUsers != 1 {
		t.Errorf("got %v, %v", described, err)
	}
	if _, err := client.AdminDeleteUser(ctx, &sdk.AdminDeleteUserInput{UserPoolId: pool, Username: name}); err != nil {
		t.Fatal(err)
	}
	_, err = client.AdminDeleteUser(ctx, &sdk.AdminDeleteUserInput{UserPoolId: pool, Username: name})
	if _, ok := errors.AsType[*types.UserNotFoundException](err); !ok {
		t.Errorf("got %v for a user who is gone", err)
	}
	_, err = client.AdminGetUser(ctx, &sdk.AdminGetUserInput{UserPoolId: aws.String("eu-north-1_Vb3Nr8TyW"), Username: name})
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); !ok {
		t.Errorf("got %v for another pool", err)
	}
}
