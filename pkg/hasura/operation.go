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

// olderThan is a condition (users_bool_exp) that matches a row that the sync r may
// overwrite: one that an older event wrote, or no event.
func olderThan(r users.Row) json.RawMessage {
	at, name := r.Table.SyncedAt, isNull()
	return fmt.Appendf(nil, `{"_or":[{%q:{"_lt":%q}},{%q:{%q:true}},{%q:{"_gt":%q}}]}`,
		at, timestamp(r.SyncedAt), at, name, at, timestamp(time.Now().Add(clockSkew).Truncate(time.Second)))
}

// signedInBefore is a condition that matches a row whose user signed in before the sign-in
// r, or never.
func signedInBefore(r users.Row) json.RawMessage {
	at := r.Table.SignedInAt
	return fmt.Appendf(nil, `{"_or":[{%q:{"_lt":%q}},{%q:{%q:true}}]}`, at, timestamp(r.SignedInAt), at, isNull())
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
