package users

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

// A Sync is what one event says about a user.
type Sync struct {
	User     cognito.User
	At       time.Time // when the event came in
	SignedIn bool      // the event is a sign-in
	// UserID names the attribute that holds the user's id in the application, as the
	// setting USER_ID does; "" means that the sub is the id.
	UserID string
}

// A Source says where the value of a column comes from.
type Source struct {
	// Name is how doctor and the documentation call it.
	Name string
	// read returns a text, which the column's kind parses, or a value of the kind's Go type.
	// nil means that the sync has no value; the column then stays as it is. dropped names
	// parts of the value that are left out.
	read func(Sync) (value any, dropped []string)
	// isObject means that the value of a user without these attributes is an empty object.
	isObject bool
}

// Sub is the sub, which identifies a user in the pool.
var Sub = Source{Name: "sub", read: func(s Sync) (any, []string) { return text(s.User.ID), nil }}

// UserID is the value of the attribute that the setting USER_ID names, or the sub of a
// user without one.
var UserID = Source{Name: "USER_ID", read: func(s Sync) (any, []string) { return text(s.userID()), nil }}

func (s Sync) userID() string {
	if id := s.User.Attributes[s.UserID]; id != "" {
		return id
	}
	return s.User.ID
}

// Username is the user name in the pool.
var Username = Source{Name: "user name", read: func(s Sync) (any, []string) { return text(s.User.Username), nil }}

// Attribute is the value of an attribute, such as email or custom:org_id.
func Attribute(name string) Source {
	return Source{Name: name, read: func(s Sync) (any, []string) { return text(s.User.Attributes[name]), nil }}
}

// Verified is the flag that says whether the value of an attribute is verified. It is
// written together with that value: false if the flag is absent or unreadable, so that a
// new value never keeps the flag of the old one.
func Verified(attribute, flag string) Source {
	return Source{Name: flag, read: func(s Sync) (any, []string) {
		if value := s.User.Attributes[attribute]; value == "" || !storable(value) {
			return nil, nil
		}
		switch value := s.User.Attributes[flag]; value {
		case "true", "false":
			return value == "true", nil
		case "":
			return false, nil
		default:
			return false, []string{""}
		}
	}}
}

// CustomAttributes are all custom attributes as one JSON object, by name without the
// prefix "custom:". The whole object is replaced if the event has any custom attribute.
var CustomAttributes = Source{Name: "custom attributes", read: func(s Sync) (any, []string) { return object(s.User.Custom()) }, isObject: true}

// Object is a JSON object of attributes, by member. The whole object is replaced if the
// event has one of the attributes.
func Object(attributeOf map[string]string) Source {
	members := make([]string, 0, len(attributeOf))
	for member, attribute := range attributeOf {
		members = append(members, member+": "+attribute)
	}
	slices.Sort(members)
	return Source{Name: "{" + strings.Join(members, ", ") + "}", isObject: true, read: func(s Sync) (any, []string) {
		members := make(map[string]string)
		for member, attribute := range attributeOf {
			if value := s.User.Attributes[attribute]; value != "" {
				members[member] = value
			}
		}
		return object(members)
	}}
}

func object(members map[string]string) (any, []string) {
	var dropped []string
	for name, value := range members {
		if !storable(name) || !storable(value) {
			delete(members, name)
			dropped = append(dropped, name)
		}
	}
	if len(members) == 0 {
		return nil, dropped
	}
	data, err := json.Marshal(members)
	if err != nil {
		panic("users: " + err.Error()) // a map of strings can always be encoded
	}
	return json.RawMessage(data), dropped
}

// IdentityProvider is the name of the identity provider of a federated user, from the
// attribute identities. Users of the pool itself have none: they have no such attribute,
// or only linked identities.
var IdentityProvider = Source{Name: "identities", read: func(s Sync) (any, []string) {
	identities := s.User.Attributes["identities"]
	if identities == "" {
		return nil, nil
	}
	var list []struct {
		ProviderName string `json:"providerName"`
		Primary      any    `json:"primary"` // true, or "true" as in ID tokens
	}
	if json.Unmarshal([]byte(identities), &list) != nil {
		return nil, []string{""}
	}
	for _, identity := range list {
		if identity.Primary == true || identity.Primary == "true" {
			return text(identity.ProviderName), nil
		}
	}
	return nil, nil
}}

// SyncTime is the time at which the event came in.
var SyncTime = Source{Name: "time of the event", read: func(s Sync) (any, []string) { return microseconds(s.At), nil }}

// SignInTime is the time at which the event came in, if it is a sign-in.
var SignInTime = Source{Name: "time of the sign-in", read: func(s Sync) (any, []string) {
	if !s.SignedIn {
		return nil, nil
	}
	return microseconds(s.At), nil
}}

// microseconds is what PostgreSQL stores of a time. A sync that is sent again must carry
// exactly the time that is in the row, or it would count as a newer one.
func microseconds(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

// text returns nil for an empty text, which means no value.
func text(value string) any {
	if value == "" {
		return nil
	}
	return value
}
