package secrets

import (
	"context"
	"errors"

	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/pkg/logs"
)

// An Error says why the admin secret could not be read. Its text has no value of a secret.
type Error struct {
	ARN  string
	Code string // of Secrets Manager, such as AccessDeniedException, or one of the codes below
	Hint string // what was expected; "" if that is not known
	err  error
}

// Codes of failures that have no code of Secrets Manager.
const (
	CodeTimeout     = "timeout"
	CodeUnreachable = "unreachable"
	CodeInvalidForm = "invalid-form" // the secret does not hold the admin secret in a form that is known
)

func (e *Error) Error() string {
	text := "secret " + e.ARN + ": code " + e.Code
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// Unwrap returns the SDK's error, for errors.As. It must not be logged.
func (e *Error) Unwrap() error { return e.err }

// Transient reports whether a retry can help. It cannot after the codes of
// GetSecretValue ("Errors", AWS Secrets Manager API Reference) that name a fault of the
// secret, of its key or of a permission. Every other code is taken for transient.
func (e *Error) Transient() bool {
	switch e.Code {
	case CodeInvalidForm, "ResourceNotFoundException", "AccessDeniedException", "AccessDenied", "DecryptionFailure",
		"InvalidParameterException", "InvalidRequestException", "ValidationException", "UnrecognizedClientException", "InvalidClientTokenId":
		return false
	}
	return true
}

// callError makes an Error of an error of the SDK. The SDK's own text has hosts and
// request ids in it.
func callError(arn string, err error) *Error {
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return &Error{ARN: arn, Code: logs.Code(api.ErrorCode()), err: err}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Error{ARN: arn, Code: CodeTimeout, err: err}
	}
	return &Error{ARN: arn, Code: CodeUnreachable, err: err}
}
