package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const introspection = `{
  row: __type(name: "users") { fields { name type { kind ofType { kind } } } }
  insert: __type(name: "users_insert_input") { inputFields { name } }
  update: __type(name: "users_update_column") { enumValues { name } }
  constraint: __type(name: "users_constraint") { enumValues { name description } }
  mutation: __type(name: "mutation_root") { fields { name args { name } } }
}`

// A schema is what introspection tells about the users table.
type schema struct {
	Row *struct {
		Fields []struct {
			Name string
			Type struct {
				Kind   string
				OfType *struct{ Kind string }
			}
		}
	}
	Insert, Update, Constraint *struct{ InputFields, EnumValues []named }
	Mutation                   *struct {
		Fields []struct {
			Name string
			Args []named
		}
	}
}

type named struct{ Name, Description string }

const keyConstraint = "users_pkey"

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
	if p := c.query(ctx, header, introspection, &s); p != nil {
		if p.code == "access-denied" {
			p.hint = "the secret's admin secret is not Hasura's. Put the right one into the secret"
		}
		d.report.add(check, Fail, p.found, p.hint)
		return
	}
	missing := s.missing()
	switch {
	case s.hasMutation("insertUsersOne") && !s.hasMutation("insert_users_one"):
		d.report.add(check, Fail, "Hasura names its fields by the convention graphql-default: insertUsersOne instead of insert_users_one",
			"set naming_convention of the database to hasura-default in the metadata, or HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION")
		return
	case len(missing) > 0:
		d.report.add(check, Fail, who+" lacks "+strings.Join(missing, ", "), "apply the migrations and the metadata of graphql/hasura, or adapt them: docs/hasura.md")
		return
	}
	d.report.ok(check, who+" can write every column")
	if c.role != "" { // the role sees only some columns
		if p := c.query(ctx, nil, introspection, &s); p != nil {
			d.report.add("constraints", Unknown, p.found, p.hint)
			return
		}
	}
	d.constraints(s)
	d.required(s)
}

func (s schema) hasMutation(name string, args ...string) bool {
	if s.Mutation == nil {
		return false
	}
	for _, f := range s.Mutation.Fields {
		if f.Name == name {
			return !slices.ContainsFunc(args, func(arg string) bool { return !has(f.Args, arg) })
		}
	}
	return false
}

func has(list []named, name string) bool {
	return slices.ContainsFunc(list, func(n named) bool { return n.Name == name })
}

// missing returns what the upsert needs and the schema lacks.
func (s schema) missing() (names []string) {
	if !s.hasMutation("insert_users_one", "on_conflict") {
		names = append(names, "insert_users_one with on_conflict")
	}
	if s.Constraint == nil || !has(s.Constraint.EnumValues, keyConstraint) {
		names = append(names, "the constraint "+keyConstraint)
	}
	for _, column := range users.Description.Columns {
		if s.Insert == nil || !has(s.Insert.InputFields, column.Name) ||
			column.Name != users.Description.Key && (s.Update == nil || !has(s.Update.EnumValues, column.Name)) {
			names = append(names, "the column "+column.Name)
		}
	}
	return names
}

// constraints warns of unique constraints beside the key. Two users of a pool can have one e-mail address.
func (d *doctor) constraints(s schema) {
	const check = "unique constraints"
	var found []string
	for _, c := range s.Constraint.EnumValues {
		if c.Name != keyConstraint && concernsSync(c.Description) {
			found = append(found, strings.TrimSuffix(fmt.Sprintf("%s (%s)", c.Name, c.Description), " ()"))
		}
	}
	if len(found) == 0 {
		d.report.ok(check, "none beside the key")
		return
	}
	d.report.add(check, Warn, "users has "+strings.Join(found, ", "),
		"drop them: users of one pool can share an e-mail address or a phone number. The sync of the second user fails: docs/troubleshooting.md#constraint-violation")
}

// concernsSync reports whether a sync writes a column of a constraint. Hasura's description names them, such as
// unique or primary key constraint on columns "email".
func concernsSync(description string) bool {
	return description == "" || slices.ContainsFunc(users.Description.Columns, func(c users.Column) bool { return strings.Contains(description, `"`+c.Name+`"`) })
}

// required warns of NOT NULL columns for which an event may have no value. Whether a column has a default, GraphQL does not tell.
func (d *doctor) required(s schema) {
	const check = "NOT NULL columns"
	safe := []string{users.Description.Key, users.Description.SyncedAt, "username", // every event has them
		"attributes", "created_at", "updated_at"} // our migration gives them defaults
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
