package userpool

import (
	"encoding/json"
	"strings"
)

// An event is what the pool knew when it called the trigger. Fields of another type
// than Cognito sends, as in AWS's own test events, read as absent.
type event struct {
	version    string
	trigger    string // triggerSource
	username   string
	clientID   string
	attributes map[string]string
	groups     groups
	scopes     []string
	members    map[string]json.RawMessage
}

// groups is a groupConfiguration and a groupOverrideDetails alike.
type groups struct {
	Names         []string `json:"groupsToOverride"`
	Roles         []string `json:"iamRolesToOverride"`
	PreferredRole string   `json:"preferredRole"`
}

func readEvent(data []byte) event {
	var e event
	read(data, &e.members)
	read(e.members["version"], &e.version)
	read(e.members["triggerSource"], &e.trigger)
	read(e.members["userName"], &e.username)
	var caller, request map[string]json.RawMessage
	read(e.members["callerContext"], &caller)
	read(caller["clientId"], &e.clientID)
	read(e.members["request"], &request)
	read(request["scopes"], &e.scopes)
	read(request["groupConfiguration"], &e.groups)
	var attributes map[string]json.RawMessage
	read(request["userAttributes"], &attributes)
	e.attributes = make(map[string]string)
	for name, raw := range attributes {
		var value string
		if read(raw, &value) {
			e.attributes[name] = value
		}
	}
	return e
}

// second reports whether the trigger is of version V2_0 or V3_0. Emulators call every
// version "1", but only those two have scopes.
func (e event) second() bool {
	return e.version == "2" || e.version == "3" || e.scopes != nil
}

// machine reports whether the token is for an app without a person, by the client
// credentials grant.
func (e event) machine() bool {
	return e.trigger == "TokenGeneration_ClientCredentials"
}

// read reports whether raw is there and of v's type.
func read(raw json.RawMessage, v any) bool {
	return len(raw) > 0 && string(raw) != "null" && json.Unmarshal(raw, v) == nil
}

// triggerName is the name by which Cognito speaks of a trigger source's trigger in its
// errors: PreTokenGeneration for TokenGeneration_RefreshTokens.
func triggerName(source string) string {
	name, _, _ := strings.Cut(source, "_")
	if name == "TokenGeneration" {
		return "PreTokenGeneration"
	}
	return name
}
