package main

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/logs"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A hint says that a user may have changed.
type hint struct {
	sub     string
	eventID string
	at      time.Time // of the call, in whole seconds; zero if it is not readable
}

// readHint reads an EventBridge event with a CloudTrail record. reason says why the event
// is ignored; it is "" if the user must be looked up. No value but the sub is used: another
// call may have changed the user since.
func readHint(body []byte, poolID string) (h hint, reason string) {
	event := object(body)
	record := object(event["detail"])
	if record == nil {
		return hint{}, "not a CloudTrail record"
	}
	if id := text(record["eventID"]); id != "" {
		h.eventID = logs.Code(id)
	}
	h.at, _ = time.Parse(time.RFC3339, text(record["eventTime"]))
	request, additional := object(record["requestParameters"]), object(record["additionalEventData"])
	pool := text(request["userPoolId"])
	if pool == "" {
		pool = text(additional["userPoolId"])
	}
	switch {
	case text(event["source"]) != "aws.cognito-idp", text(record["eventSource"]) != "cognito-idp.amazonaws.com":
		return h, "not a call to Cognito user pools"
	case !isEmpty(record["errorCode"]):
		return h, "the call failed"
	case string(record["readOnly"]) == "true":
		return h, "the call reads only"
	case changesNoUser(text(record["eventName"]), text(request["challengeName"])):
		return h, "the call changes no column"
	case pool != "" && pool != poolID:
		return h, "another user pool"
	}
	h.sub = text(additional["sub"])
	if h.sub == "" && text(record["eventType"]) == "AwsServiceEvent" {
		var list []json.RawMessage // of managed login: a browser has sent it
		if json.Unmarshal(object(additional["requestParameters"])["sub"], &list) == nil && len(list) == 1 {
			h.sub = text(list[0])
		}
	}
	if !users.IsUUID(h.sub) || strings.ToLower(h.sub) != h.sub {
		h.sub = ""
		return h, "no sub"
	}
	return h, ""
}

// changesNoUser reports whether a call is one of those that are not worth a look-up:
// sign-ins and tokens, which the triggers see, and groups, which the table does not have.
// Every other call that writes is looked up, also an unknown one.
func changesNoUser(name, challenge string) bool {
	switch name {
	case "InitiateAuth", "AdminInitiateAuth", "GetTokensFromRefreshToken", "GlobalSignOut", "AdminUserGlobalSignOut", "RevokeToken",
		"AdminAddUserToGroup", "AdminRemoveUserFromGroup":
		return true
	case "RespondToAuthChallenge", "AdminRespondToAuthChallenge":
		return challenge != "NEW_PASSWORD_REQUIRED"
	}
	return false
}

// object returns the members of a JSON object, or nil.
func object(raw []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil
	}
	return members
}

// text returns the text of a JSON string, or "".
func text(raw json.RawMessage) string {
	var value string
	if json.Unmarshal(raw, &value) != nil {
		return ""
	}
	return value
}

// isEmpty reports whether a member is absent, null or "".
func isEmpty(raw json.RawMessage) bool {
	return len(raw) == 0 || string(raw) == "null" || string(raw) == `""`
}
