package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A step is one trigger that Cognito called, or what it did without one.
type step struct {
	Operation string
	Note      string // in place of a call
	Source    string // the trigger source
	Event     []byte
	Call      stack.Call
	Refused   error // Cognito's error about the response
}

// Function is what the docs call the function of the step.
func (s step) Function() string {
	return map[string]string{functions.Claims: "claims function", functions.Sync: "sync function"}[s.Call.Function]
}

// Answer is the response, or the function's error.
func (s step) Answer() string { return indent(s.Call.Payload) }

// Time is how long the function took, and the init of a cold start.
func (s step) Time() string {
	text := milliseconds(s.Call.Duration)
	if s.Call.Cold {
		text += ", after a cold start of " + milliseconds(s.Call.Init)
	}
	return text
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 1, 64) + " ms"
}

// good are the outcomes that nobody has to look into.
var good = []string{"shaped", "passed through", "synced", "stale", "ignored"}

// Kind is the class of a step in the style sheet.
func (s step) Kind() string {
	switch {
	case s.Refused != nil:
		return "bad"
	case s.Source != "" && !slices.Contains(good, s.Call.Outcome):
		return "warn"
	}
	return "ok"
}

func indent(text []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, bytes.TrimSpace(text), "", "  ") != nil {
		return string(text)
	}
	return out.String()
}
