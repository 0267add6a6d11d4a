package stack

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

// A Call is one event that a function was given, and the result.
type Call struct {
	Function string
	lambda.Result

	Outcome string   // the log message that says how the call ended; empty if there is none
	Log     []Line   // of this call and, if it was a cold start, of the init
	Errors  []string // Hasura's errors during this call, as code and message
}

// FunctionFor returns the function that an event is for. The trigger source decides. The file name decides for events
// with a source that Cognito never sends, such as the test events of the Lambda console.
func FunctionFor(file string, event []byte) string {
	var e struct {
		Source string `json:"triggerSource"`
	}
	_ = json.Unmarshal(event, &e) // the file name decides about an event that cannot be read
	switch {
	case strings.HasPrefix(e.Source, "TokenGeneration_"):
		return functions.Claims
	case strings.HasPrefix(e.Source, "PostConfirmation_"), strings.HasPrefix(e.Source, "PostAuthentication_"):
		return functions.Sync
	case strings.HasPrefix(file, "pre-token-generation-"):
		return functions.Claims
	}
	return functions.Sync
}

// Send gives the event to the function and waits for the answer and its log.
func (s *Stack) Send(ctx context.Context, function string, event []byte) (Call, error) {
	before := len(s.Log.Lines())
	result, err := s.Lambda.Invoke(ctx, function, event)
	if err != nil {
		return Call{}, err
	}
	c := Call{Function: function, Result: result}
	kind := result.Failure().Type
	if !strings.HasPrefix(kind, "Runtime.") && !strings.HasPrefix(kind, "Sandbox.") { // else the process has ended and its log is complete
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		s.Log.Wait(ctx, func(lines []Line) bool { return slices.ContainsFunc(lines[before:], c.ended) })
	}
	for _, line := range s.Log.Lines()[before:] {
		if line.RequestID == c.RequestID || line.RequestID == "" && !line.farewell() {
			c.Log = append(c.Log, line)
		}
		if c.Outcome == "" && c.ended(line) {
			c.Outcome = line.Message
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Errors = s.errors[c.RequestID]
	return c, nil
}

// farewell reports whether an idle environment printed the line when it was ended, for example by Configure. It belongs to no call.
func (l Line) farewell() bool { return strings.Contains(l.Text, "failed to get the next invoke") }

func (c Call) ended(l Line) bool { return l.RequestID == c.RequestID && l.Outcome() }
