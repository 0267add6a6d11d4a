// Package users describes the users table in Hasura: its columns, and where the value of
// each column comes from. Everything that knows columns follows from [Description].
package users

import (
	"strings"
	"unicode"
)

// A Table describes a users table. Columns are named as in Hasura's GraphQL schema: under
// the naming convention graphql-default a column synced_at has the name syncedAt.
type Table struct {
	// Key is the column that identifies the user, and that the constraint in
	// graphql/upsertUser.graphql is on. Its source is [Sub] or [UserID]. It is never
	// overwritten.
	Key string
	// Sub is the column that holds the sub; "" if there is none.
	Sub string
	// SyncedAt is the column whose source is [SyncTime]. A row is only overwritten by an
	// event that came in later.
	SyncedAt string
	// SignedInAt is the column whose source is [SignInTime]; "" if there is none.
	SignedInAt string
	// Enabled is the boolean column that says whether the user is enabled in the pool, and
	// DeletedAt the timestamptz column that says when the user was found to be gone; "" if
	// there is none. No sync writes them: reconcile and follow do.
	Enabled, DeletedAt string
	// Columns are the columns that a sync writes. Other columns of the table stay as they
	// are.
	Columns []Column
}

// A Column is one column of the table.
type Column struct {
	Name   string
	Kind   Kind
	Source Source
	// Default is written when a row is inserted and the source has no value, for a column
	// that is NOT NULL without a default in the database. It never overwrites a value. nil
	// means that there is none.
	Default any
	// Required leaves out the whole user until the source has a value.
	Required bool
}

// WithoutMarks returns the table without the columns Enabled and DeletedAt, for a database
// that lacks them.
func (t *Table) WithoutMarks() *Table {
	plain := *t
	plain.Enabled, plain.DeletedAt = "", ""
	return &plain
}

// marks returns the names of the columns Enabled and DeletedAt.
func (t *Table) marks() []string {
	names := make([]string, 0, 2)
	for _, name := range []string{t.Enabled, t.DeletedAt} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// KeyIsSub reports whether the key's value is the sub for every user.
func (t *Table) KeyIsSub() bool {
	c := t.column(t.Key)
	return c != nil && c.Source.Name == Sub.Name
}

// KindOf returns the kind of a column, or "" if the table has no such column.
func (t *Table) KindOf(column string) Kind {
	if c := t.column(column); c != nil {
		return c.Kind
	}
	return ""
}

// IsKey reports whether a text fits the key. The key is also sent as x-hasura-user-id, and
// a header cannot carry a control character.
func (t *Table) IsKey(text string) bool {
	c := t.column(t.Key)
	if c == nil || text == "" || strings.ContainsFunc(text, unicode.IsControl) {
		return false
	}
	_, err := c.Kind.parse(text)
	return err == nil
}

// column returns the column with a name, or nil.
func (t *Table) column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}
