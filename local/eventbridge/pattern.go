// Package eventbridge applies event patterns as Amazon EventBridge does, as far as the suite uses them: members, lists of exact
// values, and anything-but ("Comparison operators for use in event patterns", Amazon EventBridge User Guide).
package eventbridge

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// A Pattern is the EventPattern of a rule.
type Pattern map[string]any

// Parse reads a pattern. The error names an operator that the package does not know.
func Parse(text string) (p Pattern, err error) {
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return nil, fmt.Errorf("parse the event pattern: %w", err)
	}
	return p, check(p)
}

func check(pattern map[string]any) error {
	for name, value := range pattern {
		switch value := value.(type) {
		case map[string]any:
			if err := check(value); err != nil {
				return err
			}
		case []any:
			for _, item := range value {
				if operator, ok := item.(map[string]any); ok && (len(operator) != 1 || operator["anything-but"] == nil) {
					return fmt.Errorf("%s: %v is not known here", name, operator)
				}
			}
		default:
			return fmt.Errorf("%s: not an object or a list", name)
		}
	}
	return nil
}

// Matches reports whether a rule with the pattern gets the event. Text that is not a JSON object matches nothing.
func (p Pattern) Matches(event []byte) bool {
	var members map[string]any
	return json.Unmarshal(event, &members) == nil && members != nil && matches(p, members)
}

func matches(pattern, event map[string]any) bool {
	for name, want := range pattern {
		got, present := event[name]
		switch want := want.(type) {
		case map[string]any:
			inner, ok := got.(map[string]any)
			if !ok || !matches(want, inner) {
				return false
			}
		case []any:
			if !present || !matchesList(want, got) {
				return false
			}
		}
	}
	return true
}

// matchesList reports whether one of the values is wanted. Only one element of a list in an event has to be.
func matchesList(wanted []any, got any) bool {
	values, ok := got.([]any)
	if !ok {
		values = []any{got}
	}
	return slices.ContainsFunc(values, func(value any) bool {
		return slices.ContainsFunc(wanted, func(want any) bool { return matchesValue(want, value) })
	})
}

func matchesValue(want, value any) bool {
	operator, ok := want.(map[string]any)
	if !ok {
		return reflect.DeepEqual(want, value)
	}
	unwanted, ok := operator["anything-but"].([]any)
	if !ok {
		unwanted = []any{operator["anything-but"]}
	}
	return !slices.ContainsFunc(unwanted, func(other any) bool { return reflect.DeepEqual(other, value) })
}
