package cognitoidp

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// An account is a user who can sign in: with a password, without groups and without a second factor.
type account struct {
	name       string
	attributes map[string]string
	password   string
	refresh    string // the refresh token of the last sign-in
}

// Accounts returns the attributes of the users that AdminCreateUser made.
func (s *Server) Accounts() (list []map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.accounts {
		list = append(list, maps.Clone(u.attributes))
	}
	return list
}

// find returns a user by name, or by an attribute that users sign in with.
func (s *Server) find(name any) (*account, *awsjson.Error) {
	for _, u := range s.accounts {
		if u.name == name || slices.ContainsFunc(s.aliases(), func(alias string) bool { return u.attributes[alias] == name }) {
			return u, nil
		}
	}
	return nil, awsjson.Errorf("UserNotFoundException", "User does not exist.")
}

// aliases returns the attributes with which users sign in instead of a user name, such as email.
func (s *Server) aliases() (names []string) {
	list, _ := s.Pool["UsernameAttributes"].([]any)
	for _, name := range list {
		names = append(names, fmt.Sprint(name))
	}
	return names
}

func (s *Server) createUser(request Object) (any, *awsjson.Error) {
	name, _ := request["Username"].(string)
	if _, absent := s.find(name); absent == nil {
		return nil, awsjson.Errorf("UsernameExistsException", "User account already exists")
	}
	if request["MessageAction"] != "SUPPRESS" {
		return nil, awsjson.Errorf("InvalidParameterException", "the stand-in sends no invitations")
	}
	sub := uuid.NewString()
	u := &account{name: name, attributes: map[string]string{"sub": sub, "cognito:user_status": "FORCE_CHANGE_PASSWORD"}}
	for _, attribute := range objects(request["UserAttributes"]) {
		u.attributes[fmt.Sprint(attribute["Name"])] = fmt.Sprint(attribute["Value"])
	}
	if aliases := s.aliases(); len(aliases) > 0 { // the name must be one of them, and the user name is the sub
		alias := "email"
		if !strings.Contains(name, "@") {
			alias = "phone_number"
		}
		if !slices.Contains(aliases, alias) || alias == "phone_number" && !strings.HasPrefix(name, "+") {
			return nil, awsjson.Errorf("InvalidParameterException", "Username should be either an email or a phone number.")
		}
		u.name, u.attributes[alias] = sub, name
	}
	for _, item := range objects(s.Pool["SchemaAttributes"]) {
		if name := fmt.Sprint(item["Name"]); item["Required"] == true && u.attributes[name] == "" {
			return nil, awsjson.Errorf("InvalidParameterException", "Attributes did not conform to the schema: %s: The attribute is required", name)
		}
	}
	s.accounts = append(s.accounts, u)
	s.show(u)
	attributes := []Object{}
	for _, name := range slices.Sorted(maps.Keys(u.attributes)) {
		attributes = append(attributes, Object{"Name": name, "Value": u.attributes[name]})
	}
	return Object{"User": Object{"Username": u.name, "Attributes": attributes, "Enabled": true, "UserStatus": "FORCE_CHANGE_PASSWORD"}}, nil
}

func objects(value any) (list []Object) {
	items, _ := value.([]any)
	for _, item := range items {
		if object, ok := item.(Object); ok {
			list = append(list, object)
		}
	}
	return list
}

// show puts a user into the list of users.
func (s *Server) show(u *account) {
	if s.Users == nil {
		return
	}
	attributes := maps.Clone(u.attributes)
	delete(attributes, "cognito:user_status")
	s.Users.Put(User{Username: u.name, Attributes: attributes, Enabled: true, Status: u.attributes["cognito:user_status"]})
}

func (s *Server) setPassword(request Object) (any, *awsjson.Error) {
	u, refused := s.find(request["Username"])
	if refused != nil {
		return nil, refused
	}
	u.password, _ = request["Password"].(string)
	if request["Permanent"] == true {
		u.attributes["cognito:user_status"] = "CONFIRMED"
	}
	s.show(u)
	return Object{}, nil
}

func (s *Server) deleteUser(request Object) (any, *awsjson.Error) {
	u, refused := s.find(request["Username"])
	if refused != nil {
		return nil, refused
	}
	s.accounts = slices.DeleteFunc(s.accounts, func(other *account) bool { return other == u })
	if s.Users != nil {
		s.Users.Delete(u.attributes["sub"])
	}
	return Object{}, nil
}

var errPassword = awsjson.Errorf("NotAuthorizedException", "Incorrect username or password.")

// initiateAuth serves InitiateAuth and AdminInitiateAuth.
func (s *Server) initiateAuth(ctx context.Context, request Object) (any, *awsjson.Error) {
	client, refused := s.client(request["ClientId"])
	if refused != nil {
		return nil, refused
	}
	flow, _ := request["AuthFlow"].(string)
	flows, _ := client["ExplicitAuthFlows"].([]any)
	if flow == "REFRESH_TOKEN_AUTH" && member(client, "RefreshTokenRotation")["Feature"] == "ENABLED" ||
		!slices.Contains(flows, any("ALLOW_"+flow)) {
		return nil, awsjson.Errorf("InvalidParameterException", "%s flow not enabled for this client", flow)
	}
	parameters := member(request, "AuthParameters")
	if flow == "REFRESH_TOKEN_AUTH" {
		return s.tokens(ctx, client, parameters, "TokenGeneration_RefreshTokens")
	}
	if s.Pool["MfaConfiguration"] == "ON" {
		return Object{"ChallengeName": "MFA_SETUP", "Session": rand.Text()}, nil
	}
	return s.tokens(ctx, client, parameters, "TokenGeneration_Authentication")
}

