package users

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// A Kind is a column's type in PostgreSQL.
type Kind string

// The kinds, and the Go types of their values in a [Row].
const (
	Text      Kind = "text"        // string; also for citext and varchar
	Boolean   Kind = "boolean"     // bool
	UUID      Kind = "uuid"        // string
	Timestamp Kind = "timestamptz" // time.Time
	JSON      Kind = "jsonb"       // json.RawMessage
	Integer   Kind = "integer"     // int32
	Date      Kind = "date"        // string, such as 1990-12-31
)

var errKind = errors.New("the value does not fit the column's kind")

// parse returns the value of a text, such as an attribute's. The error is errKind.
func (k Kind) parse(text string) (any, error) {
	switch k {
	case Text:
		return text, unless(!storable(text))
	case Boolean:
		return text == "true", unless(text != "true" && text != "false")
	case UUID:
		return text, unless(!IsUUID(text))
	case Timestamp:
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds >= 0 && seconds < 1<<35 {
			return time.Unix(seconds, 0).UTC(), nil // as in the attribute updated_at
		}
		at, err := time.Parse(time.RFC3339, text)
		at = at.UTC().Truncate(time.Microsecond)
		return at, unless(err != nil || at.Year() < 1 || at.Year() > 9999)
	case JSON:
		return json.RawMessage(text), unless(!json.Valid([]byte(text)) || !storableJSON(text))
	case Integer:
		n, err := strconv.ParseInt(text, 10, 32)
		return int32(n), unless(err != nil)
	case Date:
		at, err := time.Parse(time.DateOnly, text)
		return text, unless(err != nil || at.Year() < 1) // PostgreSQL has no year 0
	}
	return nil, errKind
}

func unless(fault bool) error {
	if fault {
		return errKind
	}
	return nil
}

// decode returns the value of JSON that encoding/json made of a value of the kind.
func (k Kind) decode(raw json.RawMessage) (any, error) {
	switch k {
	case JSON:
		return raw, nil
	case Boolean:
		return decode[bool](raw)
	case Timestamp:
		return decode[time.Time](raw)
	case Integer:
		return decode[int32](raw)
	}
	value, err := decode[string](raw)
	if text, ok := value.(string); ok && err == nil {
		return k.parse(text)
	}
	return nil, errKind
}

func decode[T any](raw json.RawMessage) (any, error) {
	var value T
	if json.Unmarshal(raw, &value) != nil {
		return nil, errKind
	}
	return value, nil
}

// fits reports whether a value has the Go type of the kind.
func (k Kind) fits(value any) bool {
	switch value.(type) {
	case string:
		return k == Text || k == UUID || k == Date
	case bool:
		return k == Boolean
	case time.Time:
		return k == Timestamp
	case json.RawMessage:
		return k == JSON
	case int32:
		return k == Integer
	}
	return false
}

// storable reports whether PostgreSQL can store a text: it cannot store U+0000.
func storable(text string) bool { return strings.IndexByte(text, 0) < 0 }

// storableJSON reports the same of JSON, in which U+0000 is escaped.
func storableJSON(text string) bool {
	for i := strings.Index(text, `\u0000`); i >= 0; {
		// An even number of backslashes before it means that it is not an escape.
		backslashes := len(text[:i]) - len(strings.TrimRight(text[:i], `\`))
		if backslashes%2 == 0 {
			return false
		}
		next := strings.Index(text[i+1:], `\u0000`)
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return true
}

// IsUUID reports whether text has the form of a UUID. The version digit may be anything:
// the subs of newer pools have one that RFC 4122 does not define.
func IsUUID(text string) bool {
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
