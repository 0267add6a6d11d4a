package cognitoidp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

const (
	poolID   = "eu-north-1_Kq7Lm2PzX"
	web      = "3kd82mznq0v5hw7r1tc9yap4eb"
	password = "Correct-horse-7"
)

// A world is a pool whose functions return the events as they are.
type world struct {
	*Server
	t       *testing.T
	fails   string // the trigger source whose function fails
	events  []Invocation
	records []map[string]any
}

func newWorld(t *testing.T, version string) *world {
	tokens, err := userpool.New(poolID)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t}
	w.Server = &Server{
		Pool: Object{"Id": poolID, "LambdaConfig": Object{"PostConfirmation": "sync", "PostAuthentication": "sync",
			"PreTokenGenerationConfig": Object{"LambdaArn": "claims", "LambdaVersion": version}}},
		Clients: []Object{
			{"ClientId": web, "ExplicitAuthFlows": []any{"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}},
			{"ClientId": "rotating", "ExplicitAuthFlows": []any{"ALLOW_USER_PASSWORD_AUTH"}, "RefreshTokenRotation": Object{"Feature": "ENABLED"}},
		},
		Groups: []string{"editor"}, Tokens: tokens,
		Invoke: func(_ context.Context, _ string, event []byte) (lambda.Result, error) {
			var e struct{ TriggerSource string }
			if err := json.Unmarshal(event, &e); err != nil {
				t.Error(err)
			}
			if e.TriggerSource == w.fails {
				return lambda.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"no"}`)}, nil
			}
			return lambda.Result{Payload: event}, nil
		},
		Invoked: func(_ context.Context, i Invocation) { w.events = append(w.events, i) },
		Recorded: func(_ context.Context, event []byte) {
			var record map[string]any
			if err := json.Unmarshal(event, &record); err != nil {
				t.Error(err)
			}
			w.records = append(w.records, record)
		},
	}
	return w
}

// do calls an operation of administrators or of apps; want is a part of the error.
func (w *world) do(want, operation string, request Object) Object {
	w.t.Helper()
	request = maps.Clone(request)
	if selfService[operation] == nil {
		request["UserPoolId"] = poolID
	} else if request["ClientId"] == nil && request["AccessToken"] == nil {
		request["ClientId"] = web
	}
	response, err := w.Do(w.t.Context(), operation, request)
	w.check(want, operation, err)
	return response
}

func (w *world) check(want, what string, err error) {
	w.t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		w.t.Errorf("%s: got the error %v, want %q", what, err, want)
	}
}

// saw checks the events since the last call: their sources, and the status and the clientMetadata in them.
func (w *world) saw(want ...string) {
	w.t.Helper()
	var got []string
	for _, i := range w.events {
		var e struct {
			Version       string
			CallerContext struct{ ClientID string }
			Request       struct {
				UserAttributes, ClientMetadata map[string]string
				GroupConfiguration             struct{ GroupsToOverride []string }
			}
		}
		if err := json.Unmarshal(i.Event, &e); err != nil {
			w.t.Error(err)
		}
		text := i.Source + " " + e.Request.UserAttributes["cognito:user_status"]
		for _, more := range append(slices.Sorted(maps.Values(e.Request.ClientMetadata)), e.Request.GroupConfiguration.GroupsToOverride...) {
			text += " " + more
		}
		if e.CallerContext.ClientID == userpool.AdminClient {
			text += " by an administrator"
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("got the events %q, want %q", got, want)
	}
	w.events = nil
}

func (w *world) user(name string) User {
	w.t.Helper()
	user, refused := w.Users.find(name, nil)
	if refused != nil {
		w.t.Fatal(refused)
	}
	return user
}

var metadata = Object{"tenant_id": "acme"}

func passwordOf(name, password string) Object {
	return Object{"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": Object{"USERNAME": name, "PASSWORD": password}, "ClientMetadata": metadata}
}

func refreshWith(token any) Object {
	return Object{"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": Object{"REFRESH_TOKEN": token}, "ClientMetadata": metadata}
}

func TestSignUp(t *testing.T) {
	w := newWorld(t, "V2_0")
	jane := Object{"Username": "jane", "Password": password, "UserAttributes": Attributes(map[string]string{"email": "jane@example.com"})}
	w.do("InvalidPasswordException", "SignUp", Object{"Username": "jane", "Password": "short"})
	w.do("", "SignUp", jane)
	w.do("UsernameExistsException", "SignUp", jane)
	w.do("UserNotConfirmedException", "InitiateAuth", passwordOf("jane", password))
	w.do("CodeMismatchException", "ConfirmSignUp", Object{"Username": "jane", "ConfirmationCode": "000000"})
	w.saw()
	w.do("", "ConfirmSignUp", Object{"Username": "jane", "ConfirmationCode": Code, "ClientMetadata": metadata})
	w.saw("PostConfirmation_ConfirmSignUp CONFIRMED acme")
	if u := w.user("jane"); u.Attributes["email_verified"] != "true" {
		t.Errorf("got %+v, want the address to be verified", u)
	}
	w.do("Current status is CONFIRMED", "AdminConfirmSignUp", Object{"Username": "jane"})
	w.do("Incorrect username or password", "InitiateAuth", passwordOf("jane", "wrong"))
	w.do("Incorrect username or password", "InitiateAuth", passwordOf("nobody", password))
	w.do("", "AdminAddUserToGroup", Object{"Username": "jane", "GroupName": "editor"})
	w.do("Group not found", "AdminAddUserToGroup", Object{"Username": "jane", "GroupName": "none"})
	w.saw()

	// InitiateAuth passes no clientMetadata on.
	result := w.do("", "InitiateAuth", passwordOf("jane", password))
	tokens := tokensOf(result)
	w.saw("PostAuthentication_Authentication CONFIRMED", "TokenGeneration_Authentication CONFIRMED editor")
	w.do("", "InitiateAuth", refreshWith(tokens.Refresh))
	w.saw("TokenGeneration_RefreshTokens CONFIRMED editor")
	w.do("", "GetTokensFromRefreshToken", Object{"RefreshToken": tokens.Refresh, "ClientMetadata": metadata})
	w.saw("TokenGeneration_Authentication CONFIRMED acme editor")
	w.do("Invalid Refresh Token", "InitiateAuth", refreshWith(w.user("jane").Sub()+".x"))

	w.do("unauthorized attribute", "UpdateUserAttributes", Object{"AccessToken": tokens.Access, "UserAttributes": Attributes(map[string]string{"email_verified": "true"})})
	w.do("", "UpdateUserAttributes", Object{"AccessToken": tokens.Access, "UserAttributes": Attributes(map[string]string{"email": "j@example.com"})})
	if u := w.user("jane"); u.Attributes["email"] != "j@example.com" || u.Attributes["email_verified"] != "false" {
		t.Errorf("got %v, want a new address, not verified", u.Attributes)
	}
	w.do("Invalid Access Token", "GetUser", Object{"AccessToken": "eyJ"})
	w.do("", "AdminDisableUser", Object{"Username": "jane"})
	w.do("User is disabled", "InitiateAuth", passwordOf("jane", password))
	w.do("User is disabled", "InitiateAuth", refreshWith(tokens.Refresh))
	w.do("User is disabled", "GetUser", Object{"AccessToken": tokens.Access})
	w.do("", "AdminEnableUser", Object{"Username": "jane"})
	w.do("", "DeleteUser", Object{"AccessToken": tokens.Access})
	w.do("UserNotFoundException", "AdminGetUser", Object{"Username": "jane"})
	w.saw()
}

func TestPasswords(t *testing.T) {
	w := newWorld(t, "V1_0")
	w.do("", "AdminCreateUser", Object{"Username": "adam", "TemporaryPassword": "Temporary-7"})
	challenge := w.do("", "InitiateAuth", passwordOf("adam", "Temporary-7"))
	answer := Object{"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": challenge["Session"], "ClientMetadata": metadata,
		"ChallengeResponses": Object{"USERNAME": "adam", "NEW_PASSWORD": password, "userAttributes.name": "Adam"}}
	w.saw()
	w.do("", "RespondToAuthChallenge", answer)
	w.saw("PostAuthentication_Authentication FORCE_CHANGE_PASSWORD acme", "TokenGeneration_NewPasswordChallenge FORCE_CHANGE_PASSWORD acme")
	if u := w.user("adam"); u.Status != Confirmed || u.Attributes["name"] != "Adam" {
		t.Errorf("got %+v, want the user to be confirmed", u)
	}
	w.do("Invalid session", "RespondToAuthChallenge", answer)
	w.do("no registered/verified email", "ForgotPassword", Object{"Username": "adam"})
	w.do("", "AdminUpdateUserAttributes", Object{"Username": "adam", "UserAttributes": Attributes(map[string]string{"email": "adam@example.com", "email_verified": "true"})})
	w.do("", "AdminResetUserPassword", Object{"Username": "adam"})
	w.do("PasswordResetRequiredException", "InitiateAuth", passwordOf("adam", password))
	w.do("", "ForgotPassword", Object{"Username": "adam"})
	w.do("CodeMismatchException", "ConfirmForgotPassword", Object{"Username": "adam", "ConfirmationCode": "1", "Password": "Another-horse-8"})
	w.do("", "ConfirmForgotPassword", Object{"Username": "adam", "ConfirmationCode": Code, "Password": "Another-horse-8", "ClientMetadata": metadata})
	w.saw("PostConfirmation_ConfirmForgotPassword CONFIRMED acme")
	w.do("", "InitiateAuth", passwordOf("adam", "Another-horse-8"))
	w.saw("PostAuthentication_Authentication CONFIRMED", "TokenGeneration_Authentication CONFIRMED")
	w.do("", "AdminSetUserPassword", Object{"Username": "adam", "Password": password})
	if u := w.user("adam"); u.Status != ForceChangePassword {
		t.Errorf("got %s after a temporary password", u.Status)
	}
	w.do("cannot be reset in the current state", "ForgotPassword", Object{"Username": "adam"})
	w.do("", "AdminDeleteUserAttributes", Object{"Username": "adam", "UserAttributeNames": []string{"email"}})
	if _, ok := w.user("adam").Attributes["email_verified"]; ok {
		t.Error("the flag of a deleted address stays")
	}
	w.do("non-mutable", "AdminUpdateUserAttributes", Object{"Username": "adam", "UserAttributes": Attributes(map[string]string{"sub": "x"})})
	w.do("", "SignUp", Object{"Username": "nora", "Password": password})
	w.do("", "AdminConfirmSignUp", Object{"Username": "nora"})
	w.saw("PostConfirmation_ConfirmSignUp CONFIRMED by an administrator")
}

func TestImport(t *testing.T) {
	w := newWorld(t, "V2_0")
	users, err := w.Import(t.Context(), map[string]string{"cognito:username": "ivan", "email": "ivan@example.com", "email_verified": "true"}, map[string]string{"name": "Ida"})
	if err != nil || len(users) != 2 || users[0].Username != "ivan" || users[1].Username != users[1].Sub() || users[0].Status != ResetRequired {
		t.Fatalf("got %+v, %v", users, err)
	}
	if len(w.records) > 0 {
		t.Errorf("an import has records: %v", w.records)
	}
	w.do("PasswordResetRequiredException", "InitiateAuth", passwordOf("ivan", password))
	w.do("", "ConfirmForgotPassword", Object{"Username": "ivan", "ConfirmationCode": Code, "Password": password})
	w.saw("PostConfirmation_ConfirmForgotPassword CONFIRMED")
}

func TestFederatedSignIn(t *testing.T) {
	w := newWorld(t, "V3_0")
	sam := Identity{Provider: "ADFS", Type: "SAML", Issuer: "http://adfs.example.com", UserID: `AD\sam`, Attributes: map[string]string{"email": "sam@example.com"}}
	group := poolID + "_ADFS"
	for i, want := range [][]string{
		{"PostConfirmation_ConfirmSignUp EXTERNAL_PROVIDER", "TokenGeneration_HostedAuth EXTERNAL_PROVIDER " + group},
		{"PostAuthentication_Authentication EXTERNAL_PROVIDER", "TokenGeneration_HostedAuth EXTERNAL_PROVIDER " + group},
	} {
		sam.Attributes["name"] = fmt.Sprint("Sam ", i)
		tokens, err := w.SignInFederated(t.Context(), web, sam)
		if err != nil || tokens.ID == "" || tokens.Refresh == "" {
			t.Fatal(tokens, err)
		}
		w.saw(want...)
	}
	u := w.user(`adfs_ad\sam`)
	if u.Attributes["name"] != "Sam 1" || u.Status != ExternalProvider || !strings.Contains(u.Attributes["identities"], `"issuer":"http://adfs.example.com"`) {
		t.Errorf("got %+v", u)
	}
	w.do("", "AdminDisableUser", Object{"Username": u.Username})
	_, err := w.SignInFederated(t.Context(), web, sam)
	w.check("User is disabled", "a disabled user", err)
	for _, record := range w.records {
		if detail := record["detail"].(Object); detail["eventName"] == "Token_POST" && strings.Contains(fmt.Sprint(detail), u.Sub()) {
			t.Errorf("the record of a federated sign-in has the sub: %v", detail)
		}
	}
}

func TestMachine(t *testing.T) {
	for version, want := range map[string][]string{"V2_0": nil, "V3_0": {"TokenGeneration_ClientCredentials  dev"}} {
		w := newWorld(t, version)
		access, err := w.ClientCredentials(t.Context(), web, []string{"api/read"}, map[string]string{"environment": "dev"})
		if err != nil {
			t.Fatal(err)
		}
		if owner, err := w.Tokens.Owner(access); err != nil || owner != web {
			t.Errorf("got the owner %q, %v", owner, err)
		}
		w.saw(want...)
	}
}

// A trigger that fails fails the operation. A confirmed user stays confirmed.
func TestFailingTriggers(t *testing.T) {
	w := newWorld(t, "V2_0")
	w.do("", "SignUp", Object{"Username": "jane", "Password": password})
	w.fails = "PostConfirmation_ConfirmSignUp"
	w.do("UserLambdaValidationException: PostConfirmation failed with error no.", "ConfirmSignUp", Object{"Username": "jane", "ConfirmationCode": Code})
	if u := w.user("jane"); u.Status != Confirmed {
		t.Errorf("got %s", u.Status)
	}
	gina := Identity{Provider: "Google", Type: "Google", UserID: "17"}
	_, err := w.SignInFederated(t.Context(), web, gina)
	w.check("PostConfirmation failed", "a first federated sign-in", err)
	_, err = w.SignInFederated(t.Context(), web, gina)
	w.check("", "the next one", err)
	for source, want := range map[string]string{
		"PostAuthentication_Authentication": "PostAuthentication failed with error no.", "TokenGeneration_Authentication": "PreTokenGeneration failed with error no.",
	} {
		w.fails = source
		w.do(want, "InitiateAuth", passwordOf("jane", password))
	}
	if i := w.events[len(w.events)-1]; i.Refused == nil {
		t.Error("the last call is not refused")
	}
	w.Invoke = func(context.Context, string, []byte) (lambda.Result, error) {
		return lambda.Result{}, errors.New("down")
	}
	_, err = w.SignIn(t.Context(), web, "jane", password)
	if refused, ok := errors.AsType[*awsjson.Error](err); !ok || refused.Code != "UnexpectedLambdaException" {
		t.Errorf("got %v", err)
	}
}

func TestGroups(t *testing.T) {
	w := newWorld(t, "V2_0")
	w.do("", "AdminCreateUser", Object{"Username": "adam"})
	w.do("", "CreateGroup", Object{"GroupName": "owner"})
	w.do("GroupExistsException", "CreateGroup", Object{"GroupName": "owner"})
	w.do("", "AdminAddUserToGroup", Object{"Username": "adam", "GroupName": "owner"})
	w.do("", "AdminAddUserToGroup", Object{"Username": "adam", "GroupName": "owner"})
	w.do("", "AdminAddUserToGroup", Object{"Username": "adam", "GroupName": "editor"})
	if got := w.do("", "AdminListGroupsForUser", Object{"Username": "adam"}); len(got["Groups"].([]any)) != 2 {
		t.Errorf("got %v", got)
	}
	w.do("", "DeleteGroup", Object{"GroupName": "owner"})
	w.do("", "AdminRemoveUserFromGroup", Object{"Username": "adam", "GroupName": "none"})
	if got := w.user("adam").Groups; !slices.Equal(got, []string{"editor"}) {
		t.Errorf("got the groups %q", got)
	}
	w.do("", "AdminRemoveUserFromGroup", Object{"Username": "adam", "GroupName": "editor"})
	if got := w.user("adam").Groups; len(got) > 0 {
		t.Errorf("got the groups %q", got)
	}
}
