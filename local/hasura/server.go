// Package hasura is a stand-in for Hasura GraphQL v2 over a real database. It
// serves what this suite sends and no more, but that faithfully: it validates
// operations against graphql/schema.graphql as the caller's role sees it, runs
// upserts with Hasura's semantics, checks the admin secret and tokens in
// Hasura's order, and answers errors with Hasura's codes, messages and paths.
//
// As with Hasura, nearly every failure has status 200: the code of the one error
// in the body says what went wrong. An operation that Hasura would run and this
// stand-in does not is answered with a code that Hasura does not use for one,
// not-supported.
package hasura

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"sync/atomic"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

// Version is what GET /v1/version answers.
const Version = "v2.48.0-local"

// A Config says what a Server is made of.
type Config struct {
	// Project is the folder graphql/: schema.graphql, and the metadata under
	// hasura/metadata.
	Project fs.FS
	// Database has the users table; see Open. The caller closes it.
	Database *Database
	// AdminSecret is HASURA_GRAPHQL_ADMIN_SECRET. "" lets everyone in as admin.
	AdminSecret string
	// JWT is HASURA_GRAPHQL_JWT_SECRET. nil takes no tokens.
	JWT *jwt.Config
	// UnauthorizedRole is HASURA_GRAPHQL_UNAUTHORIZED_ROLE: who sends neither
	// secret nor token has it. "" refuses them.
	UnauthorizedRole string
	// Preserve401 is HASURA_GRAPHQL_PRESERVE_401_ERRORS: a wrong admin secret is
	// answered with status 401 and not 200.
	Preserve401 bool
}

// A Server is an http.Handler that answers as Hasura.
type Server struct {
	config Config
	secret atomic.Pointer[string]
	table  *table
	roles  map[roleKey]*role
}

// New reads the project and serves it. Nothing is listening yet.
func New(config Config) (*Server, error) {
	if config.JWT != nil && config.AdminSecret == "" {
		return nil, errors.New("JWT mode needs an admin secret, as in Hasura")
	}
	table, roles, err := loadProject(config.Project)
	if err != nil {
		return nil, fmt.Errorf("load project: %w", err)
	}
	s := &Server{config: config, table: table, roles: roles}
	s.SetAdminSecret(config.AdminSecret)
	return s, nil
}

// SetAdminSecret rotates the admin secret. There is one at a time, as in
// Hasura's Community Edition: the old one is refused from now on.
func (s *Server) SetAdminSecret(secret string) { s.secret.Store(&secret) }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case r.URL.Path == "/v1/graphql" && r.Method == http.MethodPost:
		s.serveGraphQL(w, r)
	case r.URL.Path == "/v1/graphql" && read:
		// Recent versions answer here, with persisted queries.
		answer(w, unserved("", "GET /v1/graphql"))
	case (r.URL.Path == "/healthz" || r.URL.Path == "/hasura/healthz") && read:
		s.serveHealth(w, r)
	case r.URL.Path == "/v1/version" && read:
		writeJSON(w, http.StatusOK, map[string]string{"version": Version, "server_type": "ce"})
	case r.URL.Path == "/v1alpha1/config" && read:
		s.serveConfig(w, r)
	default:
		writeJSON(w, http.StatusNotFound, map[string]string{"path": "$", "error": "resource does not exist", "code": notFound})
	}
}

func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	if err := s.config.Database.SQL.PingContext(r.Context()); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		io.WriteString(w, "ERROR")
		return
	}
	io.WriteString(w, "OK")
}

// serveConfig tells an admin what Hasura does of its configuration: of tokens, where
// and how their claims stand, but neither issuer nor keys.
func (s *Server) serveConfig(w http.ResponseWriter, r *http.Request) {
	session, err := s.authenticate(r.Context(), r.Header)
	if err == nil && session.role != admin {
		e := refuse(accessDenied, "", "restricted access : admin only")
		e.status = http.StatusBadRequest
		err = e
	}
	if err != nil {
		answer(w, err)
		return
	}
	tokens := []any{}
	if c := s.config.JWT; c != nil {
		info := map[string]any{"claims_namespace": cmp.Or(c.Namespace, jwt.DefaultNamespace), "claims_format": cmp.Or(c.Format, jwt.FormatJSON)}
		tokens = append(tokens, info)
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"version":             Version,
		"is_admin_secret_set": s.config.AdminSecret != "",
		"is_jwt_set":          s.config.JWT != nil,
		"jwt":                 tokens,
	})
}

func (s *Server) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	data, err := s.graphQL(r)
	if err != nil {
		answer(w, err)
		return
	}
	// Hasura echoes the request's id only with data.
	if id := r.Header.Get("x-request-id"); id != "" {
		w.Header().Set("x-request-id", id)
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": data})
}

// graphQL answers a request: who is it, what do they ask, may they, do it.
func (s *Server) graphQL(r *http.Request) (fields, error) {
	session, err := s.authenticate(r.Context(), r.Header)
	if err != nil {
		return nil, err
	}
	request, err := readRequest(r.Body)
	if err != nil {
		return nil, err
	}
	operation, err := s.role(session).prepare(request)
	if err != nil {
		return nil, err
	}
	return s.execute(r.Context(), session, operation)
}

func answer(w http.ResponseWriter, err error) {
	if errors.Is(err, context.Canceled) {
		return // nobody is there to read an answer
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = refuse(unexpected, "", "internal error: %v", err)
		e.status = http.StatusInternalServerError
	}
	writeJSON(w, e.statusCode(), e.body())
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}
