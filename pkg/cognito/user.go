package cognito

import (
	"encoding/json"
	"log/slog"
	"strings"
)

// A User is the user that an event is about. Only ID, the sub, identifies a user. The user
// name differs from it for federated users, for users that an administrator created, and
// in pools where users choose their name.
//
// Logs and formatted text have a User's ID and nothing else.
type User struct {
	ID         string            `json:"id"` // the sub attribute, a UUID; "" for a machine
	Username   string            `json:"username,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"` // all that have a value, including sub
}

// LogValue keeps everything but the ID out of logs.
func (u User) LogValue() slog.Value { return slog.StringValue(u.ID) }

// String keeps everything but the ID out of formatted text.
func (u User) String() string { return u.ID }

// GoString does what String does, so that %#v does not print more than %v.
func (u User) GoString() string { return u.ID }

// Custom returns the custom attributes by name, without the prefix "custom:". It returns
// nil if there are none.
func (u User) Custom() map[string]string {
	var custom map[string]string
	for name, value := range u.Attributes {
		if name, ok := strings.CutPrefix(name, "custom:"); ok {
			if custom == nil {
				custom = make(map[string]string)
			}
			custom[name] = value
		}
	}
	return custom
}

// readAttributes reads the attributes that have a value. Cognito leaves out an attribute
// without a value; an empty one has the same meaning.
func (u *User) readAttributes(attributes json.RawMessage) {
	u.Attributes = make(map[string]string)
	for m := range members(attributes) {
		if value, ok := text(m.value); ok && value != "" {
			u.Attributes[m.name] = value
		} else {
			delete(u.Attributes, m.name)
		}
	}
	u.ID = u.Attributes["sub"]
}
