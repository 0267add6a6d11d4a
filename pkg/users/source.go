package users

import (
	"encoding/json"
	"strings"
	"time"
)

// A Source reads a column's value from a sync. The value is nil if the sync has none; the
// column then stays as it is. dropped names the attributes that PostgreSQL cannot store or
// that have another form than the column.
type Source func(Sync) (value any, dropped []string)

// Sub reads the sub, which identifies a user.
func Sub(s Sync) (any, []string) { return s.User.ID, nil }

// Username reads the user name in the pool.
func Username(s Sync) (any, []string) { return text("username", s.User.Username) }

// Attribute reads an attribute as text.
func Attribute(name string) Source {
	return func(s Sync) (any, []string) { return text(name, s.User.Attributes[name]) }
}

// Verified reads the flag that says whether the value of an attribute is verified. The
// flag is written together with that value: false if it is absent or unreadable, so that a
// new value never keeps the flag of the old one.
func Verified(attribute, flag string) Source {
	return func(s Sync) (any, []string) {
		if value := s.User.Attributes[attribute]; value == "" || !storable(value) {
			return nil, nil
		}
		switch value := s.User.Attributes[flag]; value {
		case "true", "false":
			return value == "true", nil
		case "":
			return false, nil
		default:
			return false, []string{flag}
		}
	}
}

// CustomAttributes reads all custom attributes as one JSON object, by name without the
// prefix "custom:".
func CustomAttributes(s Sync) (any, []string) {
	var dropped []string
	custom := s.User.Custom()
	for name, value := range custom {
		if !storable(name) || !storable(value) {
			delete(custom, name)
			dropped = append(dropped, "custom:"+name)
		}
	}
	if len(custom) == 0 {
		return nil, dropped
	}
	data, err := json.Marshal(custom)
	if err != nil {
		panic("users: " + err.Error()) // a map of strings can always be encoded
	}
	return json.RawMessage(data), dropped
}

// IdentityProvider reads the name of the identity provider that a federated user belongs
// to, from the attribute identities. Users of the pool itself have none: they have no such
// attribute, or only linked identities.
func IdentityProvider(s Sync) (any, []string) {
	identities := s.User.Attributes["identities"]
	if identities == "" {
		return nil, nil
	}
	var list []struct {
		ProviderName string `json:"providerName"`
		Primary      any    `json:"primary"` // true, or "true" as in ID tokens
	}
	if json.Unmarshal([]byte(identities), &list) != nil {
		return nil, []string{"identities"}
	}
	for _, identity := range list {
		if identity.Primary == true || identity.Primary == "true" {
			return text("identities", identity.ProviderName)
		}
	}
	return nil, nil
}

// SyncTime reads the time at which the event came in. PostgreSQL stores microseconds: a
// sync that is sent again must carry exactly the time that is in the row, or it would
// count as a newer one.
func SyncTime(s Sync) (any, []string) { return s.At.UTC().Truncate(time.Microsecond), nil }

// SignInTime is [SyncTime] if the event is a sign-in.
func SignInTime(s Sync) (any, []string) {
	if !s.SignedIn {
		return nil, nil
	}
	return SyncTime(s)
}

func text(name, value string) (any, []string) {
	if value == "" {
		return nil, nil
	}
	if !storable(value) {
		return nil, []string{name}
	}
	return value, nil
}

// storable reports whether PostgreSQL can store a text: it cannot store U+0000, neither in
// text nor in jsonb.
func storable(text string) bool { return strings.IndexByte(text, 0) < 0 }
