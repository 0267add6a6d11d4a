package hasura

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

const (
	admin = "admin"

	secretHeader      = "x-hasura-admin-secret"
	roleHeader        = "x-hasura-role"
	backendOnlyHeader = "x-hasura-use-backend-only-permissions"
)

// A session is the role and the session variables of a request.
type session struct {
	role        string
	variables   map[string]string // by name in lower case
	backendOnly bool              // the request may use backend_only permissions
}

// authenticate checks the credentials in Hasura's order. If the admin secret header is
// present, it alone decides, also if it is empty (graphql-engine, AuthSpec).
func (s *Server) authenticate(ctx context.Context, header http.Header) (session, error) {
	secret, given, tokens := *s.secret.Load(), header.Values(secretHeader), s.jwt.Load()
	switch {
	case secret == "", len(given) > 0 && subtle.ConstantTimeCompare([]byte(given[0]), []byte(secret)) == 1:
		return sessionOfHeaders(header)
	case len(given) > 0:
		return session{}, refuse(accessDenied, "", "invalid x-hasura-admin-secret/x-hasura-access-key")
	case tokens == nil:
		return session{}, refuse(accessDenied, "", "x-hasura-admin-secret/x-hasura-access-key required, but not found")
	}
	// With a token, only x-hasura-role is read of the x-hasura-* headers.
	verified, err := tokens.Authenticate(ctx, header)
	if refusal, ok := errors.AsType[*jwt.Error](err); ok {
		return session{}, refuse(refusal.Code, "", "%s", refusal.Message)
	}
	return session{role: verified.Role, variables: verified.Variables}, err
}

// sessionOfHeaders reads role and session variables from the headers of a request that
// has the admin secret.
func sessionOfHeaders(header http.Header) (session, error) {
	s := session{role: admin, variables: map[string]string{}}
	for name := range header {
		lower := strings.ToLower(name)
		if jwt.IsSessionVariable(lower) && lower != secretHeader {
			s.variables[lower] = header.Get(name)
		}
	}
	if role := header.Get(roleHeader); role != "" {
		s.role = role
	}
	s.variables[roleHeader] = s.role

	switch strings.ToLower(header.Get(backendOnlyHeader)) {
	case "true", "t", "yes", "y":
		s.backendOnly = true
	case "", "false", "f", "no", "n":
	default:
		// The double spaces are Hasura's.
		return session{}, refuse(badRequest, "", `%s:  Not a valid boolean text. True values are ["true","t","yes","y"] `+
			`and  False values are ["false","f","no","n"]. All values are case insensitive`, backendOnlyHeader)
	}
	return s, nil
}
