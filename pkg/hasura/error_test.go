package hasura

import (
	"fmt"
	"testing"

	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

// One row for each line of the table of classes. The sources are Hasura's documentation and
// source (Base/Error.hs, dmlTxErrorHandler), and PostgreSQL's appendix "Error Codes".
func TestClass(t *testing.T) {
	type row struct {
		e    Error
		want Class
	}
	code := func(code string, want Class) row { return row{Error{Status: 200, Code: code}, want} }
	state := func(state string, want Class) row {
		return row{Error{Status: 200, Code: "unexpected", SQLState: state}, want}
	}
	status := func(status int, want Class) row { return row{Error{Status: status}, want} }
	network := func(code string, want Class) row { return row{Error{Code: code}, want} }
	rows := []row{
		code("postgres-error", Transient), // the database is down
		code("postgres-max-connections-error", Transient),
		code("busy", Transient),
		code("concurrent-update", Transient),
		code("access-denied", AccessDenied),
		row{Error{Status: 401, Code: "access-denied"}, AccessDenied}, // HASURA_GRAPHQL_PRESERVE_401_ERRORS
		code("validation-failed", Unclear),                           // something is missing, perhaps on one of several servers
		row{Error{Status: 200, Code: "validation-failed", repeated: true}, Permanent},
		code("constraint-violation", Permanent),
		code("permission-error", Permanent),
		code("data-exception", Permanent),
		code("parse-failed", Permanent),
		code("invalid-json", Permanent),
		code("invalid-headers", Permanent),
		code("not-found", Unclear),
		code("not-supported", Permanent),
		code("", Transient),          // engines without codes
		code(CodeNotJSON, Transient), // the page of a proxy
		code(CodeNoData, Transient),
		code("rate-limit-exceeded", Transient), code("time-limit-exceeded", Transient), code("a-new-code", Transient),

		state("", Transient), // Hasura tells it to admin only
		state("40001", Transient),
		state("40P01", Transient), // deadlock
		state("55P03", Transient), // lock not available
		state("57014", Transient), // statement time-out
		state("57P01", Transient),
		state("57P02", Transient),
		state("57P03", Transient),
		state("53300", Transient), // too many connections
		state("08006", Transient),
		state("25006", Transient), // read-only after a failover
		state("58030", Transient),
		state("21000", Permanent), // a row twice in one upsert
		state("42501", Permanent),
		state("42P01", Permanent),
		state("P0001", Permanent),
		state("XX000", Transient), // not in the list

		// The status of an overloaded server counts more than a code that a gateway puts beside it.
		row{Error{Status: 503, Code: "bad-request"}, Transient}, row{Error{Status: 500, Code: "not-supported"}, Transient},
		row{Error{Status: 502, Code: CodeTooLarge}, Transient}, row{Error{Status: 429, Code: "permission-denied"}, Transient},
		row{Error{Status: 400, Code: "rate-limit-exceeded"}, Transient}, row{Error{Status: 403, Code: "time-limit-exceeded"}, Transient},
		row{Error{Status: 503, Code: "access-denied"}, AccessDenied},

		status(408, Transient), status(425, Transient), status(429, Transient), status(500, Transient),
		status(502, Transient), status(503, Transient), status(504, Transient),
		status(401, AccessDenied),
		row{Error{Status: 301, Code: CodeRedirect}, Permanent}, status(400, Permanent), status(403, Permanent), status(404, Unclear), status(413, Permanent),
		status(501, Transient), status(520, Transient), status(521, Transient), status(530, Transient), status(418, Transient),

		network(CodeTimeout, Transient),
		network(CodeDNS, Transient),
		network(CodeUnreachable, Transient),
		network(CodeCertificate, Permanent),
		network(CodeNoTLS, Permanent),
		network(CodeOpen, Transient),
		network(CodeUnrecognized, Transient),
		network(CodeMisconfigured, Permanent),
		row{Error{Status: 302, Code: CodeRedirect}, Permanent},
		row{Error{Status: 200, Code: CodeTooLarge}, Permanent},
	}
	for _, row := range rows {
		if got := row.e.Class(); got != row.want {
			t.Errorf("%v: %s, want %s", &row.e, got, row.want)
		}
	}
}

func TestErrorTellsCodesAlone(t *testing.T) {
	e := &Error{Status: 200, Code: "unexpected", SQLState: "40P01", Hint: "wait", err: fmt.Errorf("canary")}
	if got, want := e.Error(), "hasura: status 200, code unexpected, SQLSTATE 40P01: wait"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := (&Error{Code: "timeout"}).Error(), "hasura: code timeout"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := redact(fmt.Errorf("canary")); got.Error() != "hasura: code unrecognized" {
		t.Errorf("%q", got)
	}
}

func TestClassOfOtherErrors(t *testing.T) {
	if got := ClassOf(&secrets.Error{Code: "ResourceNotFoundException"}); got != Permanent {
		t.Errorf("a secret that does not exist: %s, want %s", got, Permanent)
	}
	if got := ClassOf(&secrets.Error{Code: secrets.CodeTimeout}); got != Transient {
		t.Errorf("a secret that was not read in time: %s, want %s", got, Transient)
	}
	if got := ClassOf(fmt.Errorf("secret x is empty")); got != Transient {
		t.Errorf("%s, want %s", got, Transient)
	}
	if got := ClassOf(fmt.Errorf("wrapped: %w", &Error{Status: 403})); got != Permanent {
		t.Errorf("%s, want %s", got, Permanent)
	}
}
