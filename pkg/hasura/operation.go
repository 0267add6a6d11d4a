package hasura

import (
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

// A filter is a boolean expression of Hasura, such as a value of users_bool_exp.
type filter map[string]any

// clockSkew is how far in the future the time of a row's last sync may be. A later one
// comes from a wrong clock, and would keep every event out until then.
const clockSkew = 5 * time.Minute

// olderThan matches a row that the sync r may overwrite: one that an older event wrote, or
// no event.
func olderThan(r users.Row) filter {
	future := time.Now().Add(clockSkew).UTC().Truncate(time.Second)
	return filter{"_or": []filter{
		{r.Table.SyncedAt: filter{"_lt": r.SyncedAt}},
		{r.Table.SyncedAt: filter{isNull(): true}},
		{r.Table.SyncedAt: filter{"_gt": future}},
	}}
}

// signedInBefore matches a row whose user signed in before the sign-in r, or never.
func signedInBefore(r users.Row) filter {
	return filter{"_or": []filter{
		{r.Table.SignedInAt: filter{"_lt": r.SignedInAt}},
		{r.Table.SignedInAt: filter{isNull(): true}},
	}}
}

// isNull is the name of an operator that depends on Hasura's naming convention, which the
// enum of columns shows.
func isNull() string {
	if len(Allcolumn) > 0 && strings.ToUpper(string(Allcolumn[0])) == string(Allcolumn[0]) {
		return "_isNull"
	}
	return "_is_null"
}
