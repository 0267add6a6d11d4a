package hasura

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Codes of failures that Hasura did not answer with one of its own.
const (
	CodeOpen        = "breaker-open" // a call failed a moment ago; nothing was sent
	CodeTimeout     = "timeout"      // the time for it ran out
	CodeDNS         = "dns"          // the host's name has no address
	CodeUnreachable = "unreachable"  // no connection, or it broke
	CodeCertificate = "certificate"  // not one for this host, or not to be trusted
	CodeNoTLS       = "no-tls"       // the server does not speak TLS
	CodeRedirect    = "redirect"     // the answer is elsewhere; it was not followed
	CodeTooLarge    = "too-large"    // the answer is no GraphQL server's
	CodeNotJSON     = "not-json"     // likewise
	CodeNoData      = "no-data"      // the answer has neither data nor an error
	CodeUnknown     = "unrecognized" // something else; see Unwrap
)

// An Error is a failed call. Its text is safe to log: what Hasura or the network
// said in words is not in it.
type Error struct {
	Status   int    // of HTTP; 0 if there was no answer
	Code     string // Hasura's extensions.code, or one of the Codes; "" if an error came without
	SQLState string // PostgreSQL's, where Hasura tells it: code unexpected, role admin
	Cure     string // what the operator can do, where that is known
	err      error
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
	if e.Cure != "" {
		text += ": " + e.Cure
	}
	return text
}

// Unwrap returns the network's error, for errors.As; it is not for logs.
func (e *Error) Unwrap() error { return e.err }

// redact makes an Error of whatever came out of the generated client.
func redact(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: CodeUnknown, err: err}
}

// transportError tells the network's failures apart.
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
		e.Cure = "Hasura's certificate is not trusted; it has to be of a public authority, or of one in SSL_CERT_FILE"
		if errors.As(err, new(x509.HostnameError)) {
			e.Cure = "set GRAPHQL_HOST to the name that Hasura's certificate is for"
		}
	case errors.Is(err, http.ErrSchemeMismatch):
		e.Code = CodeNoTLS
		e.Cure = "write http:// in front of GRAPHQL_DOMAIN if Hasura has no TLS"
	case errors.As(err, &dns):
		e.Code = CodeDNS
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, &timeout) && timeout.Timeout():
		e.Code = CodeTimeout
	}
	return e
}

// location says where a redirect points, without its path and query, and what that means.
func (e *Error) location(response *http.Response) {
	e.Cure = "set GRAPHQL_DOMAIN to where Hasura answers itself"
	if to, err := response.Location(); err == nil {
		where := &url.URL{Scheme: to.Scheme, Host: to.Host}
		e.Cure = fmt.Sprintf("Hasura's address redirects to %s; if that is right, set GRAPHQL_DOMAIN to it, or, for a load balancer, GRAPHQL_HOST to its public name", where)
	}
}

// A Class says what can be done about a failure.
type Class string

const (
	Later  Class = "later"  // it heals by itself: try again
	Once   Class = "once"   // it is not clear: try once more
	Denied Class = "denied" // the admin secret was refused: read it again, then try once more
	Broken Class = "broken" // trying again cannot help until somebody mends it
)

// ClassOf returns the class of an error of [Client.Upsert]. A secret that cannot be
// read can be mended.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class()
	}
	return Later
}

// Class returns the class of the failure, from Hasura's code, from the status of a
// load balancer in front of it, or from PostgreSQL's state: Hasura has codes of its
// own for integrity and data errors only and calls all others "unexpected"
// (graphql-engine, dmlTxErrorHandler).
func (e *Error) Class() Class {
	switch e.Code {
	case "access-denied":
		return Denied
	case "postgres-error", "postgres-max-connections-error", "busy", "concurrent-update",
		CodeTimeout, CodeDNS, CodeUnreachable, CodeOpen:
		return Later
	case "unexpected":
		return classOfSQLState(e.SQLState)
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return Denied
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return Later
	case http.StatusOK:
		// Engines that speak Hasura's dialect send errors without a code; a proxy may
		// answer 200 with a page of its own.
		if e.Code == "" || e.Code == CodeNotJSON || e.Code == CodeNoData {
			return Once
		}
	}
	return Broken
}

// passing are the classes and states of PostgreSQL that pass by themselves:
// connections, resources, restarts, failovers, deadlocks, lock and statement time-outs.
var passing = []string{"08", "53", "58", "40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "25006"}

func classOfSQLState(state string) Class {
	if state == "" {
		return Once // Hasura tells it to admin only
	}
	for _, prefix := range passing {
		if strings.HasPrefix(state, prefix) {
			return Later
		}
	}
	return Broken
}
