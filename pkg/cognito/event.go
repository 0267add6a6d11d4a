// Package cognito reads the events that an Amazon Cognito user pool sends to its Lambda
// triggers, and returns them with a response.
//
// Cognito adds fields to its events without notice and expects the whole event back. An
// [Event] therefore keeps the bytes that arrived. A few fields are read from them and the
// response can be set. All other bytes go back unchanged.
package cognito

import (
	"bytes"
	"encoding/json"
)

// errNotEvent is the error for all input that cannot be read. Cognito shows a trigger's
// error to the user, and the error of encoding/json can quote its input.
var errNotEvent error = invalidEvent{}

type invalidEvent struct{}

func (invalidEvent) Error() string { return "The event is not a JSON object." }

// An Event is what Cognito sends to a trigger. Its fields are the parts that this suite
// needs. A field that the event lacks, or has in another type, is empty.
//
// Names and shapes are those of "Customizing user pool workflows with Lambda triggers" in
// the Amazon Cognito Developer Guide.
type Event struct {
	Version  string // "1", "2" or "3" from Cognito; emulators also send "0"
	Trigger  string // the trigger source, such as PostAuthentication_Authentication
	PoolID   string // such as eu-west-1_AbCdEfGhI
	ClientID string // of the app client; CLIENT_ID_NOT_APPLICABLE when an administrator acted
	User     User

	// GroupConfiguration is request.groupConfiguration as it arrived. It is nil if that is
	// absent or not an object.
	GroupConfiguration json.RawMessage

	raw        []byte
	start, end int             // of the response's value in raw; equal if there is none
	arrived    json.RawMessage // the response's value in raw
	response   json.RawMessage // nil until the response is set
	scopes     json.RawMessage // request.scopes, which V2_0 and V3_0 have; nil if it is absent
	metadata   json.RawMessage // request.clientMetadata
}

// Parse reads an event: one JSON object. It accepts any member of any type. AWS says that
// "element names might be added" and "the positions … might change", and test events of
// the AWS console have arrays instead of objects. Where a name stands twice, the last
// one counts. The event refers to data, which must not change while the event is in use.
func Parse(data []byte) (*Event, error) {
	if !json.Valid(data) || !isObject(data) {
		return nil, errNotEvent
	}
	closing := bytes.LastIndexByte(data, '}')
	e := &Event{raw: data, start: closing, end: closing}
	for m := range members(data) {
		if m.name == "response" {
			e.start, e.end = m.end-len(m.value), m.end
		}
		e.read(m)
	}
	return e, nil
}

// read reads one top-level member.
func (e *Event) read(m member) {
	switch m.name {
	case "version":
		e.Version, _ = text(m.value)
	case "triggerSource":
		e.Trigger, _ = text(m.value)
	case "userPoolId":
		e.PoolID, _ = text(m.value)
	case "userName":
		e.User.Username, _ = text(m.value)
	case "callerContext":
		e.ClientID, _ = text(get(m.value, "clientId"))
	case "response":
		e.arrived = m.value
	case "request":
		e.readRequest(m.value)
	}
}

func (e *Event) readRequest(request json.RawMessage) {
	var attributes json.RawMessage
	e.scopes, e.metadata, e.GroupConfiguration = nil, nil, nil
	for m := range members(request) {
		switch m.name {
		case "userAttributes":
			attributes = m.value
		case "scopes":
			e.scopes = m.value
		case "clientMetadata":
			e.metadata = m.value
		case "groupConfiguration":
			e.GroupConfiguration = nil
			if isObject(m.value) {
				e.GroupConfiguration = m.value
			}
		}
	}
	e.User.readAttributes(attributes)
}

// Groups returns the names of the user's groups, in the order in which Cognito sent them.
// A federated user is also in the group <PoolID>_<provider>, which Cognito itself makes.
func (e *Event) Groups() []string {
	var groups []string
	for element := range elements(get(e.GroupConfiguration, "groupsToOverride")) {
		if name, ok := text(element); ok && name != "" {
			groups = append(groups, name)
		}
	}
	return groups
}

// Scopes returns the scopes of a token for which Cognito sends them: of an access token in
// V2_0 and V3_0.
func (e *Event) Scopes() []string {
	var scopes []string
	for element := range elements(e.scopes) {
		if scope, ok := text(element); ok && scope != "" {
			scopes = append(scopes, scope)
		}
	}
	return scopes
}

// ClientMetadata returns a value that the app sent, or "". Anyone who can sign in can send
// any value.
func (e *Event) ClientMetadata(name string) string {
	value, _ := text(get(e.metadata, name))
	return value
}

// Bytes returns the event for Cognito: the bytes that arrived, with the response that was
// set, else with the response that arrived. If that is not an object, the response is {},
// which adds nothing in every trigger.
func (e *Event) Bytes() []byte {
	response := e.response
	if response == nil {
		response = e.arrived
	}
	if !isObject(response) {
		response = json.RawMessage("{}")
	}
	out := make([]byte, 0, len(e.raw)+len(response)+len(`,"response":`))
	out = append(out, e.raw[:e.start]...)
	if e.start == e.end {
		if !bytes.HasSuffix(bytes.TrimSpace(out), []byte("{")) {
			out = append(out, ',')
		}
		out = append(out, `"response":`...)
	}
	out = append(out, response...)
	return append(out, e.raw[e.end:]...)
}
