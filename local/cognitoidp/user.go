package cognitoidp

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Statuses of users.
const (
	Unconfirmed         = "UNCONFIRMED"
	Confirmed           = "CONFIRMED"
	ForceChangePassword = "FORCE_CHANGE_PASSWORD"
	ResetRequired       = "RESET_REQUIRED"
	ExternalProvider    = "EXTERNAL_PROVIDER"
)

// A User is a user of the pool. The attribute sub identifies it.
type User struct {
	Username   string
	Attributes map[string]string
	Enabled    bool
	Status     string // such as CONFIRMED
	Groups     []string
	Provider   string // name of the identity provider; empty for a user with a password

	Created, Modified time.Time // set by Put if zero, and by each change

	password string
	refresh  string // the refresh token of the last sign-in
	session  string // of a challenge
}

// Sub returns the attribute sub.
func (u User) Sub() string { return u.Attributes["sub"] }

func (u User) clone() User {
	u.Attributes, u.Groups = maps.Clone(u.Attributes), slices.Clone(u.Groups)
	return u
}

// attributeList is how the API writes attributes.
func (u User) attributeList() []Object {
	list := []Object{}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		list = append(list, Object{"Name": name, "Value": u.Attributes[name]})
	}
	return list
}

// object is the user as the API writes it. The member with the attributes has another name in some operations.
func (u User) object(attributes string) Object {
	return Object{
		"Username": u.Username, attributes: u.attributeList(), "Enabled": u.Enabled, "UserStatus": u.Status,
		"UserCreateDate": seconds(u.Created), "UserLastModifiedDate": seconds(u.Modified),
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (u User) json() json.RawMessage {
	data, err := json.Marshal(u.object("Attributes"))
	if err != nil {
		panic("cognitoidp: " + err.Error()) // texts can always be encoded
	}
	return data
}