// refresh serves GetTokensFromRefreshToken.
func (s *Server) refresh(ctx context.Context, request Object) (any, *awsjson.Error) {
	client, refused := s.client(request["ClientId"])
	if refused != nil {
		return nil, refused
	}
	if secret := client["ClientSecret"]; secret != nil && secret != request["ClientSecret"] {
		return nil, awsjson.Errorf("NotAuthorizedException", "Client secret is wrong.")
	}
	return s.tokens(ctx, client, Object{"REFRESH_TOKEN": request["RefreshToken"]}, "TokenGeneration_RefreshTokens")
}

// tokens checks who asks, calls the triggers and signs the tokens.
func (s *Server) tokens(ctx context.Context, client, parameters Object, source string) (any, *awsjson.Error) {
	refreshes := source == "TokenGeneration_RefreshTokens"
	i := slices.IndexFunc(s.accounts, func(u *account) bool {
		if refreshes {
			return u.refresh == parameters["REFRESH_TOKEN"]
		}
		return u.name == parameters["USERNAME"] && u.password == parameters["PASSWORD"]
	})
	if i < 0 {
		return nil, errPassword
	}
	u := s.accounts[i]
	if secret, ok := client["ClientSecret"].(string); ok && parameters["USERNAME"] != nil && parameters["SECRET_HASH"] != secretHash(secret, u.name, client["ClientId"]) {
		return nil, awsjson.Errorf("NotAuthorizedException", "Unable to verify secret hash for client")
	}
	triggers := member(s.Pool, "LambdaConfig")
	if function, ok := triggers["PostAuthentication"].(string); ok && !refreshes {
		if _, refused := s.invoke(ctx, function, s.event(u, client, "1", "PostAuthentication_Authentication")); refused != nil {
			return nil, refused
		}
	}
	config := member(triggers, "PreTokenGenerationConfig")
	version, _ := config["LambdaVersion"].(string)
	version = cmp.Or(strings.TrimSuffix(strings.TrimPrefix(version, "V"), "_0"), "1")
	event := s.event(u, client, version, source)
	returned := event
	if function, ok := config["LambdaArn"].(string); ok {
		var refused *awsjson.Error
		if returned, refused = s.invoke(ctx, function, event); refused != nil {
			return nil, refused
		}
	}
	claims, err := s.Tokens.Tokens(event, returned, time.Now())
	if err != nil {
		return nil, exception(err)
	}
	id, access, err := s.Tokens.Sign(claims)
	if err != nil {
		return nil, exception(err)
	}
	result := Object{"IdToken": id, "AccessToken": access, "TokenType": "Bearer", "ExpiresIn": 3600}
	if !refreshes || member(client, "RefreshTokenRotation")["Feature"] == "ENABLED" {
		u.refresh = rand.Text()
		result["RefreshToken"] = u.refresh
	}
	return Object{"AuthenticationResult": result}, nil
}

func secretHash(secret, name string, clientID any) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprint(mac, name, clientID)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// event is what Cognito sends to a trigger. V1_0 events have no scopes.
func (s *Server) event(u *account, client Object, version, source string) []byte {
	request, response := Object{"userAttributes": u.attributes}, Object{}
	if strings.HasPrefix(source, "TokenGeneration_") {
		request["groupConfiguration"] = Object{"groupsToOverride": []string{}, "iamRolesToOverride": []string{}, "preferredRole": nil}
		response["claimsOverrideDetails"] = nil
		if version != "1" {
			request["scopes"] = []string{"aws.cognito.signin.user.admin"}
			response = Object{"claimsAndScopeOverrideDetails": nil}
		}
	}
	event, err := json.Marshal(Object{
		"version": version, "triggerSource": source, "userPoolId": s.Tokens.ID, "region": strings.Split(s.Tokens.ID, "_")[0], "userName": u.name,
		"callerContext": Object{"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": client["ClientId"]},
		"request":       request, "response": response,
	})
	if err != nil {
		panic(err) // there are only texts
	}
	return event
}

// invoke calls a function. It returns Cognito's error if the function fails.
func (s *Server) invoke(ctx context.Context, function string, event []byte) ([]byte, *awsjson.Error) {
	result, err := s.Invoke(ctx, function, event)
	if err != nil {
		return nil, awsjson.Errorf("UnexpectedLambdaException", "%v", err)
	}
	var sent struct {
		Source string `json:"triggerSource"`
	}
	if err := json.Unmarshal(event, &sent); err != nil {
		return nil, awsjson.Errorf("InternalErrorException", "%v", err)
	}
	if result.FunctionError != "" {
		return nil, exception(userpool.Failed(sent.Source, result.Payload))
	}
	if err := userpool.Check(event, result.Payload); err != nil {
		return nil, exception(err)
	}
	return result.Payload, nil
}

func exception(err error) *awsjson.Error {
	if refused, ok := errors.AsType[*userpool.Error](err); ok {
		return awsjson.Errorf(refused.Code, "%s", refused.Message)
	}
	return awsjson.Errorf("InternalErrorException", "%v", err)
}
