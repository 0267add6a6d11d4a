package hasura

import (
	"context"
	"errors"
	"fmt"
)

// A failure is what PostgreSQL says when a statement fails. The SQLite database
// speaks the same way, as far as it can.
type failure struct {
	state   string // SQLSTATE
	message string
	detail  string
	hint    string
}

func (f *failure) Error() string { return f.state + ": " + f.message }

// A statement is SQL with its arguments, kept for the error that shows them.
type statement struct {
	sql  string
	args []any
}

// databaseError turns the failure of a statement into Hasura's answer. Class 22
// and 23, 42704 and 42P10 have codes of their own. All else is "unexpected",
// with the statement and its arguments for the admin role to see, which Hasura
// does by default (HASURA_GRAPHQL_ADMIN_INTERNAL_ERRORS).
func databaseError(err error, s statement, path string, admin bool) error {
	if _, ok := errors.AsType[*Error](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		e := refuse(postgresError, "", "connection error")
		if admin {
			e.internal = err.Error()
		}
		return e
	}
	switch f.state {
	case "23505":
		return refuse(constraintViolation, path, "Uniqueness violation. %s", f.message)
	case "23502":
		return refuse(constraintViolation, path, "Not-NULL violation. %s", f.message)
	case "23503":
		return refuse(constraintViolation, path, "Foreign key violation. %s", f.message)
	case "23514":
		return refuse(permissionError, path, "Check constraint violation. %s", f.message)
	case "42704", "42P10":
		return refuse(constraintError, path, "%s", f.message)
	case "53300":
		return refuse(maxConnections, "", "max connections reached on postgres")
	}
	switch f.state[:2] {
	case "22":
		return refuse(dataException, path, "%s", f.message)
	case "23":
		return refuse(constraintViolation, path, "%s", f.message)
	}
	e := refuse(unexpected, path, "database query error")
	if admin {
		e.internal = f.internal(s)
	}
	return e
}

func (f *failure) internal(s statement) any {
	arguments := make([]string, len(s.args))
	for i, arg := range s.args {
		arguments[i] = fmt.Sprintf("(Oid 25,Just (%q,Text))", fmt.Sprint(arg))
	}
	return map[string]any{
		"statement": s.sql,
		"prepared":  true,
		"arguments": arguments,
		"error": map[string]any{
			"exec_status": "FatalError",
			"status_code": f.state,
			"message":     f.message,
			"description": orNull(f.detail),
			"hint":        orNull(f.hint),
		},
	}
}
