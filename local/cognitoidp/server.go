// Package cognitoidp is a stand-in for the user pools API of Amazon Cognito. It has one user
// pool: it describes and updates the pool, creates and changes users, and signs them in.
//
// As in Cognito, UpdateUserPool resets every setting that a request leaves out, the pool's
// triggers are called where Cognito calls them, and CloudTrail gets a record of each call.
// No message is sent: [Code] is the code of every message.
//
// Point an SDK at it with AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER, or call [Server.Do].
// The methods beside Do are for what has no operation: an import, a sign-in with an identity
// provider, a token for a machine.
package cognitoidp

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// An Object is a JSON object of the API, such as a user pool.
type Object = map[string]any

// A Server has one user pool. Set the fields before it serves.
type Server struct {
	// Pool is the user pool that DescribeUserPool returns; it needs an Id.
	Pool Object
	// MFA is what GetUserPoolMfaConfig returns.
	MFA Object
	// Clients are the pool's app clients, each with a ClientId. A page has one of them.
	Clients []Object
	// Groups are the names of the pool's groups. A page has two of them.
	Groups []string
	// Users are the pool's users; nil means none yet.
	Users *Users
	// Tokens signs the tokens, and Invoke calls a function of the pool's triggers by its ARN.
	// Only a pool whose users sign in needs them.
	Tokens *userpool.Pool
	Invoke func(ctx context.Context, arn string, event []byte) (lambda.Result, error)
	// Invoked, if not nil, is called after each call of a trigger, with the context of the operation.
	Invoked func(context.Context, Invocation)
	// Recorded, if not nil, is called with what EventBridge gets of each operation: CloudTrail's record.
	Recorded func(ctx context.Context, event []byte)
	// Intercept, if not nil, is called before each operation. It may change the fields. If
	// it returns the name of an exception, the operation fails with it.
	Intercept func(operation string) (exception string)

	mu    sync.Mutex
	calls []string
}

// Calls returns the operations that were called, in order.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Do calls an operation of the API, as an SDK would. The request is an Object or an input type of the SDK. The error is an
// [*awsjson.Error] if Cognito refuses the request.
func (s *Server) Do(ctx context.Context, operation string, request any) (Object, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	out, refused := s.call(ctx, operation, body)
	if refused != nil {
		return nil, refused
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode the response: %w", err)
	}
	var response Object
	return response, json.Unmarshal(data, &response)
}

var service = awsjson.Service{Name: "cognito-idp", Version: "1.1", Unsigned: slices.Collect(maps.Keys(selfService))}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service.Serve(w, r, func(operation string, body []byte) (any, *awsjson.Error) { return s.call(r.Context(), operation, body) })
}

// A call is one call of an operation.
type call struct {
	*Server
	ctx       context.Context
	operation string
	body      []byte

	pool Object // as it was at the beginning
	user User   // of the operation; the zero User if it is not known
}

// selfService are the operations that apps call, without a signature and without the pool's id.
var selfService = map[string]func(*call) (any, *awsjson.Error){
	"SignUp": with((*call).signUp), "ConfirmSignUp": with((*call).confirmSignUp),
	"ForgotPassword": with((*call).forgotPassword), "ConfirmForgotPassword": with((*call).confirmForgotPassword),
	"InitiateAuth": with((*call).initiateAuth), "RespondToAuthChallenge": with((*call).respond), "GetTokensFromRefreshToken": with((*call).rotate),
	"GetUser": with((*call).getUser), "UpdateUserAttributes": with((*call).updateUser), "DeleteUser": with((*call).deleteUser),
}

