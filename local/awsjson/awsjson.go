// Package awsjson serves the AWS JSON protocol for the stand-ins of AWS services.
//
// Signatures are not verified: any access key is accepted. A request that is not signed, or
// signed for another service, is refused.
package awsjson

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// maxRequest is the limit of a request in bytes. It leaves room for the largest SQS message
// with every byte escaped.
const maxRequest = 8 << 20

// A Service is one AWS service.
type Service struct {
	Name        string // as in signatures, such as sqs
	Version     string // of the protocol: 1.0 or 1.1
	ErrorPrefix string // of error codes, such as com.amazonaws.sqs#
	// Unsigned are the operations whose requests need no signature.
	Unsigned []string
}

// An Error is an exception of a service.
type Error struct{ Code, Message string }

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an Error.
func Errorf(code, format string, args ...any) *Error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

// Serve answers a request with what serve returns for the operation and the body.
func (s Service) Serve(w http.ResponseWriter, r *http.Request, serve func(operation string, body []byte) (any, *Error)) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return // the client is gone
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var out any
	var refused *Error
	if !slices.Contains(s.Unsigned, operation) {
		refused = s.checkSignature(r.Header.Get("Authorization"))
	}
	if refused == nil {
		out, refused = serve(operation, body)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-"+s.Version)
	if refused != nil {
		out = map[string]string{"__type": s.ErrorPrefix + refused.Code, "message": refused.Message}
		w.WriteHeader(http.StatusBadRequest)
	}
	_ = json.NewEncoder(w).Encode(out) // fails only if the client is gone
}

// checkSignature looks at the scope access key/date/Region/service/aws4_request.
func (s Service) checkSignature(authorization string) *Error {
	credential, ok := strings.CutPrefix(authorization, "AWS4-HMAC-SHA256 Credential=")
	if !ok {
		return Errorf("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	credential, _, _ = strings.Cut(credential, ",")
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[3] != s.Name || !strings.Contains(authorization, "Signature=") {
		return Errorf("InvalidSignatureException", "Credential should be scoped to correct service: '%s'.", s.Name)
	}
	return nil
}

// Call decodes a body and calls do with it. Input types of the SDK have the names of the
// protocol.
func Call[In any](body []byte, do func(In) (any, *Error)) (any, *Error) {
	var in In
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, Errorf("SerializationException", "the body is not the JSON of a request")
	}
	return do(in)
}

// Unknown is the error for an operation that a stand-in does not serve.
func Unknown(operation string) *Error {
	return Errorf("UnknownOperationException", "the stand-in does not serve %s", operation)
}
