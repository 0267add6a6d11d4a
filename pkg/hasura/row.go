package hasura

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

// A Sync is what one event says about a person.
type Sync struct {
	User     cognito.User
	At       time.Time // when the event came in: only a newer event overwrites the row
	SignedIn bool      // the event is a sign-in, at At
}

// A Row is a person's row of users, by column. As JSON it has the columns that it
// has a value for.
type Row = row

// ErrNoUUID is the error of a person whose ID can be no row's.
var ErrNoUUID = errors.New("the sub is not a UUID")

// RowOf maps a person to the columns of users. Attributes that the event lacks are
// left out, and so are values that no column can hold: dropped has their names.
// The error is [ErrNoUUID].
func RowOf(s Sync) (r Row, dropped []string, err error) {
	if !isUUID(s.User.ID) {
		return Row{}, nil, ErrNoUUID
	}
	attributes := s.User.Attributes
	drop := func(name string) { dropped = append(dropped, name) }
	text := func(name string) string {
		value := attributes[name]
		if !storable(value) {
			drop(name)
			return ""
		}
		return value
	}
	flag := func(name string) *bool {
		switch value := attributes[name]; value {
		case "true", "false":
			return new(value == "true")
		case "":
		default:
			drop(name)
		}
		return nil
	}

	// PostgreSQL keeps microseconds. A sync that is sent again must carry the very
	// time that is in the row, or it would pass for a newer one.
	at := s.At.UTC().Truncate(time.Microsecond)
	r = row{
		Id:                    s.User.ID,
		Email:                 text("email"),
		Email_verified:        flag("email_verified"),
		Phone_number:          text("phone_number"),
		Phone_number_verified: flag("phone_number_verified"),
		Name:                  text("name"),
		Given_name:            text("given_name"),
		Family_name:           text("family_name"),
		Picture:               text("picture"),
		Locale:                text("locale"),
		Status:                text("cognito:user_status"),
		Synced_at:             &at,
	}
	if r.Username = s.User.Username; !storable(r.Username) {
		r.Username = ""
		drop("username")
	}
	provider, ok := primaryProvider(attributes["identities"])
	if r.Identity_provider = provider; !ok {
		drop("identities")
	}
	custom := s.User.Custom()
	for name, value := range custom {
		if !storable(name) || !storable(value) {
			delete(custom, name)
			drop("custom:" + name)
		}
	}
	if len(custom) > 0 {
		r.Attributes, _ = json.Marshal(custom)
	}
	if s.SignedIn {
		r.Last_sign_in_at = &at
	}
	slices.Sort(dropped)
	return r, dropped, nil
}

// columns returns the columns that the row has a value for, the key apart: those
// that an upsert may overwrite. They are the members of its JSON, which leaves out
// what is zero.
func (r row) columns() []column {
	columns := make([]column, 0, len(fields))
	v := reflect.ValueOf(r)
	for i, name := range fields {
		if name != columnId && !v.Field(i).IsZero() {
			columns = append(columns, name)
		}
	}
	return columns
}

// fields has the columns that the fields of a row are.
var fields = func() (columns []column) {
	for field := range reflect.TypeFor[row]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		columns = append(columns, column(name))
	}
	return columns
}()

// storable reports whether PostgreSQL can hold a text: U+0000 it cannot, in text
// or in jsonb.
func storable(text string) bool { return strings.IndexByte(text, 0) < 0 }

// primaryProvider reads the name of the identity provider out of the identities
// attribute, a JSON array of what Cognito knows of a federated person's accounts.
// A person of the pool itself has none, or only linked ones. ok is false for what
// is no such array.
func primaryProvider(identities string) (name string, ok bool) {
	if identities == "" {
		return "", true
	}
	var list []struct {
		ProviderName string `json:"providerName"`
		Primary      any    `json:"primary"` // true, or "true" as in ID tokens
	}
	if json.Unmarshal([]byte(identities), &list) != nil {
		return "", false
	}
	for _, identity := range list {
		if identity.Primary == true || identity.Primary == "true" {
			if !storable(identity.ProviderName) {
				return "", false
			}
			return identity.ProviderName, true
		}
	}
	return "", true
}

// isUUID reports whether text has the form of a UUID as Cognito writes a sub. The
// version digit is not looked at: newer pools use one that RFC 4122 did not know.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range []byte(text) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
				return false
			}
		}
	}
	return true
}

// Columns returns the columns that an upsert may write, the key among them.
func Columns() []string {
	var names []string
	for _, name := range Allcolumn {
		if name != columnCreatedAt && name != columnUpdatedAt {
			names = append(names, string(name))
		}
	}
	return names
}
