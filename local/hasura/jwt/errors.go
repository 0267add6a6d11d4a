package jwt

import "fmt"

// An Error is Hasura's refusal of a token.
//
// Message is Hasura's own text and can quote the token's claims.
type Error struct {
	Code    string // extensions.code, such as jwt-invalid-claims
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The codes.
const (
	InvalidHeaders    = "invalid-headers"
	InvalidJWT        = "invalid-jwt"
	InvalidClaims     = "jwt-invalid-claims"
	MissingRoleClaims = "jwt-missing-role-claims"
	AccessDenied      = "access-denied"
)

func refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// unverified is the refusal of a token whose claims are not even looked at.
func unverified(format string, args ...any) *Error {
	return refuse(InvalidJWT, "Could not verify JWT: "+format, args...)
}