// admin are the operations about users that administrators call.
var admin = map[string]func(*call) (any, *awsjson.Error){
	"ListUsers":       with(func(c *call, in Object) (any, *awsjson.Error) { return c.Users.list(in) }),
	"AdminCreateUser": with((*call).adminCreateUser), "AdminDeleteUser": with((*call).adminDeleteUser), "AdminGetUser": with((*call).adminGetUser),
	"AdminConfirmSignUp": with((*call).adminConfirmSignUp), "AdminSetUserPassword": with((*call).adminSetUserPassword),
	"AdminResetUserPassword":    with((*call).adminResetUserPassword),
	"AdminUpdateUserAttributes": with((*call).adminUpdateUserAttributes), "AdminDeleteUserAttributes": with((*call).adminDeleteUserAttributes),
	"AdminEnableUser": with((*call).adminEnableUser), "AdminDisableUser": with((*call).adminDisableUser),
	"AdminAddUserToGroup": with((*call).adminAddUserToGroup), "AdminRemoveUserFromGroup": with((*call).adminRemoveUserFromGroup),
	"AdminListGroupsForUser": with((*call).adminListGroupsForUser), "CreateGroup": with((*call).createGroup), "DeleteGroup": with((*call).deleteGroup),
	"AdminInitiateAuth": with((*call).adminInitiateAuth), "AdminRespondToAuthChallenge": with((*call).adminRespond),
}

// with decodes the request of an operation.
func with[In any](do func(*call, In) (any, *awsjson.Error)) func(*call) (any, *awsjson.Error) {
	return func(c *call) (any, *awsjson.Error) {
		return awsjson.Call(c.body, func(in In) (any, *awsjson.Error) { return do(c, in) })
	}
}

func (s *Server) call(ctx context.Context, operation string, body []byte) (any, *awsjson.Error) {
	s.mu.Lock()
	s.calls = append(s.calls, operation)
	s.mu.Unlock()
	if s.Intercept != nil {
		if exception := s.Intercept(operation); exception != "" {
			return nil, awsjson.Errorf(exception, "by Intercept")
		}
	}
	c := s.begin(ctx, operation, body)
	var request struct {
		UserPoolID any `json:"UserPoolId"`
	}
	_ = json.Unmarshal(body, &request) // a body that is not JSON is refused later
	do := selfService[operation]
	switch {
	case do != nil:
	case request.UserPoolID != c.pool["Id"]:
		return nil, awsjson.Errorf("ResourceNotFoundException", "User pool does not exist.")
	case admin[operation] != nil:
		do = admin[operation]
	default:
		return awsjson.Call(body, func(request Object) (any, *awsjson.Error) { return s.serve(operation, request) })
	}
	response, refused := do(c)
	c.record(response, refused)
	return response, refused
}

// begin makes sure that there are users, and notes the pool as it is.
func (s *Server) begin(ctx context.Context, operation string, body []byte) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Users == nil {
		s.Users = new(Users)
	}
	return &call{Server: s, ctx: ctx, operation: operation, body: body, pool: s.Pool}
}

// serve serves the operations that are about no user.
func (s *Server) serve(operation string, request Object) (any, *awsjson.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch operation {
	case "DescribeUserPool":
		return Object{"UserPool": s.described()}, nil
	case "UpdateUserPool":
		return Object{}, s.update(request)
	case "GetUserPoolMfaConfig":
		return s.MFA, nil
	case "SetUserPoolMfaConfig":
		delete(request, "UserPoolId")
		s.MFA = request
		s.Pool = maps.Clone(s.Pool)
		s.Pool["MfaConfiguration"] = request["MfaConfiguration"]
		return s.MFA, nil
	case "ListUserPoolClients":
		return s.listClients(request), nil
	case "DescribeUserPoolClient":
		client, refused := s.client(request["ClientId"])
		return Object{"UserPoolClient": client}, refused
	case "ListGroups":
		return s.listGroups(request), nil
	}
	return nil, awsjson.Unknown(operation)
}

// described is the pool with the number of its users, unless Pool has one.
func (s *Server) described() Object {
	n := s.Users.Len()
	if _, ok := s.Pool["EstimatedNumberOfUsers"]; ok || n == 0 {
		return s.Pool
	}
	pool := maps.Clone(s.Pool)
	pool["EstimatedNumberOfUsers"] = n
	return pool
}

// Snapshot returns a copy of the user pool.
func (s *Server) Snapshot() Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.Pool)
}
