package hasura

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

// Codes of failures that have no code of Hasura.
const (
	CodeOpen          = "breaker-open"  // a call failed a moment ago; nothing was sent
	CodeTimeout       = "timeout"       // the time ran out
	CodeDNS           = "dns"           // the host's name cannot be resolved
	CodeUnreachable   = "unreachable"   // no connection, or it broke
	CodeCertificate   = "certificate"   // it is for another host, or not trusted
	CodeNoTLS         = "no-tls"        // the server does not speak TLS
	CodeRedirect      = "redirect"      // the response is a redirect, which was not followed
	CodeTooLarge      = "too-large"     // the response is larger than any of a GraphQL API
	CodeNotJSON       = "not-json"      // the response is not JSON
	CodeNoData        = "no-data"       // the response has neither an error nor the data that was asked for
	CodeMisconfigured = "misconfigured" // a setting is invalid; nothing was sent
	CodeUnrecognized  = "unrecognized"  // something else; see Unwrap
)

// An Error is a failed call. Its text can be logged: no message of Hasura or of the
// network is in it.
type Error struct {
	Status   int    // of HTTP; 0 if there was no response
	Code     string // extensions.code of Hasura, or one of the Codes; "" if an error came without a code
	SQLState string // of PostgreSQL, where Hasura tells it: with code unexpected, to admin
	Hint     string // what the operator can do; "" if that is not known
	err      error
	repeated bool // a second attempt ended the same
	hangs    bool // the health check failed too
	bulk     bool // the call was one of Rows
}

func (e *Error) Error() string {
	text := "hasura: "
	if e.Status != 0 {
		text += fmt.Sprintf("status %d, ", e.Status)
	}
	text += "code " + e.Code
	if e.SQLState != "" {
		text += ", SQLSTATE " + e.SQLState
	}
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// Unwrap returns the network's error, for errors.As. It must not be logged.
func (e *Error) Unwrap() error { return e.err }

// redact makes an Error of an error of the generated client.
func redact(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: CodeUnrecognized, err: err}
}

// transportError makes an Error of an error of net/http.
func transportError(err error) *Error {
	e := &Error{Code: CodeUnreachable, err: err}
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		timeout     net.Error
	)
	switch {
	case errors.As(err, &certificate):
		e.Code = CodeCertificate
		e.Hint = "Hasura's certificate is not trusted. If a private certificate authority issued it, set GRAPHQL_CA to the certificate of that authority"
		if errors.As(err, new(x509.HostnameError)) {
			e.Hint = "Hasura's certificate is for another name. Set GRAPHQL_HOST to the name on the certificate"
		}
	case errors.Is(err, http.ErrSchemeMismatch):
		e.Code = CodeNoTLS
		e.Hint = "the server does not speak TLS. Write http:// in front of GRAPHQL_DOMAIN"
	case errors.As(err, &dns):
		e.Code = CodeDNS
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &timeout) && timeout.Timeout():
		e.Code = CodeTimeout
	}
	return e
}

// A Class says whether a retry can help.
type Class string

// The classes. They stand in logs and in parked messages.
const (
	Transient    Class = "transient"     // a retry can help
	Unclear      Class = "unclear"       // one more attempt shows whether it is permanent
	AccessDenied Class = "access-denied" // the admin secret was refused: read it again, then try once more
	Permanent    Class = "permanent"     // a retry cannot help until an operator has changed something
)

// ClassOf returns the class of an error of [Client.Upsert].
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class()
	}
	if e, ok := errors.AsType[*secrets.Error](err); ok && !e.Transient() {
		return Permanent
	}
	return Transient
}

// Class returns the class of the failure. A failure is transient unless one of the lists
// below names it: an unknown code can be one of a proxy, or one that a later Hasura adds.
func (e *Error) Class() Class {
	switch {
	case e.Code == "access-denied", e.Status == http.StatusUnauthorized:
		return AccessDenied
	case transientStatuses[e.Status], e.Status >= http.StatusInternalServerError, e.Code == "rate-limit-exceeded", e.Code == "time-limit-exceeded":
		return Transient
	case permanentCodes[e.Code], permanentStatuses[e.Status], isPermanentState(e.SQLState):
		return Permanent
	case unclearCodes[e.Code], e.Status == http.StatusNotFound, e.bulk && e.Code == codeUnexpected:
		// One of several servers can still have the old metadata, for seconds.
		if e.repeated {
			return Permanent
		}
		return Unclear
	}
	return Transient
}

// MayBeRow reports whether the failure of an upsert of several rows can come from one of
// the rows, so that the others can be written without it.
func (e *Error) MayBeRow() bool {
	switch e.Code {
	case "constraint-violation", "constraint-error", "data-exception", "permission-error", "parse-failed", CodeTooLarge, codeUnexpected:
		return e.Class() == Permanent
	}
	return e.Status == http.StatusRequestEntityTooLarge
}

// codeUnexpected is Hasura's code for errors of PostgreSQL that it does not know, such as
// those that a trigger raises.
const codeUnexpected = "unexpected"

// permanentCodes are Hasura's codes for faults of a request, of its data or of a
// permission (Hasura.Base.Error, graphql-engine), and ours for faults of a setting.
var permanentCodes = map[string]bool{
	"constraint-violation": true, "constraint-error": true, "data-exception": true, "permission-error": true, "permission-denied": true,
	"parse-failed": true, "invalid-json": true, "invalid-headers": true, "bad-request": true, "not-supported": true,
	"unexpected-payload": true, "already-exists": true, "jwt-invalid-claims": true,
	CodeCertificate: true, CodeNoTLS: true, CodeRedirect: true, CodeTooLarge: true, CodeMisconfigured: true,
}

// permanentStatuses come from a web server or a firewall in front of Hasura.
var permanentStatuses = map[int]bool{
	http.StatusBadRequest: true, http.StatusForbidden: true, http.StatusMethodNotAllowed: true,
	http.StatusRequestEntityTooLarge: true, http.StatusRequestURITooLong: true, http.StatusUnsupportedMediaType: true,
}

// transientStatuses say that the server was busy, whatever code a gateway puts beside them.
// So does every 5xx.
var transientStatuses = map[int]bool{
	http.StatusRequestTimeout: true, http.StatusTooEarly: true, http.StatusTooManyRequests: true,
}

var unclearCodes = map[string]bool{"validation-failed": true, "not-found": true}

// isPermanentState reports whether a retry cannot help after a SQLSTATE, by its class
// (PostgreSQL, "Error Codes"): wrong use of a feature, data, integrity, syntax or access,
// views' check options, and errors that a trigger or function raised.
func isPermanentState(state string) bool {
	for _, class := range []string{"0A", "21", "22", "23", "42", "44", "P0"} {
		if strings.HasPrefix(state, class) {
			return true
		}
	}
	return false
}

// knownCodes are the codes of Hasura that are not in the lists above. They are logged as
// they are.
var knownCodes = map[string]bool{
	"access-denied": true, "unexpected": true, "postgres-error": true, "postgres-max-connections-error": true,
	"rate-limit-exceeded": true, "time-limit-exceeded": true, "busy": true, "concurrent-update": true,
}

func isKnown(code string) bool {
	return code == "" || knownCodes[code] || permanentCodes[code] || unclearCodes[code]
}
