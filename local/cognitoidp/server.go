// Package cognitoidp is a stand-in for the part of Amazon Cognito that administers
// user pools, in the protocol that the AWS SDKs speak: one pool, described and updated.
//
// What makes it worth having is that UpdateUserPool forgets, as Cognito's does: every
// setting that a request leaves out goes back to its default. Point an SDK at it with
// AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER.
package cognitoidp

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
)

// An Object is a JSON object of the protocol, such as a pool.
type Object = map[string]any

// A Server has one pool. Fill in the fields before it serves.
type Server struct {
	// Pool is what DescribeUserPool tells; it needs an Id.
	Pool Object
	// MFA is what GetUserPoolMfaConfig tells.
	MFA Object
	// Clients are the pool's app clients, each with a ClientId. They are listed one a page.
	Clients []Object
	// Intercept, if not nil, sees each call before it is served, without the lock: it may
	// change the fields, or refuse the call with an exception's name.
	Intercept func(operation string) (exception string)

	mu    sync.Mutex
	calls []string
}

// Calls returns the operations that were asked for, in order.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

// A refusal is an answer of the protocol that says no.
type refusal struct{ exception, message string }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	s.mu.Lock()
	s.calls = append(s.calls, operation)
	s.mu.Unlock()
	var request Object
	var refused *refusal
	answer := Object{}
	if s.Intercept != nil {
		if exception := s.Intercept(operation); exception != "" {
			refused = &refusal{exception, "as the test wants it"}
		}
	}
	if refused == nil {
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			refused = &refusal{"SerializationException", "not JSON"}
		} else {
			s.mu.Lock()
			answer, refused = s.serve(operation, request)
			s.mu.Unlock()
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if refused != nil {
		w.WriteHeader(http.StatusBadRequest)
		answer = Object{"__type": refused.exception, "message": refused.message}
	}
	json.NewEncoder(w).Encode(answer)
}

func (s *Server) serve(operation string, request Object) (Object, *refusal) {
	if request["UserPoolId"] != s.Pool["Id"] {
		return nil, &refusal{"ResourceNotFoundException", "User pool does not exist."}
	}
	switch operation {
	case "DescribeUserPool":
		return Object{"UserPool": s.Pool}, nil
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
	case "DescribeUserPoolClient":
		for _, client := range s.Clients {
			if client["ClientId"] == request["ClientId"] {
				return Object{"UserPoolClient": client}, nil
			}
		}
		return nil, &refusal{"ResourceNotFoundException", "User pool client does not exist."}
	}
	return nil, &refusal{"UnknownOperationException", operation}
}

func (s *Server) list(request Object) Object {
	from := 0
	token, _ := request["NextToken"].(string)
	for i, client := range s.Clients {
		if client["ClientId"] == token {
			from = i
		}
	}
	answer := Object{"UserPoolClients": []Object{}}
	if from < len(s.Clients) {
		client := s.Clients[from]
		answer["UserPoolClients"] = []Object{{"ClientId": client["ClientId"], "ClientName": client["ClientName"]}}
	}
	if from+1 < len(s.Clients) {
		answer["NextToken"] = s.Clients[from+1]["ClientId"]
	}
	return answer
}

// Snapshot returns the pool's settings, which later updates do not change.
func (s *Server) Snapshot() Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.Pool)
}
