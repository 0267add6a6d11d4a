// Package cognito reads and answers the events that an Amazon Cognito user pool
// sends to its Lambda triggers.
//
// Cognito adds fields to its events without notice and expects the whole event
// back. An [Event] therefore keeps the bytes it arrived as: a few fields are
// read from them, the response can be set, and everything else goes back
// untouched, to the byte.
package cognito

import (
	"bytes"
	"encoding/json"
)

// errNotEvent is all that is said of input that cannot be read: Cognito shows a
// trigger's error to the person signing in, and the decoder's can quote its input.
var errNotEvent error = invalidEvent{}

type invalidEvent struct{}

func (invalidEvent) Error() string { return "The event is not a JSON object." }

// An Event is one call of a trigger. Its fields are what the suite reads of it;
// those that the event does not have, or has in another type, are empty.
//
// The field names and shapes are those of "Customizing user pool workflows with
// Lambda triggers" in the Amazon Cognito Developer Guide.
type Event struct {
	Version  string // "1", "2" or "3" from Cognito; emulators also send "0"
	Trigger  string // the trigger source, such as PostAuthentication_Authentication
	PoolID   string // such as eu-west-1_AbCdEfGhI
	ClientID string // the app client's; CLIENT_ID_NOT_APPLICABLE when an administrator acted
	User     User

	// GroupConfiguration is request.groupConfiguration as it arrived; nil when it
	// is absent or not an object.
	GroupConfiguration json.RawMessage

	raw        []byte
	start, end int             // of the response's value in raw; equal when there is none
	arrived    json.RawMessage // the response's value in raw
	response   json.RawMessage // nil until the response is set
	scopes     bool            // the request has scopes, as V2_0 and V3_0 have
}

// Parse reads an event: one JSON object. It is as tolerant as can be: "element names might be
// added" and "the positions … might change", says AWS, and the console's own test
// events have arrays where objects belong. The event refers to data, which must
// not change while the event is in use.
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

// read takes what the suite uses of one top-level member.
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
	e.scopes = false
	for m := range members(request) {
		switch m.name {
		case "userAttributes":
			attributes = m.value
		case "scopes":
			e.scopes = true
		case "groupConfiguration":
			e.GroupConfiguration = nil
			if isObject(m.value) {
				e.GroupConfiguration = m.value
			}
		}
	}
	e.User.readAttributes(attributes)
}

// Groups returns the names of the groups that the person is in, as Cognito sent
// them. Besides the pool's own groups there is one named <PoolID>_<provider> for
// a federated person, which Cognito makes itself.
func (e *Event) Groups() []string {
	var groups []string
	for element := range elements(get(e.GroupConfiguration, "groupsToOverride")) {
		if name, ok := text(element); ok && name != "" {
			groups = append(groups, name)
		}
	}
	return groups
}

// Bytes returns the event for Cognito: the bytes that arrived, with the response
// that was set. If none was set and none arrived that is an object, the response
// is {}, which every trigger takes for "nothing to add".
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
