package cognito

import (
	"encoding/json"
	"strings"
)

// IssuesToken reports whether the event is one of pre token generation, whatever
// led to the token: a sign-in, the hosted UI, a new password, a refresh.
func (e *Event) IssuesToken() bool { return strings.HasPrefix(e.Trigger, "TokenGeneration_") }

// Complex reports whether the event wants the answer of V2_0 and V3_0, where
// claims go into the access token too and may be any JSON. A V1_0 answer to such
// an event yields tokens without claims, and no error anywhere.
//
// The version decides. Since emulators send "0" or "1" for everything, so do the
// two things that only V2_0 and V3_0 events have.
func (e *Event) Complex() bool {
	if e.scopes || get(e.arrived, "claimsAndScopeOverrideDetails") != nil {
		return true
	}
	return e.Version != "" && e.Version != "0" && e.Version != "1"
}

// SetClaims makes the response add the members of id, a JSON object, to the ID
// token, and those of access to the access token where the event is [Event.Complex].
//
// The groups go back as they came whenever they came: Cognito "suppresses the
// groups" when it finds an empty groupOverrideDetails (Pre token generation Lambda
// trigger, Amazon Cognito Developer Guide), and a copy is AWS's way to keep them.
// An empty groupConfiguration, which only emulators send, is therefore not copied.
func (e *Event) SetClaims(id, access json.RawMessage) {
	b := make([]byte, 0, 200+len(id)+len(access)+len(e.GroupConfiguration))
	if e.Complex() {
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
