package users

import (
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"time"
)

// A Row is one user's row: the values of its columns, by name. A column without a value is
// absent. Logs and formatted text have a Row's key and nothing else.
type Row map[string]any

// ErrNoUUID is the error for a user whose sub cannot be the key of a row.
var ErrNoUUID = errors.New("the sub is not a UUID")

// RowOf returns the row that a sync writes. dropped names the attributes whose values are
// left out because their column cannot store them. The error is [ErrNoUUID].
func RowOf(s Sync) (r Row, dropped []string, err error) {
	if !IsUUID(s.User.ID) {
		return nil, nil, ErrNoUUID
	}
	r = make(Row, len(Table))
	for _, c := range Table {
		value, names := c.Source(s)
		dropped = append(dropped, names...)
		if value != nil {
			r[c.Name] = value
		}
	}
	slices.Sort(dropped)
	return r, dropped, nil
}

// Key returns the user's key, which is the sub.
func (r Row) Key() string { return r.text(KeyColumn) }

// SyncedAt returns when the event behind the row came in. It is zero if the row lacks it.
func (r Row) SyncedAt() time.Time { return r.time(SyncedAtColumn) }

// SignedInAt returns when the user signed in. It is zero if the event was not a sign-in.
func (r Row) SignedInAt() time.Time { return r.time(SignInColumn) }

// Columns returns the columns that the row has a value for, in the order of the table,
// without the key. An upsert overwrites these and no others.
func (r Row) Columns() []string {
	columns := make([]string, 0, len(r))
	for _, c := range Table {
		if _, ok := r[c.Name]; ok && c.Name != KeyColumn {
			columns = append(columns, c.Name)
		}
	}
	return columns
}

// Cap sets times of the row that are later than limit to limit.
func (r Row) Cap(limit time.Time) {
	for name, value := range r {
		if at, ok := value.(time.Time); ok && at.After(limit) {
			r[name] = limit.UTC().Truncate(time.Microsecond)
		}
	}
}

// UnmarshalJSON reads an object of columns, as encoding/json writes a Row. Columns that the
// table does not have are left out. Its errors quote nothing of the input.
func (r *Row) UnmarshalJSON(data []byte) error {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil {
		return errors.New("the row is not a JSON object")
	}
	*r = make(Row, len(object))
	for name, raw := range object {
		c := column(name)
		if c == nil || string(raw) == "null" {
			continue
		}
		value, err := c.Kind.decode(raw)
		if err != nil {
			return errors.New("the column " + c.Name + " is not of type " + string(c.Kind))
		}
		(*r)[name] = value
	}
	return nil
}

func (k Kind) decode(raw json.RawMessage) (any, error) {
	switch k {
	case JSON:
		return raw, nil
	case Boolean:
		return decode[bool](raw)
	case Timestamp:
		return decode[time.Time](raw)
	}
	return decode[string](raw)
}

func decode[T any](raw json.RawMessage) (any, error) {
	var value T
	err := json.Unmarshal(raw, &value)
	return value, err
}

// LogValue keeps everything but the key out of logs.
func (r Row) LogValue() slog.Value { return slog.StringValue(r.Key()) }

// String keeps everything but the key out of formatted text.
func (r Row) String() string { return r.Key() }

// GoString does what String does, so that %#v does not print more than %v.
func (r Row) GoString() string { return r.Key() }

func (r Row) text(name string) string {
	text, _ := r[name].(string)
	return text
}

func (r Row) time(name string) time.Time {
	at, _ := r[name].(time.Time)
	return at
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
