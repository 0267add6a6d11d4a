package users

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Stored is a row as Hasura returned it; nil is none. A map would cost a reconcile without
// differences a tenth more CPU time.
type Stored []Value

// A Value is what a row has in a column, in JSON.
type Value struct {
	Column string
	JSON   json.RawMessage
}

// UnmarshalJSON reads an object. encoding/json has checked its syntax before. To decode it
// by reflection would be the largest part of a reconcile without differences.
func (s *Stored) UnmarshalJSON(data []byte) error {
	data = bytes.Clone(data)
	row := make(Stored, 0, len(Description.Columns)+2)
	i := 1 // after the brace
	for {
		start := bytes.IndexByte(data[i:], '"')
		if start < 0 {
			break
		}
		start += i
		end := skip(data, start)
		colon := end + bytes.IndexByte(data[end:], ':') + 1
		for data[colon] == ' ' || data[colon] == '\n' || data[colon] == '\t' || data[colon] == '\r' {
			colon++
		}
		i = skip(data, colon)
		name := data[start+1 : end-1]
		row = append(row, Value{intern(name, len(row)), data[colon:i:i]})
	}
	*s = row
	return nil
}

// intern returns the name of a column, without a new copy for each row. Rows mostly have the
// columns in the order of the description.
func intern(name []byte, i int) string {
	if i < len(Description.Columns) && Description.Columns[i].Name == string(name) {
		return Description.Columns[i].Name
	}
	for i := range Description.Columns {
		if Description.Columns[i].Name == string(name) {
			return Description.Columns[i].Name
		}
	}
	return string(name)
}

