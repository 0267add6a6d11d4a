package cognito

import (
	"encoding/json"
	"strings"
)

// IssuesToken reports whether the event is of the pre token generation trigger, with any
// trigger source: a sign-in, managed login, a new password, a refresh.
func (e *Event) IssuesToken() bool { return strings.HasPrefix(e.Trigger, "TokenGeneration_") }

// IsMachine reports whether the token is for an app client itself (client credentials), and
// not for a user. What else such an event has is not documented.
func (e *Event) IsMachine() bool { return e.Trigger == "TokenGeneration_ClientCredentials" }

// IsV2 reports whether the event needs the response of trigger version V2_0 and V3_0:
// claims for the access token too, of any JSON type. With a V1_0 response to such an event
// the tokens have no claims, and nothing reports an error.
//
// The version decides. Emulators send version "0" or "1" with every event, so two members
// that only V2_0 and V3_0 events have decide too.
func (e *Event) IsV2() bool {
	if e.scopes != nil || get(e.arrived, "claimsAndScopeOverrideDetails") != nil {
		return true
	}
	return e.Version != "" && e.Version != "0" && e.Version != "1"
}

// SetClaims sets a response that adds the members of id, a JSON object, to the ID token. If
// the event [Event.IsV2], it also adds those of access to the access token.
//
// The response repeats the groups as they arrived. With an empty groupOverrideDetails
// Cognito "suppresses the groups" (Pre token generation Lambda trigger, Amazon Cognito
// Developer Guide), so an empty groupConfiguration, which only emulators send, is not
// repeated.
func (e *Event) SetClaims(id, access json.RawMessage) {
	b := make([]byte, 0, 200+len(id)+len(access)+len(e.GroupConfiguration))
	if e.IsV2() {
		b = append(b, `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":`...)
		b = append(b, id...)
		b = append(b, `},"accessTokenGeneration":{"claimsToAddOrOverride":`...)
		b = append(b, access...)
		b = append(b, '}')
	} else {
		b = append(b, `{"claimsOverrideDetails":{"claimsToAddOrOverride":`...)
		b = append(b, id...)
	}
	if hasMembers(e.GroupConfiguration) {
		b = append(b, `,"groupOverrideDetails":`...)
		b = append(b, e.GroupConfiguration...)
	}
	e.response = append(b, "}}"...)
}
