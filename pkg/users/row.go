package users

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// A Row is what a sync writes into one user's row. Logs and formatted text have the Sub of
// a Row and nothing else. As JSON it is the object for Hasura.
type Row struct {
	Table *Table
	Sub   string
	Key   string // the value of the table's key
	// SyncedAt is when the event came in, SignedInAt the same if it is a sign-in, else zero.
	SyncedAt, SignedInAt time.Time
	// Values has the values of the other columns. A column without a value is absent.
	Values map[string]any
	// Defaults has values that are written if the row is inserted, and not if it is updated.
	Defaults map[string]any
}

// Errors of [Table.Row]: such a user has no row.
var (
	ErrKey      = errors.New("the user's id does not fit the key")
	ErrRequired = errors.New("a required column has no value")
)

// Row returns the row that a sync writes. dropped names the columns whose values do not
// fit, and column.member for a member of a JSON object. The errors are [ErrKey] and
// [ErrRequired].
func (t *Table) Row(s Sync) (r Row, dropped []string, err error) {
	r = Row{Table: t, Sub: s.User.ID, Values: make(map[string]any, len(t.Columns))}
	for i := range t.Columns {
		c := &t.Columns[i]
		value, names := c.value(s)
		dropped = append(dropped, names...)
		switch {
		case c.Name == t.Key:
			key, ok := value.(string)
			if !ok || s.User.ID == "" || !t.IsKey(key) {
				return Row{}, nil, ErrKey
			}
			r.Key = key
		case c.Name == t.SyncedAt:
			r.SyncedAt, _ = value.(time.Time)
		case c.Name == t.SignedInAt:
			r.SignedInAt, _ = value.(time.Time)
		case value != nil:
			r.Values[c.Name] = value
		case c.Required:
			return Row{}, nil, fmt.Errorf("%w: %s", ErrRequired, c.Name)
		case c.Default != nil:
			if r.Defaults == nil {
				r.Defaults = make(map[string]any)
			}
			r.Defaults[c.Name] = c.Default
		}
	}
	slices.Sort(dropped)
	return r, dropped, nil
}

// value returns the column's value, or nil, and what does not fit.
func (c *Column) value(s Sync) (value any, dropped []string) {
	value, parts := c.Source.read(s)
	for _, part := range parts {
		if part == "" {
			dropped = append(dropped, c.Name)
		} else {
			dropped = append(dropped, c.Name+"."+part)
		}
	}
	if text, ok := value.(string); ok {
		var err error
		if value, err = c.Kind.parse(text); err != nil {
			return nil, append(dropped, c.Name)
		}
	}
	if value != nil && !c.Kind.fits(value) {
		return nil, append(dropped, c.Name)
	}
	return value, dropped
}

// Cap sets times of the row that are later than limit to limit.
func (r *Row) Cap(limit time.Time) {
	for _, at := range []*time.Time{&r.SyncedAt, &r.SignedInAt} {
		if at.After(limit) {
			*at = microseconds(limit)
		}
	}
}

// Columns returns the columns that an upsert overwrites, in the order of the table: those
// that the row has a value for, without the key. Values that are nil count: Hasura writes
// NULL.
func (r Row) Columns() []string {
	columns := make([]string, 0, len(r.Table.Columns)+2)
	for i := range r.Table.Columns {
		c := &r.Table.Columns[i]
		if _, ok, isDefault := r.value(c); ok && !isDefault && c.Name != r.Table.Key {
			columns = append(columns, c.Name)
		}
	}
	for _, name := range r.Table.marks() {
		if _, ok := r.Values[name]; ok {
			columns = append(columns, name)
		}
	}
	return columns
}

// value returns the value of a column, whether the row has one, and whether it is only the
// default.
func (r Row) value(c *Column) (value any, ok, isDefault bool) {
	switch c.Name {
	case r.Table.Key:
		return r.Key, true, false
	case r.Table.SyncedAt:
		return r.SyncedAt, !r.SyncedAt.IsZero(), false
	case r.Table.SignedInAt:
		return r.SignedInAt, !r.SignedInAt.IsZero(), false
	}
	if value, ok := r.Values[c.Name]; ok {
		return value, true, false
	}
	value, ok = r.Defaults[c.Name]
	return value, ok, true
}

// MarshalJSON returns the object for Hasura. It does not build a map of all values first,
// which would be the largest part of a warm sync's own work.
func (r Row) MarshalJSON() ([]byte, error) {
	object := make([]byte, 0, 512)
	add := func(name string, value any) error {
		data, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("encode the column %s: %w", name, err)
		}
		separator := byte(',')
		if len(object) == 0 {
			separator = '{'
		}
		object = append(object, separator, '"')
		object = append(object, name...)
		object = append(object, `":`...)
		object = append(object, data...)
		return nil
	}
	for i := range r.Table.Columns {
		c := &r.Table.Columns[i]
		if value, ok, _ := r.value(c); ok {
			if err := add(c.Name, value); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range r.Table.marks() {
		if value, ok := r.Values[name]; ok {
			if err := add(name, value); err != nil {
				return nil, err
			}
		}
	}
	if len(object) == 0 {
		return []byte("{}"), nil
	}
	return append(object, '}'), nil
}

// LogValue keeps everything but the sub out of logs.
func (r Row) LogValue() slog.Value { return slog.StringValue(r.Sub) }

// String keeps everything but the sub out of formatted text.
func (r Row) String() string { return r.Sub }

// GoString does what String does, so that %#v does not print more than %v.
func (r Row) GoString() string { return r.Sub }

// Decode reads values that were encoded as JSON, by column. dropped names the columns that
// the table does not have, or has with another kind.
func (t *Table) Decode(columns map[string]json.RawMessage) (values map[string]any, dropped []string) {
	values = make(map[string]any, len(columns))
	for name, raw := range columns {
		if string(raw) == "null" {
			continue
		}
		c := t.column(name)
		if c == nil {
			dropped = append(dropped, name)
			continue
		}
		value, err := c.Kind.decode(raw)
		if err != nil {
			dropped = append(dropped, name)
			continue
		}
		values[name] = value
	}
	slices.Sort(dropped)
	return values, dropped
}
