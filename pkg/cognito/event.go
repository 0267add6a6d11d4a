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
	"io"
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
	e := &Event{raw: data}
	dec := json.NewDecoder(bytes.NewReader(data))
	if token, err := dec.Token(); err != nil || token != json.Delim('{') {
		return nil, errNotEvent
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, errNotEvent
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errNotEvent
		}
		if key == "response" {
			e.end = int(dec.InputOffset())
			e.start = e.end - len(value)
		}
		e.read(key.(string), value)
	}
	if e.end == 0 {
		e.end = int(dec.InputOffset())
		e.start = e.end
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, errNotEvent
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errNotEvent
	}
	return e, nil
}

// read takes what the suite uses of one top-level member.
func (e *Event) read(key string, value json.RawMessage) {
	switch key {
	case "version":
		e.Version, _ = text(value)
	case "triggerSource":
		e.Trigger, _ = text(value)
	case "userPoolId":
		e.PoolID, _ = text(value)
	case "userName":
		e.User.Username, _ = text(value)
	case "callerContext":
		e.ClientID, _ = text(object(value)["clientId"])
	case "response":
		e.arrived = value
	case "request":
		request := object(value)
		e.User.readAttributes(object(request["userAttributes"]))
		_, e.scopes = request["scopes"]
		if groups := request["groupConfiguration"]; isObject(groups) {
			e.GroupConfiguration = groups
		}
	}
}

// Groups returns the names of the groups that the person is in, as Cognito sent
// them. Besides the pool's own groups there is one named <PoolID>_<provider> for
// a federated person, which Cognito makes itself.
func (e *Event) Groups() []string {
	var members []json.RawMessage
	if json.Unmarshal(object(e.GroupConfiguration)["groupsToOverride"], &members) != nil {
		return nil
	}
	groups := make([]string, 0, len(members))
	for _, m := range members {
		if name, ok := text(m); ok && name != "" {
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

// object returns the members of a JSON object, or nil if raw is not one.
func object(raw json.RawMessage) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil
	}
	return members
}

// isObject reports whether valid JSON, or none, is an object.
func isObject(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{"))
}

// text returns the text of a JSON string, number or boolean: AWS's console test
// events have booleans where Cognito sends "true". Anything else has no text.
func text(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case 'n', '{', '[':
		return "", false
	}
	return string(raw), true
}
