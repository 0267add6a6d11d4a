// Package hasura is a stand-in for Hasura GraphQL v2 over a real database. It serves
// what this suite sends. It validates operations against graphql/schema.graphql as the
// caller's role sees it, runs upserts with Hasura's semantics, and answers errors with
// Hasura's codes, messages and paths.
//
// As with Hasura, nearly every failure has status 200: the code of the one error in the
// body says what failed. The code not-supported, which Hasura never uses for operations,
// means that Hasura would run the operation and the stand-in cannot.
package hasura

import (
	"bytes"
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

// Version is the version in the responses of GET /v1/version and GET /v1alpha1/config.
const Version = "v2.48.0-local"

// A Config holds Hasura's settings.
type Config struct {
	// Project is the folder graphql/ with schema.graphql and hasura/metadata.
	Project fs.FS
	// Database has the tracked tables; see [Open]. The caller closes it.
	Database *Database
	// AdminSecret is HASURA_GRAPHQL_ADMIN_SECRET. If it is empty, every request is admin's.
	AdminSecret string
	// JWT is HASURA_GRAPHQL_JWT_SECRET. If it is nil, no token is accepted. [Server.SetJWT] replaces it.
	JWT *jwt.Config
}

// A Server is an http.Handler that answers as Hasura does.
type Server struct {
	config Config
	secret atomic.Pointer[string]
	jwt    atomic.Pointer[jwt.Config]
	*project
}

// New reads the project. It does not listen.
func New(config Config) (*Server, error) {
	if config.JWT != nil && config.AdminSecret == "" {
		return nil, errors.New("JWT mode needs an admin secret, as in Hasura")
	}
	project, err := loadProject(config.Project)
	if err != nil {
		return nil, fmt.Errorf("load the Hasura project: %w", err)
	}
	s := &Server{config: config, project: project}
	s.SetAdminSecret(config.AdminSecret)
	s.SetJWT(config.JWT)
	return s, nil
}

// SetJWT replaces HASURA_GRAPHQL_JWT_SECRET, as a restart of Hasura does.
func (s *Server) SetJWT(config *jwt.Config) { s.jwt.Store(config) }

// SetAdminSecret replaces the admin secret. The old one is refused from now on: Hasura's
// Community Edition has only one.
func (s *Server) SetAdminSecret(secret string) { s.secret.Store(&secret) }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "POST /v1/graphql":
		s.serveGraphQL(w, r)
	case "GET /healthz":
		if err := s.config.Database.SQL.PingContext(r.Context()); err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			io.WriteString(w, "ERROR")
			return
		}
		io.WriteString(w, "OK")
	case "GET /v1alpha1/config":
		s.serveConfig(w, r)
	case "GET /v1/version":
		respond(w, http.StatusOK, map[string]string{"server_type": "ce", "version": Version})
	default:
		respond(w, http.StatusNotFound, map[string]string{"path": "$", "error": "resource does not exist", "code": notFound})
	}
}

// serveConfig tells admin how Hasura is configured. It shows the namespace and the format
// of the claims, but neither issuer nor keys.
func (s *Server) serveConfig(w http.ResponseWriter, r *http.Request) {
	session, err := s.authenticate(r.Context(), r.Header)
	if err == nil && session.role != admin {
		e := refuse(accessDenied, "", "restricted access : admin only")
		e.status = http.StatusBadRequest
		err = e
	}
	if err != nil {
		respondError(w, err)
		return
	}
	tokens := []any{}
	if c := s.jwt.Load(); c != nil {
		tokens = append(tokens, map[string]any{
			"claims_namespace": cmp.Or(c.NamespacePath, c.Namespace, jwt.DefaultNamespace), // Hasura shows a path here too
			"claims_format":    cmp.Or(c.Format, jwt.FormatJSON),
			"claims_map":       c.Map,
		})
	}
	respond(w, http.StatusOK, map[string]any{
		"version":             Version,
		"is_admin_secret_set": s.config.AdminSecret != "",
		"is_jwt_set":          s.jwt.Load() != nil,
		"jwt":                 tokens,
	})
}

func (s *Server) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	data, err := s.graphQL(r)
	if err != nil {
		respondError(w, err)
		return
	}
	respond(w, http.StatusOK, map[string]any{"data": data})
}

// graphQL authenticates, validates and runs a request, in this order.
func (s *Server) graphQL(r *http.Request) (map[string]any, error) {
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
	x := execution{operation: operation, session: session, database: s.config.Database, db: s.config.Database.SQL}
	return x.run(r.Context())
}

// Table returns the table of a root field, such as public.users.
func (s *Server) Table(rootField string) string {
	t := s.roots[rootField].table
	if t == nil {
		return ""
	}
	return t.schema + "." + t.name
}

// Try runs an operation as admin, and takes back what it wrote. The error is Hasura's, with
// what Hasura tells admin about it.
func (s *Server) Try(ctx context.Context, query string, variables map[string]any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	request, err := readRequest(bytes.NewReader(body))
	if err != nil {
		return err
	}
	operation, err := s.role(session{role: admin}).prepare(request)
	if err != nil {
		return err
	}
	tx, err := s.config.Database.SQL.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	x := execution{operation: operation, session: session{role: admin}, database: s.config.Database, db: tx}
	_, err = x.runFields(ctx)
	if e, ok := errors.AsType[*Error](err); ok && e.internal != nil {
		return fmt.Errorf("%w: %v", err, e.internal)
	}
	return err
}

func respondError(w http.ResponseWriter, err error) {
	if errors.Is(err, context.Canceled) {
		return // the client is gone
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		e = refuse(unexpected, "", "internal error: %v", err)
		e.status = http.StatusInternalServerError
	}
	respond(w, cmp.Or(e.status, http.StatusOK), e.body())
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only if the client is gone
}
