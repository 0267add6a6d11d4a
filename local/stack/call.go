package stack

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

// patience is how long a call's log may come after its answer before it counts as missing.
const patience = 10 * time.Second

// A Call is one event that a function was given, and what became of it.
type Call struct {
	Function string
	lambda.Result

	// Outcome is the log phrase that says how it went, such as synced; empty when the
	// function logged none.
	Outcome string
	Log     []Line
}

// FunctionFor is the function that an event is for: by its trigger source or, for what
// has none that Cognito sends, such as the console's test events, by its file's name.
func FunctionFor(file string, event []byte) string {
	var e struct {
		Source string `json:"triggerSource"`
	}
	// Whatever the event is, the file's name decides if it does not.
	_ = json.Unmarshal(event, &e)
	for prefix, function := range map[string]string{
		"TokenGeneration_":    Trigger,
		"PostConfirmation_":   SyncUsers,
		"PostAuthentication_": SyncUsers,
	} {
		if strings.HasPrefix(e.Source, prefix) {
			return function
		}
	}
	if strings.HasPrefix(file, "pre-token-generation-") {
		return Trigger
	}
	return SyncUsers
}

// Send gives the event to the function and waits for the answer and its log.
func (s *Stack) Send(ctx context.Context, function string, event []byte) (Call, error) {
	result, err := s.Lambda.Invoke(ctx, function, event)
	if err != nil {
		return Call{}, err
	}
	wait := patience
	if ended(result) {
		wait = 0
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	c := Call{Function: function, Result: result, Log: s.journal.call(ctx, result.RequestID)}
	if i := slices.IndexFunc(c.Log, Line.outcome); i >= 0 {
		c.Outcome = c.Log[i].Message
	}
	return c, nil
}

// ended reports whether the process is gone, so that its log is complete.
func ended(r lambda.Result) bool {
	kind := r.Failure().Type
	return strings.HasPrefix(kind, "Runtime.") || strings.HasPrefix(kind, "Sandbox.")
}

// Strays are the lines that functions printed and that are no log records, such as the
// trace of a crash.
func (s *Stack) Strays() []string {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return slices.Clone(s.journal.strays)
}
