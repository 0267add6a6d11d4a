package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A schema is what introspection tells about the users table.
type schema struct {
	Schema struct {
		MutationType *struct {
			Fields []struct {
				Name string
				Args []named
			}
		}
	} `json:"__schema"`
	Row *struct {
		Fields []struct {
			Name string
			Type struct {
				Kind   string
				OfType *struct{ Kind string }
			}
		}
	}
	Insert, Update, Constraint struct{ InputFields, EnumValues []named }
}

type named struct {
	Name, Description string
	Type              struct{ Name string }
}

// table checks that the sync's role can write the users table, and that no constraint of the table refuses users.
func (d *doctor) table(ctx context.Context, c caller) {
	const check = "users table"
	who, header := "admin", http.Header{}
	if c.role != "" {
		who = "the role " + c.role
		header.Set("X-Hasura-Role", c.role)
		header.Set("X-Hasura-Use-Backend-Only-Permissions", "true")
		header.Set("X-Hasura-User-Id", "00000000-0000-0000-0000-000000000000")
	}
	var s schema
	if p := c.query(ctx, header, upsert.introspection(), &s); p != nil {
		if p.code == "access-denied" {
			p.hint = "the secret's admin secret is not Hasura's. Put the right one into the secret"
		}
		d.report.add(check, Fail, p.found, p.hint)
		return
	}
	missing := s.missing()
	switch camel := camelCase(upsert.root); {
	case !s.hasMutation(upsert.root) && s.hasMutation(camel):
		d.report.add(check, Fail, fmt.Sprintf("Hasura names its fields by the convention graphql-default: %s instead of %s", camel, upsert.root),
			"set naming_convention of the database to hasura-default in the metadata, or HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION. Or adapt graphql/: docs/own-table.md")
		return
	case len(missing) > 0:
		d.report.add(check, Fail, who+" lacks "+strings.Join(missing, ", "), "apply the migrations and the metadata of graphql/hasura: docs/hasura.md. For a table of your own, see docs/own-table.md")
		return
	}
	d.report.ok(check, who+" can write every column")
	if c.role != "" { // the role sees only some columns
		if p := c.query(ctx, nil, upsert.introspection(), &s); p != nil {
			d.report.add("constraints", Unknown, p.found, p.hint)
			return
		}
	}
	d.constraints(s)
	d.required(s)
}

func (s schema) hasMutation(name string, args ...string) bool {
	if s.Schema.MutationType == nil {
		return false
	}
	for _, f := range s.Schema.MutationType.Fields {
		if f.Name == name {
			return !slices.ContainsFunc(args, func(arg string) bool { return find(f.Args, arg) == nil })
		}
	}
	return false
}

// find returns the item with a name, or nil. An enum value of graphql-default such as SYNCED_AT has the name syncedAt.
func find(list []named, name string) *named {
	plain := func(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "") }
	i := slices.IndexFunc(list, func(n named) bool { return plain(n.Name) == plain(name) })
	if i < 0 {
		return nil
	}
	return &list[i]
}

func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words {
		if i > 0 && word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// scalars are the GraphQL types of each kind, without regard to case.
var scalars = map[users.Kind][]string{
	users.Text: {"string", "citext", "bpchar"}, users.Boolean: {"boolean"}, users.UUID: {"uuid"}, users.JSON: {"jsonb", "json"},
	users.Timestamp: {"timestamptz", "timestamp"}, users.Integer: {"int", "bigint", "smallint"}, users.Date: {"date"},
}

// missing returns what the upsert needs and the schema lacks.
func (s schema) missing() (names []string) {
	if !s.hasMutation(upsert.root, upsert.onConflict) {
		names = append(names, upsert.root+" with "+upsert.onConflict)
	}
	if find(s.Constraint.EnumValues, upsert.constraint) == nil {
		names = append(names, "the constraint "+upsert.constraint)
	}
	for _, column := range users.Description.Columns {
		input := find(s.Insert.InputFields, column.Name)
		if input == nil || column.Name != users.Description.Key && find(s.Update.EnumValues, column.Name) == nil {
			names = append(names, "the column "+column.Name)
			continue
		}
		is := strings.ToLower(input.Type.Name)
		for kind, types := range scalars { // a type that is in no list may fit, such as an enum of PostgreSQL
			if kind != column.Kind && slices.Contains(types, is) {
				names = append(names, fmt.Sprintf("the column %s with the type %s (it has %s)", column.Name, column.Kind, is))
			}
		}
	}
	return names
}

// constraints warns of unique constraints beside the key. Two users of a pool can have one e-mail address.
func (d *doctor) constraints(s schema) {
	const check = "unique constraints"
	var found []string
	for _, c := range s.Constraint.EnumValues {
		if c.Name != upsert.constraint && concernsSync(c.Description) {
			found = append(found, strings.TrimSuffix(fmt.Sprintf("%s (%s)", c.Name, c.Description), " ()"))
		}
	}
	if len(found) == 0 {
		d.report.ok(check, "none beside the key")
		return
	}
	d.report.add(check, Warn, "the table has "+strings.Join(found, ", "),
		"drop them: users of one pool can share an e-mail address or a phone number. The sync of the second user fails: docs/troubleshooting.md#constraint-violation")
}

// concernsSync reports whether a sync writes a column of a constraint. Hasura's description names them, such as
// unique or primary key constraint on columns "email".
func concernsSync(description string) bool {
	return description == "" || slices.ContainsFunc(users.Description.Columns, func(c users.Column) bool {
		return strings.Contains(description, `"`+c.Name+`"`)
	})
}

// required warns of NOT NULL columns for which an event may have no value. GraphQL does not tell whether a column has a default.
func (d *doctor) required(s schema) {
	const check = "NOT NULL columns"
	safe := []string{"attributes", "created_at", "updated_at"} // our migration gives them defaults
	always := []string{users.Sub.Name, users.UserID.Name, users.Username.Name, users.SyncTime.Name}
	for _, c := range users.Description.Columns {
		if c.Default != nil || c.Required || slices.Contains(always, c.Source.Name) {
			safe = append(safe, c.Name)
		}
	}
	var found []string
	if s.Row != nil {
		for _, f := range s.Row.Fields {
			t := f.Type
			if t.Kind == "NON_NULL" && t.OfType != nil && (t.OfType.Kind == "SCALAR" || t.OfType.Kind == "ENUM") && !slices.Contains(safe, f.Name) {
				found = append(found, f.Name)
			}
		}
	}
	if len(found) == 0 {
		d.report.ok(check, "every event can fill them")
		return
	}
	d.report.add(check, Warn, strings.Join(found, ", "),
		"an event may have no value for them. The sync then fails, unless the column has a default. Allow NULL, or set a default: docs/troubleshooting.md#constraint-violation")
}
