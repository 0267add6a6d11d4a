// Package cognitoidp is a stand-in for the user pools API of Amazon Cognito. It describes
// and updates one user pool, and signs its users in.
//
// As in Cognito, UpdateUserPool resets every setting that a request leaves out.
//
// Point an SDK at it with AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER.
package cognitoidp

import (
	"context"
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
	// Users are the pool's users; nil means none.
	Users *Users
	// Tokens signs the tokens, and Invoke calls a function of the pool's triggers by its ARN.
	// Only a pool whose users sign in needs them.
	Tokens *userpool.Pool
	Invoke func(ctx context.Context, arn string, event []byte) (lambda.Result, error)
	// Intercept, if not nil, is called before each operation. It may change the fields. If
	// it returns the name of an exception, the operation fails with it.
	Intercept func(operation string) (exception string)

	mu    sync.Mutex
	calls []string
	// accounts are the users that AdminCreateUser made.
	accounts []*account
}

// Calls returns the operations that were called, in order.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

var service = awsjson.Service{Name: "cognito-idp", Version: "1.1", Unsigned: []string{"InitiateAuth", "GetTokensFromRefreshToken"}}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service.Serve(w, r, func(operation string, body []byte) (any, *awsjson.Error) {
		s.mu.Lock()
		s.calls = append(s.calls, operation)
		s.mu.Unlock()
		if s.Intercept != nil {
			if exception := s.Intercept(operation); exception != "" {
				return nil, awsjson.Errorf(exception, "by Intercept")
			}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return awsjson.Call(body, func(request Object) (any, *awsjson.Error) { return s.serve(r.Context(), operation, request) })
	})
}

func (s *Server) serve(ctx context.Context, operation string, request Object) (any, *awsjson.Error) {
	switch operation {
	case "InitiateAuth":
		return s.initiateAuth(ctx, request)
	case "GetTokensFromRefreshToken":
		return s.refresh(ctx, request)
	}
	if request["UserPoolId"] != s.Pool["Id"] {
		return nil, awsjson.Errorf("ResourceNotFoundException", "User pool does not exist.")
	}
	switch operation {
	case "DescribeUserPool":
		return Object{"UserPool": s.Pool}, nil
	case "ListUsers":
		return s.Users.list(request)
	case "UpdateUserPool":
		return Object{}, s.update(request)
	case "GetUserPoolMfaConfig":
		return s.MFA, nil
	case "SetUserPoolMfaConfig":
		delete(request, "UserPoolId")
		s.MFA = request
		s.Pool["MfaConfiguration"] = request["MfaConfiguration"]
		return s.MFA, nil
	case "ListUserPoolClients":
		return s.list(request), nil
	case "ListGroups":
		return s.listGroups(request), nil
	case "DescribeUserPoolClient":
		client, refused := s.client(request["ClientId"])
		return Object{"UserPoolClient": client}, refused
	case "AdminCreateUser":
		return s.createUser(request)
	case "AdminSetUserPassword":
		return s.setPassword(request)
	case "AdminDeleteUser":
		return s.deleteUser(request)
	case "AdminInitiateAuth":
		return s.initiateAuth(ctx, request)
	}
	return nil, awsjson.Unknown(operation)
}

func (s *Server) client(id any) (Object, *awsjson.Error) {
	for _, client := range s.Clients {
		if client["ClientId"] == id {
			return client, nil
		}
	}
	return nil, awsjson.Errorf("ResourceNotFoundException", "User pool client does not exist.")
}

// list returns one app client. The token is the id of the next one.
func (s *Server) list(request Object) Object {
	answer, clients := Object{}, []Object{}
	for i, client := range s.Clients {
		if token := request["NextToken"]; token != nil && token != client["ClientId"] {
			continue
		}
		clients = append(clients, Object{"ClientId": client["ClientId"], "ClientName": client["ClientName"]})
		if i+1 < len(s.Clients) {
			answer["NextToken"] = s.Clients[i+1]["ClientId"]
		}
		break
	}
	answer["UserPoolClients"] = clients
	return answer
}

// listGroups returns two groups. The token is the name of the next one.
func (s *Server) listGroups(request Object) Object {
	token, _ := request["NextToken"].(string)
	first := max(0, slices.Index(s.Groups, token))
	rest := s.Groups[first:]
	answer, groups := Object{}, []Object{}
	if len(rest) > 2 {
		answer["NextToken"], rest = rest[2], rest[:2]
	}
	for _, name := range rest {
		groups = append(groups, Object{"GroupName": name, "UserPoolId": s.Pool["Id"]})
	}
	answer["Groups"] = groups
	return answer
}

// Snapshot returns a copy of the user pool.
func (s *Server) Snapshot() Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.Pool)
}