// skip returns the end of the JSON value that begins at i.
func skip(data []byte, i int) int {
	depth := 0
	for ; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 {
				return i // the end of the object around a number or a literal
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// Get returns the value in a column, or nil.
func (s Stored) Get(column string) json.RawMessage {
	for i := len(s) - 1; i >= 0; i-- { // as encoding/json, which lets the last one count
		if s[i].Column == column {
			return s[i].JSON
		}
	}
	return nil
}

// Text returns the text in a column, or "".
func (s Stored) Text(column string) string {
	text, _ := unquote(s.Get(column))
	return text
}

// Time returns the time in a column, or the zero time.
func (s Stored) Time(column string) time.Time {
	text, _ := unquote(s.Get(column))
	at, _ := time.Parse(time.RFC3339, text)
	return at
}

// Mirror returns the row that makes the row of a user equal to the pool. It is like the row
// of [Table.Row] for a user with all attributes: each column has a value, and that of an
// attribute that the user does not have is the column's default, an empty object, or nil.
// The row has no sign-in time. Its SyncedAt is s.At.
func (t *Table) Mirror(s Sync, enabled bool) (r Row, dropped []string, err error) {
	s.SignedIn = false
	if r, dropped, err = t.Row(s); err != nil {
		return Row{}, dropped, err
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if _, ok := r.Values[c.Name]; !ok && t.isPersonal(c.Name) {
			r.Values[c.Name] = c.empty()
		}
	}
	r.Defaults = nil
	if t.Enabled != "" {
		r.Values[t.Enabled] = enabled
	}
	if t.DeletedAt != "" {
		r.Values[t.DeletedAt] = nil
	}
	return r, dropped, nil
}

// Differences returns the columns in which a stored row differs from a row of
// [Table.Mirror], in the order of the table.
func (t *Table) Differences(r Row, stored Stored) (columns []string) {
	for i := range t.Columns {
		c := &t.Columns[i]
		if value, ok := r.Values[c.Name]; ok && !c.Kind.equal(value, stored.Get(c.Name)) {
			columns = append(columns, c.Name)
		}
	}
	if t.Enabled != "" && !Boolean.equal(r.Values[t.Enabled], stored.Get(t.Enabled)) {
		columns = append(columns, t.Enabled)
	}
	if t.DeletedAt != "" && !isNull(stored.Get(t.DeletedAt)) {
		columns = append(columns, t.DeletedAt)
	}
	return columns
}

// Erased returns the values that empty the row of a user who is gone, by column. The key,
// the column Sub and the time of the last sync are not in it.
func (t *Table) Erased() map[string]any {
	values := make(map[string]any, len(t.Columns))
	for i := range t.Columns {
		if c := &t.Columns[i]; t.isPersonal(c.Name) {
			values[c.Name] = c.empty()
		}
	}
	if t.SignedInAt != "" {
		values[t.SignedInAt] = nil
	}
	return values
}

// IsErased reports whether a stored row has no values but those of [Table.Erased]. The time
// of the last sign-in does not count.
func (t *Table) IsErased(stored Stored) bool {
	return !slices.ContainsFunc(t.Columns, func(c Column) bool {
		return t.isPersonal(c.Name) && !c.Kind.equal(c.empty(), stored.Get(c.Name))
	})
}

// isPersonal reports whether a column says more about the user than who it is and when the
// row was written.
func (t *Table) isPersonal(name string) bool {
	return name != t.Key && name != t.Sub && name != t.SyncedAt && name != t.SignedInAt
}

// WritesNull reports whether [Table.Mirror] and [Table.Erased] write NULL into a column for a
// user without the attributes.
func (t *Table) WritesNull(column string) bool {
	c := t.column(column)
	return c != nil && t.isPersonal(column) && c.empty() == nil
}

// empty returns the value of a user without the attributes.
func (c *Column) empty() any {
	switch {
	case c.Default != nil:
		return c.Default
	case c.Source.isObject:
		return json.RawMessage("{}")
	}
	return nil
}

// equal reports whether a stored value is the value of a column of the kind.
func (k Kind) equal(value any, stored json.RawMessage) bool {
	if value == nil || isNull(stored) {
		return value == nil && isNull(stored)
	}
	switch value := value.(type) {
	case string:
		text, ok := unquote(stored)
		return ok && (text == value || k == UUID && strings.EqualFold(text, value))
	case bool:
		return string(stored) == strconv.FormatBool(value)
	case int32:
		return string(stored) == strconv.Itoa(int(value))
	case time.Time:
		text, _ := unquote(stored)
		at, err := time.Parse(time.RFC3339, text)
		return err == nil && at.Equal(value)
	case json.RawMessage:
		return equalJSON(value, stored)
	}
	return false
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// unquote returns the text of a JSON string.
func unquote(raw json.RawMessage) (text string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	return text, json.Unmarshal(raw, &text) == nil
}

// equalJSON reports whether two values are equal as jsonb: without the order of members,
// and with numbers by their value.
func equalJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, okX := decodeNumbers(a)
	y, okY := decodeNumbers(b)
	return okX && okY && equalValues(x, y)
}

func decodeNumbers(raw json.RawMessage) (value any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return value, d.Decode(&value) == nil
}

func equalValues(x, y any) bool {
	switch x := x.(type) {
	case map[string]any:
		y, ok := y.(map[string]any)
		return ok && maps.EqualFunc(x, y, equalValues)
	case []any:
		y, ok := y.([]any)
		return ok && slices.EqualFunc(x, y, equalValues)
	case json.Number:
		y, ok := y.(json.Number)
		return ok && (x == y || equalNumbers(string(x), string(y)))
	}
	return x == y
}

// equalNumbers compares two numbers that are written differently. PostgreSQL stores no
// number with more digits than maxDigits.
func equalNumbers(x, y string) bool {
	const maxDigits = 200_000
	a, b := new(big.Rat), new(big.Rat)
	for _, n := range []string{x, y} {
		if _, exponent, _ := strings.Cut(strings.ToLower(n), "e"); exponent != "" {
			if e, err := strconv.Atoi(exponent); err != nil || e > maxDigits || e < -maxDigits {
				return false
			}
		}
	}
	_, okA := a.SetString(x)
	_, okB := b.SetString(y)
	return okA && okB && a.Cmp(b) == 0
}
