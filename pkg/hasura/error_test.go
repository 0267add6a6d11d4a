package hasura

import (
	"fmt"
	"testing"
)

// The table of classes: a row a line of it, and of what Hasura's documentation,
// its source (Base/Error.hs, dmlTxErrorHandler) and PostgreSQL's appendix
// "Error Codes" say of each.
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
		code("postgres-error", Later), // the database is down
		code("postgres-max-connections-error", Later),
		code("busy", Later),
		code("concurrent-update", Later),
		code("access-denied", Denied),
		row{Error{Status: 401, Code: "access-denied"}, Denied}, // HASURA_GRAPHQL_PRESERVE_401_ERRORS
		code("validation-failed", Broken),                      // table, column, constraint or role missing
		code("constraint-violation", Broken),
		code("permission-error", Broken),
		code("data-exception", Broken),
		code("parse-failed", Broken),
		code("invalid-json", Broken),
		code("invalid-headers", Broken),
		code("not-found", Broken),
		code("not-supported", Broken),
		code("", Once),          // engines without codes
		code(CodeNotJSON, Once), // a proxy's page
		code(CodeNoData, Once),

		state("", Once), // told to admin only
		state("40001", Later),
		state("40P01", Later), // deadlock
		state("55P03", Later), // lock not available
		state("57014", Later), // statement time-out
		state("57P01", Later),
		state("57P02", Later),
		state("57P03", Later),
		state("53300", Later), // too many connections
		state("08006", Later),
		state("25006", Later), // read-only after a failover
		state("58030", Later),
		state("21000", Broken), // a row twice in one upsert
		state("42501", Broken),
		state("42P01", Broken),
		state("P0001", Broken),

		status(408, Later), status(425, Later), status(429, Later), status(500, Later),
		status(502, Later), status(503, Later), status(504, Later),
		status(401, Denied),
		status(301, Broken), status(400, Broken), status(403, Broken), status(404, Broken), status(413, Broken), status(501, Broken),

		network(CodeTimeout, Later),
		network(CodeDNS, Later),
		network(CodeUnreachable, Later),
		network(CodeCertificate, Broken),
		network(CodeNoTLS, Broken),
		network(CodeOpen, Later),
		network(CodeUnknown, Broken),
		row{Error{Status: 302, Code: CodeRedirect}, Broken},
		row{Error{Status: 200, Code: CodeTooLarge}, Broken},
	}
	for _, row := range rows {
		if got := row.e.Class(); got != row.want {
			t.Errorf("%v: %s, want %s", &row.e, got, row.want)
		}
	}
}

func TestErrorTellsCodesAlone(t *testing.T) {
	e := &Error{Status: 200, Code: "unexpected", SQLState: "40P01", Cure: "wait", err: fmt.Errorf("canary")}
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

func TestClassOfWhatIsNoError(t *testing.T) {
	if got := ClassOf(fmt.Errorf("secret x is empty")); got != Later {
		t.Errorf("%s, want %s", got, Later)
	}
	if got := ClassOf(fmt.Errorf("wrapped: %w", &Error{Status: 404})); got != Broken {
		t.Errorf("%s, want %s", got, Broken)
	}
}
