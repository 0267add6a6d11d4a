package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// upsert has the names that Hasura's schema must have.
var upsert = graphql.Users

// introspection asks for everything that the upsert needs.
func introspection() string {
	return fmt.Sprintf(`{
  __schema { mutationType { fields { name args { name } } } }
  row: __type(name: %q) { fields { name type { kind ofType { kind } } } }
  insert: __type(name: %q) { inputFields { name type { name } } }
  update: __type(name: %q) { enumValues { name } }
  constraint: __type(name: %q) { enumValues { name description } }
  condition: __type(name: %q) { inputFields { name } }
}`, upsert.Row, upsert.Input, upsert.Columns, upsert.Constraints, upsert.Condition)
}

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
		Fields []field
	}
	Insert, Update, Constraint, Condition struct{ InputFields, EnumValues []named }
}

// A field is a column of a row.
type field struct {
	Name string
	Type struct {
		Kind   string
		OfType *struct{ Kind string }
	}
}

type named struct {
	Name, Description string
	Type              struct{ Name string }
}

// table checks that the table has what a sync writes, that the sync's role may write it, and that no constraint of the table
// refuses users.
func (d *doctor) table(ctx context.Context, c caller) {
	const check = "users table"
	var s schema
	if p := c.query(ctx, nil, introspection(), &s); p != nil {
		if p.code == "access-denied" {
			p.hint = "the admin secret is not Hasura's. Use the right one"
		}
		d.report.add(check, Fail, p.found, p.hint)
		return
	}
	missing := s.missing(users.Description.Columns)
	switch camel := camelCase(upsert.Insert); {
	case !s.hasMutation(upsert.Insert) && s.hasMutation(camel):
		d.report.add(check, Fail, fmt.Sprintf("Hasura names its fields by the convention graphql-default: %s instead of %s", camel, upsert.Insert),
			"set naming_convention of the database to hasura-default in the metadata, or HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION. Or adapt graphql/: docs/own-table.md")
		return
	case len(missing) > 0:
		d.report.add(check, Fail, "Hasura lacks "+strings.Join(missing, ", "), "apply the migrations and the metadata of graphql/hasura: docs/hasura.md. For a table of your own, see docs/own-table.md")
		return
	}
	if d.role(ctx, c) {
		d.constraints(s)
		d.required(s)
	}
}

// role checks the permissions of the sync's role. It reports whether the role is sufficient.
func (d *doctor) role(ctx context.Context, c caller) bool {
	const check = "users table"
	if c.role == "" {
		d.report.ok(check, "admin can write every column")
		return true
	}
	header := http.Header{"X-Hasura-Role": {c.role}, "X-Hasura-Use-Backend-Only-Permissions": {"true"}, "X-Hasura-User-Id": {"00000000-0000-0000-0000-000000000000"}}
	var s schema
	if p := c.query(ctx, header, introspection(), &s); p != nil {
		d.report.add(check, Fail, p.found, p.hint)
		return false
	}
	missing := s.missing(users.Description.Columns)
	for _, column := range []string{users.Description.SyncedAt, users.Description.SignedInAt} {
		if column != "" && find(s.Condition.InputFields, column) == nil {
			missing = append(missing, "the select permission of "+column)
		}
	}
	if len(missing) > 0 {
		d.report.add(check, Fail, "the role "+c.role+" lacks "+strings.Join(missing, ", "),
			"apply the metadata of graphql/hasura: docs/hasura.md. The role needs insert, select and update permissions: docs/own-table.md#the-permissions")
		return false
	}
	d.report.ok(check, "the role "+c.role+" can write every column")
	return true
}

