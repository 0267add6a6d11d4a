package hasura

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
)

// Hasura's error codes, as in extensions.code.
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

// An Error is the one error of a response.
type Error struct {
	Code    string
	Message string
	Path    string // empty means $

	status   int // 0 means 200
	internal any // shown to the role admin only
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func refuse(code, path, format string, args ...any) *Error {
	return &Error{Code: code, Path: path, Message: fmt.Sprintf(format, args...)}
}

// notServed is the response to an operation that only the real Hasura runs.
func notServed(path, format string, args ...any) *Error {
	return refuse(notSupported, path, "the local Hasura does not serve "+format, args...)
}

// body is the JSON of a response on /v1/graphql. It has neither data nor locations.
func (e *Error) body() any {
	extensions := map[string]any{"path": cmp.Or(e.Path, "$"), "code": e.Code}
	if e.internal != nil {
		extensions["internal"] = e.internal
	}
	return map[string]any{"errors": []any{map[string]any{"message": e.Message, "extensions": extensions}}}
}

// A failure is PostgreSQL's error for a statement. The SQLite dialect makes the same ones.
type failure struct {
	state                 string // SQLSTATE
	message, detail, hint string
}

func (f *failure) Error() string { return f.state + ": " + f.message }

// databaseErrors are Hasura's codes and messages by SQLSTATE, or by the beginning of one
// (graphql-engine, dmlTxErrorHandler).
var databaseErrors = []struct{ state, code, prefix string }{
	{"23505", constraintViolation, "Uniqueness violation. "},
	{"23502", constraintViolation, "Not-NULL violation. "},
	{"23503", constraintViolation, "Foreign key violation. "},
	{"23514", permissionError, "Check constraint violation. "},
	{"23", constraintViolation, ""},
	{"22", dataException, ""},
	{"42704", constraintError, ""},
	{"42P10", constraintError, ""},
}

// databaseError maps the error of a statement to Hasura's. The role admin also sees the
// statement with its arguments, as in Hasura by default
// (HASURA_GRAPHQL_ADMIN_INTERNAL_ERRORS).
func databaseError(err error, path, statement string, arguments []any) *Error {
	f, ok := errors.AsType[*failure](err)
	if !ok { // the database cannot be reached
		e := refuse(postgresError, "", "connection error")
		e.internal = err.Error()
		return e
	}
	for _, known := range databaseErrors {
		if strings.HasPrefix(f.state, known.state) {
			return refuse(known.code, path, "%s%s", known.prefix, f.message)
		}
	}
	if f.state == "53300" {
		return refuse(maxConnections, "", "max connections reached on postgres")
	}
	e := refuse(unexpected, path, "database query error")
	texts := make([]string, len(arguments))
	for i, arg := range arguments {
		texts[i] = fmt.Sprintf("(Oid 25,Just (%q,Text))", fmt.Sprint(arg))
	}
	e.internal = map[string]any{
		"statement": statement,
		"prepared":  true,
		"arguments": texts,
		"error": map[string]any{
			"exec_status": "FatalError",
			"status_code": f.state,
			"message":     f.message,
			"description": orNull(f.detail),
			"hint":        orNull(f.hint),
		},
	}
	return e
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// failed turns an error of a statement into a response for the caller's role.
func (x *execution) failed(err error, path, statement string, arguments []any) error {
	if _, ok := errors.AsType[*Error](err); ok || err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	e := databaseError(x.database.dialect.failure(err), path, statement, arguments)
	if x.session.role != admin {
		e.internal = nil
	}
	return e
}
