package userpool

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// An Error is what an app gets instead of tokens: an exception of the user pools API, with
// HTTP status 400.
type Error struct {
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Both messages are quoted in many public threads, such as aws-sdk-js#2692 and
// amazon-cognito-identity-js#167.
var (
	errNotJSON        error = &Error{"InvalidLambdaResponseException", "Invalid lambda function output : Invalid JSON"}
	errUnrecognizable error = &Error{"InvalidLambdaResponseException", "Unrecognizable lambda output"}
)

// Failed is Cognito's error if a function fails. The user reads its message. source is the
// triggerSource, payload is Lambda's error.
func Failed(source string, payload []byte) error {
	var failure struct {
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal(payload, &failure) // without a readable message it still fails
	trigger, _, _ := strings.Cut(source, "_")
	if trigger == "TokenGeneration" {
		trigger = "PreTokenGeneration"
	}
	return &Error{"UserLambdaValidationException", trigger + " failed with error " + failure.Message + "."}
}

// Check returns Cognito's error for a trigger's response. A trigger has to return its whole
// event with an object as response.
func Check(sent, response []byte) error {
	_, err := readEvent(sent).response(response)
	return err
}

// An event is what the pool sent to the trigger. A field of another type than Cognito's,
// as in AWS's test events, counts as absent.
type event struct {
	version, triggerSource, username, clientID string

	attributes map[string]string
	groups     groups
	scopes     []string
	members    map[string]json.RawMessage
}

// groups is a groupConfiguration or a groupOverrideDetails.
type groups struct {
	Names         []string `json:"groupsToOverride"`
	Roles         []string `json:"iamRolesToOverride"`
	PreferredRole string   `json:"preferredRole"`
}

func readEvent(data []byte) event {
	e := event{attributes: map[string]string{}}
	var caller, request, attributes map[string]json.RawMessage
	read(data, &e.members)
	read(e.members["version"], &e.version)
	read(e.members["triggerSource"], &e.triggerSource)
	read(e.members["userName"], &e.username)
	read(e.members["callerContext"], &caller)
	read(caller["clientId"], &e.clientID)
	read(e.members["request"], &request)
	read(request["scopes"], &e.scopes)
	read(request["groupConfiguration"], &e.groups)
	read(request["userAttributes"], &attributes)
	for name, raw := range attributes {
		var value string
		if read(raw, &value) {
			e.attributes[name] = value
		}
	}
	return e
}

// read decodes raw. It reports false if raw is absent, null or of another type.
func read(raw json.RawMessage, v any) bool {
	return len(raw) > 0 && string(raw) != "null" && json.Unmarshal(raw, v) == nil
}

// isV2 reports whether the trigger's version is V2_0 or V3_0. Emulators send version 1 for
// every version, but only these two have scopes.
func (e event) isV2() bool { return e.version == "2" || e.version == "3" || e.scopes != nil }

// machine reports whether the token is for an app without a user.
func (e event) machine() bool { return e.triggerSource == "TokenGeneration_ClientCredentials" }

var topLevel = []string{"version", "region", "userPoolId", "userName", "callerContext", "triggerSource", "request", "response"}

// response returns the member response of what the trigger returned.
func (e event) response(returned []byte) (json.RawMessage, error) {
	if !json.Valid(returned) || string(returned) == "null" {
		return nil, errNotJSON
	}
	var members map[string]json.RawMessage
	if !read(returned, &members) {
		return nil, errUnrecognizable
	}
	for name := range members {
		if _, sent := e.members[name]; !sent && !slices.Contains(topLevel, name) {
			return nil, errUnrecognizable
		}
	}
	// It is not documented whether response may be missing or null.
	if !strings.HasPrefix(string(members["response"]), "{") {
		return nil, errUnrecognizable
	}
	return members["response"], nil
}

// changes is what a response of the pre token generation trigger changes.
type changes struct {
	ID     change
	Access change
	Groups json.RawMessage // nil keeps the groups
}

// A change is idTokenGeneration or accessTokenGeneration. V1_0 has only the first two
// members, and only for the ID token.
type change struct {
	Set            map[string]json.RawMessage `json:"claimsToAddOrOverride"`
	Suppress       []string                   `json:"claimsToSuppress"`
	ScopesAdd      []string                   `json:"scopesToAdd"`
	ScopesSuppress []string                   `json:"scopesToSuppress"`
}

// changes reads the form of the event's version. Cognito ignores the form of the other
// version without an error.
func (e event) changes(returned []byte) (c changes, err error) {
	raw, err := e.response(returned)
	if err != nil {
		return c, err
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return c, errUnrecognizable
	}
	if !e.isV2() {
		var details struct {
			change
			Groups json.RawMessage `json:"groupOverrideDetails"`
		}
		err = decode(members["claimsOverrideDetails"], &details)
		// V1_0 accepts only strings. Other values do not get into the token
		// (hasura/graphql-engine#1176, confirmed by AWS support there).
		maps.DeleteFunc(details.Set, func(_ string, value json.RawMessage) bool { return !strings.HasPrefix(string(value), `"`) })
		return changes{ID: details.change, Groups: details.Groups}, err
	}
	var details struct {
		ID     change          `json:"idTokenGeneration"`
		Access change          `json:"accessTokenGeneration"`
		Groups json.RawMessage `json:"groupOverrideDetails"`
	}
	err = decode(members["claimsAndScopeOverrideDetails"], &details)
	if slices.ContainsFunc(details.Access.ScopesAdd, func(scope string) bool { return strings.Contains(scope, " ") }) {
		err = errUnrecognizable
	}
	return changes(details), err
}

// decode accepts an absent value and null, but no other type.
func decode(raw json.RawMessage, v any) error {
	if len(raw) > 0 && json.Unmarshal(raw, v) != nil {
		return errUnrecognizable
	}
	return nil
}

// override applies groupOverrideDetails, which replaces all groups. "If you provide an empty
// or null object in the response, then Amazon Cognito suppresses the groups". An object
// with only null members, as Go's event types make it, is treated as empty.
func (g groups) override(raw json.RawMessage) (groups, error) {
	if raw == nil {
		return g, nil
	}
	var replaced groups
	err := decode(raw, &replaced)
	return replaced, err
}
