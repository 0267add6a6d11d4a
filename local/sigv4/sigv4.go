// Package sigv4 looks at the signatures of requests to AWS, for the stand-ins of its
// services.
//
// It does not verify them: any access key will do. What it finds is the client that
// forgot to sign, or signed for another service, which would otherwise first fail on AWS.
package sigv4

import "strings"

// Check returns the code and the message with which a service refuses an Authorization
// header; both are empty when it would look at the signature itself.
func Check(authorization, service string) (code, message string) {
	credential, ok := strings.CutPrefix(authorization, "AWS4-HMAC-SHA256 Credential=")
	if !ok {
		return "MissingAuthenticationTokenException", "Missing Authentication Token"
	}
	credential, _, _ = strings.Cut(credential, ",")
	// access key / date / region / service / aws4_request
	scope := strings.Split(credential, "/")
	if len(scope) != 5 || scope[3] != service || !strings.Contains(authorization, "Signature=") {
		return "InvalidSignatureException", "Credential should be scoped to correct service: '" + service + "'."
	}
	return "", ""
}
