package hasura

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// Upsert is the text of the mutation that writes a user row. Its names say what Hasura's
// schema must have.
const Upsert = upsertUser_Operation

// columnsOf returns the columns that an upsert of the row overwrites, as Hasura's enum has
// them.
func columnsOf(r users.Row) []column {
	names := r.Columns()
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = updateColumn(name)
	}
	return columns
}

// updateColumn returns the enum value of a column. Under the naming convention
// graphql-default a field syncedAt has the enum value SYNCED_AT. A column that the schema
// does not have is returned as it is; Hasura's error then names it.
func updateColumn(name string) column {
	for _, c := range Allcolumn {
		if string(c) == name {
			return c
		}
	}
	for _, c := range Allcolumn {
		if strings.EqualFold(strings.ReplaceAll(string(c), "_", ""), strings.ReplaceAll(name, "_", "")) {
			return c
		}
	}
	return column(name)
}

// clockSkew is how far in the future the time of a row's last sync may be. A later one
// comes from a wrong clock, and would keep every event out until then.
const clockSkew = 5 * time.Minute

// olderThan is a condition (users_bool_exp) that matches a row that a sync or a reconcile
// at a time may overwrite: one that was last written at an earlier time, or never.
func olderThan(t *users.Table, at time.Time) json.RawMessage {
	column, name := t.SyncedAt, isNull()
	return fmt.Appendf(nil, `{"_or":[{%q:{"_lt":%q}},{%q:{%q:true}},{%q:{"_gt":%q}}]}`,
		column, timestamp(at), column, name, column, timestamp(time.Now().Add(clockSkew).Truncate(time.Second)))
}

// signedInBefore is a condition that matches a row whose user signed in before the sign-in
// r, or never. It does not match the row of a user who is gone: no message from before may
// bring a value back.
func signedInBefore(r users.Row) json.RawMessage {
	at, gone := r.Table.SignedInAt, ""
	if r.Table.DeletedAt != "" {
		gone = fmt.Sprintf(`,%q:{%q:true}`, r.Table.DeletedAt, isNull())
	}
	return fmt.Appendf(nil, `{"_or":[{%q:{"_lt":%q}},{%q:{%q:true}}]%s}`, at, timestamp(r.SignedInAt), at, isNull(), gone)
}

func timestamp(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// isNull is the name of an operator that depends on Hasura's naming convention, which the
// enum of columns shows.
func isNull() string {
	if len(Allcolumn) > 0 && strings.ToUpper(string(Allcolumn[0])) == string(Allcolumn[0]) {
		return "_isNull"
	}
	return "_is_null"
}
