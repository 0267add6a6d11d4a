package hasura

import (
	"fmt"
	"net/http"
)

// Hasura's error codes, as they stand in extensions.code.
const (
	accessDenied        = "access-denied"
	badRequest          = "bad-request"
	constraintError     = "constraint-error"
	constraintViolation = "constraint-violation"
	dataException       = "data-exception"
	invalidJSON         = "invalid-json"
	maxConnections      = "postgres-max-connections-error"
	notFound            = "not-found"
	notSupported        = "not-supported"
	parseFailed         = "parse-failed"
	permissionError     = "permission-error"
	postgresError       = "postgres-error"
	unexpected          = "unexpected"
	unexpectedPayload   = "unexpected-payload"
	validationFailed    = "validation-failed"
)

// An Error is an answer of Hasura other than data. Hasura answers with one
// error at most, and with status 200 for nearly all of them.
type Error struct {
	Code    string
	Message string
	Path    string // "" for $

	status   int // 0 for 200
	internal any // for the admin role's eyes only
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func refuse(code, path, format string, args ...any) *Error {
	return &Error{Code: code, Path: path, Message: fmt.Sprintf(format, args...)}
}

// unserved is the answer to an operation that Hasura would run and this
// stand-in does not.
func unserved(path, format string, args ...any) *Error {
	return refuse(notSupported, path, "the local Hasura does not serve "+format, args...)
}

// body is the shape of errors on /v1/graphql: no data, no locations.
func (e *Error) body() any {
	type extensions struct {
		Path     string `json:"path"`
		Code     string `json:"code"`
		Internal any    `json:"internal,omitempty"`
	}
	type item struct {
		Message    string     `json:"message"`
		Extensions extensions `json:"extensions"`
	}
	path := e.Path
	if path == "" {
		path = "$"
	}
	return map[string][]item{"errors": {{e.Message, extensions{path, e.Code, e.internal}}}}
}

func (e *Error) statusCode() int {
	if e.status == 0 {
		return http.StatusOK
	}
	return e.status
}
