package userpool

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Check says how Cognito takes a trigger's answer: nil if it can be read. Every trigger
// has to return its whole event with an object as response.
func Check(sent, answer []byte) error {
	_, err := response(readEvent(sent), answer)
	return err
}

// response is the one part of an answer that has an effect.
func response(e event, answer []byte) (json.RawMessage, error) {
	if !json.Valid(answer) || string(answer) == "null" {
		return nil, errNoJSON
	}
	var members map[string]json.RawMessage
	if !read(answer, &members) {
		return nil, errUnrecognizable
	}
	for name := range members {
		// A member that was not in the event makes the whole answer unreadable.
		if _, ok := e.members[name]; !ok && !slices.Contains(topLevel, name) {
			return nil, errUnrecognizable
		}
	}
	// That response may be missing or null is nowhere documented.
	if !strings.HasPrefix(string(members["response"]), "{") {
		return nil, errUnrecognizable
	}
	return members["response"], nil
}

var topLevel = []string{"version", "region", "userPoolId", "userName", "callerContext", "triggerSource", "request", "response"}

// changes is what an answer wants of the tokens.
type changes struct {
	id, access token
	groups     json.RawMessage // nil keeps them
}

// A token is idTokenGeneration or accessTokenGeneration; V1_0 has the first two members
// only, and for the ID token.
type token struct {
	Set            map[string]json.RawMessage `json:"claimsToAddOrOverride"`
	Suppress       []string                   `json:"claimsToSuppress"`
	ScopesAdd      []string                   `json:"scopesToAdd"`
	ScopesSuppress []string                   `json:"scopesToSuppress"`
}

// readChanges reads the response in the shape of the event's version. The other
// version's shape is not read at all, and nobody is told.
func readChanges(e event, answer []byte) (changes, error) {
	raw, err := response(e, answer)
	if err != nil {
		return changes{}, err
	}
	var members struct {
		First  json.RawMessage `json:"claimsOverrideDetails"`
		Second json.RawMessage `json:"claimsAndScopeOverrideDetails"`
	}
	if json.Unmarshal(raw, &members) != nil {
		return changes{}, errUnrecognizable
	}
	if e.second() {
		var details struct {
			ID     token           `json:"idTokenGeneration"`
			Access token           `json:"accessTokenGeneration"`
			Groups json.RawMessage `json:"groupOverrideDetails"`
		}
		err = decode(members.Second, &details)
		for _, scope := range details.Access.ScopesAdd {
			if strings.ContainsRune(scope, ' ') {
				return changes{}, errUnrecognizable
			}
		}
		return changes{details.ID, details.Access, details.Groups}, err
	}
	var details struct {
		token
		Groups json.RawMessage `json:"groupOverrideDetails"`
	}
	err = decode(members.First, &details)
	// V1_0 takes strings alone; anything else never gets into the token
	// (hasura/graphql-engine#1176, confirmed by AWS support there).
	maps.DeleteFunc(details.Set, func(_ string, value json.RawMessage) bool {
		return !strings.HasPrefix(string(value), `"`)
	})
	return changes{id: details.token, groups: details.Groups}, err
}

// decode reads what may be absent or null, but not of another type.
func decode(raw json.RawMessage, v any) error {
	if len(raw) > 0 && json.Unmarshal(raw, v) != nil {
		return errUnrecognizable
	}
	return nil
}

// override applies a groupOverrideDetails: it replaces the groups whole. "If you provide
// an empty or null object in the response, then Amazon Cognito suppresses the groups";
// an object of nothing but nulls, as Go's event types make it, is taken for empty.
func (g groups) override(raw json.RawMessage) (groups, error) {
	if raw == nil {
		return g, nil
	}
	var instead groups
	err := decode(raw, &instead)
	return instead, err
}
