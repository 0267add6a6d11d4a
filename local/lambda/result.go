package lambda

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Unhandled is the FunctionError of every call that did not end in an answer. Lambda
// says so of errors that a handler returned, too.
const Unhandled = "Unhandled"

// A Result is how one call ended.
type Result struct {
	RequestID     string
	Payload       []byte // the function's answer, or the error as JSON
	FunctionError string // empty, or Unhandled

	Cold     bool          // the process was started for this call, or before it and had served none
	Init     time.Duration // of a cold call: from spawning the process to its first poll
	Duration time.Duration // from handing over the event to the answer
}

// A Failure is the payload of a Result with a FunctionError.
type Failure struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

// Failure reads the error out of r; it is zero when the call went well.
func (r Result) Failure() Failure {
	var f Failure
	if r.FunctionError != "" {
		// A function may post any bytes as its error; what is no JSON has no message.
		_ = json.Unmarshal(r.Payload, &f)
	}
	return f
}

func (f Failure) result(id string) Result {
	payload, err := json.Marshal(f)
	if err != nil {
		panic(err) // two strings always marshal
	}
	return Result{RequestID: id, Payload: payload, FunctionError: Unhandled}
}

// The texts are those that Lambda answers with today; floci-io/floci#3314 has recordings.

func timedOut(id string, after time.Duration) Result {
	return Failure{
		Type:    "Sandbox.Timedout",
		Message: fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", id, after.Seconds()),
	}.result(id)
}

func exited(id string, state *os.ProcessState) Result {
	reason := "Runtime exited without providing a reason"
	if state != nil && !state.Success() {
		reason = "Runtime exited with error: " + state.String()
	}
	return Failure{
		Type:    "Runtime.ExitError",
		Message: fmt.Sprintf("RequestId: %s Error: %s", id, reason),
	}.result(id)
}

func tooLarge(id string) Result {
	return Failure{
		Type:    "Function.ResponseSizeTooLarge",
		Message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxPayload),
	}.result(id)
}
