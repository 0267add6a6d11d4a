// Package users describes the users table in Hasura: its columns, and where the value of
// each column comes from.
package users

import (
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

// Table lists the columns that a sync writes. The table may have other columns, which a
// sync leaves alone.
var Table = []Column{
	{KeyColumn, UUID, Sub},
	{"username", Text, Username},
	{"email", Text, Attribute("email")},
	{"email_verified", Boolean, Verified("email", "email_verified")},
	{"phone_number", Text, Attribute("phone_number")},
	{"phone_number_verified", Boolean, Verified("phone_number", "phone_number_verified")},
	{"name", Text, Attribute("name")},
	{"given_name", Text, Attribute("given_name")},
	{"family_name", Text, Attribute("family_name")},
	{"picture", Text, Attribute("picture")},
	{"locale", Text, Attribute("locale")},
	{"identity_provider", Text, IdentityProvider},
	{"status", Text, Attribute("cognito:user_status")},
	{"attributes", JSON, CustomAttributes},
	{SignInColumn, Timestamp, SignInTime},
	{SyncedAtColumn, Timestamp, SyncTime},
}

// Columns with a meaning for the sync itself. graphql/upsertUser.graphql names them too.
const (
	KeyColumn      = "id"              // the primary key, which no sync overwrites
	SyncedAtColumn = "synced_at"       // only an event that came in later overwrites the row
	SignInColumn   = "last_sign_in_at" // never set back by an older event
)

// A Column is one column of the table.
type Column struct {
	Name   string
	Kind   Kind
	Source Source
}

// A Kind is a column's type in PostgreSQL.
type Kind string

// The kinds, and the Go type of their values in a [Row].
const (
	Text      Kind = "text"        // string
	Boolean   Kind = "boolean"     // bool
	UUID      Kind = "uuid"        // string
	Timestamp Kind = "timestamptz" // time.Time
	JSON      Kind = "jsonb"       // json.RawMessage
)

// A Sync is what one event says about a user.
type Sync struct {
	User     cognito.User
	At       time.Time // when the event came in
	SignedIn bool      // the event is a sign-in
}

// column returns the column with a name, or nil.
func column(name string) *Column {
	for i := range Table {
		if Table[i].Name == name {
			return &Table[i]
		}
	}
	return nil
}
