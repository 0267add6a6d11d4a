package hasura

import (
	"context"
	"crypto/subtle"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

const (
	admin = "admin"

	secretHeader      = "x-hasura-admin-secret"
	oldSecretHeader   = "x-hasura-access-key"
	roleHeader        = "x-hasura-role"
	backendOnlyHeader = "x-hasura-use-backend-only-permissions"
)

// A session is who asks.
type session struct {
	role        string
	variables   map[string]string // by name in lower case
	backendOnly bool              // backend_only mutations are open to it
}

// authenticate finds out who asks, in Hasura's order: the admin secret, when the
// header is there at all, decides alone; then a token; then nothing.
func (s *Server) authenticate(ctx context.Context, header http.Header) (session, error) {
	secret := *s.secret.Load()
	given, present := adminSecret(header)
	switch {
	case secret == "":
		return trusted(header)
	case present && subtle.ConstantTimeCompare([]byte(given), []byte(secret)) == 1:
		return trusted(header)
	case present:
		return session{}, s.unauthorized("invalid x-hasura-admin-secret/x-hasura-access-key")
	}

	anonymous := session{role: s.config.UnauthorizedRole, variables: map[string]string{roleHeader: s.config.UnauthorizedRole}}
	if s.config.JWT == nil {
		if anonymous.role == "" {
			return session{}, s.unauthorized("x-hasura-admin-secret/x-hasura-access-key required, but not found")
		}
		return anonymous, nil
	}
	if anonymous.role != "" && !s.config.JWT.HasToken(header) {
		return anonymous, nil
	}
	// Of the request's x-hasura-* headers only x-hasura-role counts here.
	verified, err := s.config.JWT.Authenticate(ctx, header)
	if refusal, ok := errors.AsType[*jwt.Error](err); ok {
		return session{}, refuse(refusal.Code, "", "%s", refusal.Message)
	}
	return session{role: verified.Role, variables: verified.Variables}, err
}

// adminSecret gives the admin secret of a request. An empty one is wrong, not
// absent (graphql-engine, AuthSpec).
func adminSecret(header http.Header) (secret string, present bool) {
	for _, name := range []string{secretHeader, oldSecretHeader} {
		if values := header.Values(name); len(values) > 0 {
			return values[0], true
		}
	}
	return "", false
}

// trusted takes role and session variables from the headers.
func trusted(header http.Header) (session, error) {
	s := session{role: admin, variables: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		lower := strings.ToLower(name)
		if jwt.IsSessionVariable(lower) && lower != secretHeader && lower != oldSecretHeader {
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
		return session{}, refuse(badRequest, "", "%s: Not a valid boolean text", backendOnlyHeader)
	}
	return s, nil
}

func (s *Server) unauthorized(message string) error {
	e := refuse(accessDenied, "", "%s", message)
	if s.config.Preserve401 {
		e.status = http.StatusUnauthorized
	}
	return e
}