// marks checks the columns that reconcile and follow alone write, and the permissions of their role.
func (d *doctor) marks(ctx context.Context, c caller, role string, onDelete settings.OnDelete) {
	const check = "reconcile columns"
	who, header := "admin", http.Header(nil)
	if role != "" {
		who, header = "the role "+role, http.Header{"X-Hasura-Role": {role}, "X-Hasura-Use-Backend-Only-Permissions": {"true"}}
	}
	var s schema
	if p := c.query(ctx, header, introspection(), &s); p != nil {
		d.report.add(check, Fail, p.found, p.hint)
		return
	}
	const hint = "apply the migrations and the metadata of graphql/hasura: docs/upgrade.md#order"
	columns := slices.DeleteFunc(slices.Clone(users.Description.Columns), func(c users.Column) bool { return c.Name == users.Description.SignedInAt })
	if missing := s.missing(columns); len(missing) > 0 {
		d.report.add(check, Fail, who+" lacks "+strings.Join(missing, ", "), hint)
		return
	}
	if found := s.notNull(users.Description.WritesNull); len(found) > 0 {
		d.report.add(check, Fail, strings.Join(found, ", ")+" cannot be NULL: reconcile and follow cannot write or empty the row of a user without a value",
			"set Default in pkg/users/description.go to the column's default in the database: docs/own-table.md#not-null")
		return
	}
	var missing []string
	for _, column := range []string{users.Description.Enabled, users.Description.DeletedAt} {
		if column != "" && !s.hasColumn(column) {
			missing = append(missing, column)
		}
	}
	switch {
	case len(missing) == 0:
		d.report.ok(check, who+" can write them")
	case onDelete == settings.Report:
		d.report.add(check, Warn, who+" cannot read or write "+strings.Join(missing, " and ")+": reconcile writes the other columns", hint)
	default:
		d.report.add(check, Fail, fmt.Sprintf("%s cannot read or write %s: RECONCILE_ON_DELETE is %s, but nobody is marked", who, strings.Join(missing, " and "), onDelete), hint)
	}
}

// hasColumn reports whether a column can be read, inserted and updated.
func (s schema) hasColumn(name string) bool {
	return s.Row != nil && slices.ContainsFunc(s.Row.Fields, func(f field) bool { return graphql.Same(f.Name, name) }) &&
		find(s.Insert.InputFields, name) != nil && find(s.Update.EnumValues, name) != nil
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
	i := slices.IndexFunc(list, func(n named) bool { return graphql.Same(n.Name, name) })
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
	users.Text: {"string", "citext", "bpchar"}, users.Boolean: {"boolean"}, users.UUID: {"uuid"}, users.JSON: {"jsonb"},
	users.Timestamp: {"timestamptz"}, users.Integer: {"int", "bigint", "smallint"}, users.Date: {"date"},
	"": {"json", "timestamp"}, // no kind fits these
}

// missing returns what an upsert of the columns needs and the schema lacks.
func (s schema) missing(columns []users.Column) (names []string) {
	if !s.hasMutation(upsert.Insert, upsert.OnConflict) {
		names = append(names, upsert.Insert+" with "+upsert.OnConflict)
	}
	if find(s.Constraint.EnumValues, upsert.Constraint) == nil {
		names = append(names, "the constraint "+upsert.Constraint)
	}
	for _, column := range columns {
		input := find(s.Insert.InputFields, column.Name)
		if input == nil || column.Name != users.Description.Key && find(s.Update.EnumValues, column.Name) == nil {
			names = append(names, fmt.Sprintf("the column %s (%s)", column.Name, column.Kind))
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
		if c.Name != upsert.Constraint && concernsSync(c.Description) {
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
	return description == "" || slices.ContainsFunc(strings.Split(description, `"`), func(name string) bool {
		return slices.ContainsFunc(users.Description.Columns, func(c users.Column) bool { return graphql.Same(c.Name, name) })
	})
}

// notNull returns the NOT NULL columns for which an event may have no value, as far as a function picks them.
func (s schema) notNull(picks func(name string) bool) (found []string) {
	always := []string{users.Sub.Name, users.UserID.Name, users.Username.Name, users.SyncTime.Name}
	var safe []string
	for _, c := range users.Description.Columns {
		if c.Default != nil || c.Required || slices.Contains(always, c.Source.Name) {
			safe = append(safe, c.Name)
		}
	}
	if s.Row == nil {
		return nil
	}
	for _, f := range s.Row.Fields {
		t := f.Type
		if t.Kind == "NON_NULL" && t.OfType != nil && (t.OfType.Kind == "SCALAR" || t.OfType.Kind == "ENUM") && !slices.Contains(safe, f.Name) && picks(f.Name) {
			found = append(found, f.Name)
		}
	}
	return found
}

// required warns of NOT NULL columns for which an event may have no value. GraphQL does not tell whether a column has a default;
// the migrations do.
func (d *doctor) required(s schema) {
	const check = "NOT NULL columns"
	found := s.notNull(func(name string) bool { return !graphql.HasDefault(name) })
	if len(found) == 0 {
		d.report.ok(check, "every event can fill them")
		return
	}
	d.report.add(check, Warn, strings.Join(found, ", "),
		"an event may have no value for them. The sync then fails, unless the column has a default in the database. Set a default there or in pkg/users/description.go, "+
			"or allow NULL: docs/own-table.md#not-null")
}
