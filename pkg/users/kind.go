package users

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
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
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 0 && n < 1<<35*1000 {
			if n < 1<<35 {
				return time.Unix(n, 0).UTC(), nil
			}
			return time.UnixMilli(n).UTC(), nil // as Cognito sends updated_at
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

// storableJSON reports whether jsonb can store valid JSON. It cannot store U+0000 and a half of
// a surrogate pair, which JSON has as escapes, and very large or small numbers.
func storableJSON(text string) bool {
	inString := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			inString = !inString
		case inString && c == '\\':
			i++
			if text[i] != 'u' {
				continue
			}
			switch first, second := escaped(text[i-1:]), escaped(text[i+5:]); {
			case first == 0, utf16.IsSurrogate(first) && utf16.DecodeRune(first, second) == unicode.ReplacementChar:
				return false
			case utf16.IsSurrogate(first):
				i += 6 // the second half
			}
			i += 4
		case !inString && (c == 'e' || c == 'E') && '0' <= text[i-1] && text[i-1] <= '9':
			const most = 10_000 // PostgreSQL takes more, depending on the digits before the exponent
			digits := strings.TrimLeft(text[i+1:], "+-")
			n, _ := strconv.Atoi(digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789"))]) // the largest int if it is larger
			if n > most {
				return false
			}
		}
	}
	return true
}

// escaped returns the UTF-16 code unit of an escape at the beginning of a text, such as
// \u0041, or -1.
func escaped(text string) rune {
	if len(text) < 6 || text[:2] != `\u` {
		return -1
	}
	unit, err := strconv.ParseUint(text[2:6], 16, 16)
	if err != nil {
		return -1
	}
	return rune(unit)
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
