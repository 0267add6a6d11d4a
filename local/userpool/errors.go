package userpool

import "encoding/json"

// An Error is what an app gets instead of tokens: an exception of the user pools API,
// with HTTP status 400.
type Error struct {
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Failed is the error that a function's own failure turns into. The person signing in
// reads its text. source is the event's triggerSource, payload the error as Lambda
// answers it.
func Failed(source string, payload []byte) error {
	var failure struct {
		Message string `json:"errorMessage"`
	}
	// An error without a readable text is an error all the same.
	_ = json.Unmarshal(payload, &failure)
	return &Error{"UserLambdaValidationException", triggerName(source) + " failed with error " + failure.Message + "."}
}

// Both texts are seen in many public threads; aws-sdk-js#2692 has the first, and
// amazon-cognito-identity-js#167 the second.
var (
	errNoJSON         error = &Error{"InvalidLambdaResponseException", "Invalid lambda function output : Invalid JSON"}
	errUnrecognizable error = &Error{"InvalidLambdaResponseException", "Unrecognizable lambda output"}
)
