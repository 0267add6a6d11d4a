package hasura

import (
	"context"
	"database/sql"
	"encoding/json"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/vektah/gqlparser/v2/ast"
)

// An execution runs an operation for a session.
type execution struct {
	*operation
	session  session
	database *Database
	db       querier
}

// A querier is a database or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// A call is a root field with its table, its coerced arguments and Hasura's path of it.
type call struct {
	root
	permissions
	field graphql.CollectedField
	args  map[string]any
	path  string
}

// run runs the operation. The fields of a mutation run in order, in one transaction.
func (x *execution) run(ctx context.Context) (map[string]any, error) {
	if x.definition.Operation != ast.Mutation {
		return x.runFields(ctx)
	}
	tx, err := x.database.SQL.BeginTx(ctx, nil)
	if err != nil {
		return nil, x.failed(err, "", "BEGIN", nil)
	}
	defer tx.Rollback()
	x.db = tx
	data, err := x.runFields(ctx)
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, x.failed(err, "", "COMMIT", nil)
	}
	return data, nil
}

func (x *execution) runFields(ctx context.Context) (data map[string]any, err error) {
	data = map[string]any{}
	for _, field := range x.fields(x.definition.SelectionSet) {
		c := call{root: x.roots[field.Name], field: field, path: "$.selectionSet." + field.Name}
		c.permissions = x.grants[c.table]
		if c.args, err = x.arguments(field, c.path); err != nil {
			return nil, err
		}
		if data[field.Alias], err = x.runField(ctx, c); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (x *execution) runField(ctx context.Context, c call) (any, error) {
	switch c.field.Name {
	case "__typename":
		return c.field.ObjectDefinition.Name, nil
	case "__schema":
		return x.introspect(reflect.ValueOf(introspection.WrapSchema(x.schema)), c.field.Selections), nil
	case "__type":
		def := x.schema.Types[c.args["name"].(string)]
		return x.introspect(reflect.ValueOf(introspection.WrapTypeFromDef(x.schema, def)), c.field.Selections), nil
	case "no_queries_available":
		return noQueries, nil
	}
	var keys []string
	var err error
	switch c.kind {
	case "select":
		return x.selectRows(ctx, c)
	case "select_by_pk":
		return first(x.selectByKey(ctx, c, c.args[c.table.key], c.selects.Filter))
	case "insert":
		keys, err = x.insert(ctx, c, c.args["objects"].([]any), c.path+".args.objects")
	case "insert_one":
		keys, err = x.insert(ctx, c, []any{c.args["object"]}, c.path+".args.object")
	case "update":
		keys, err = x.update(ctx, c, c.args["where"])
	case "update_by_pk":
		key, _ := c.args["pk_columns"].(map[string]any)
		keys, err = x.update(ctx, c, c.table.keyed(key[c.table.key]))
	case "delete":
		keys, err = x.remove(ctx, c)
	default:
		return nil, notServed(c.path, "the %s %s", x.definition.Operation, c.field.Name)
	}
	switch {
	case err != nil:
		return nil, err
	case c.kind == "insert_one" || c.kind == "update_by_pk":
		return first(x.returning(ctx, c, keys))
	}
	return x.response(ctx, c, keys)
}

// first returns the first row, or null.
func first(rows []json.RawMessage, err error) (any, error) {
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// introspect reads what a selection set asks of a value of the package introspection. Its
// fields and methods are named as in GraphQL.
func (x *execution) introspect(value reflect.Value, selections ast.SelectionSet) any {
	switch value.Kind() {
	case reflect.Slice:
		list := []any{}
		for i := range value.Len() {
			list = append(list, x.introspect(value.Index(i), selections))
		}
		return list
	case reflect.Struct:
		return x.introspect(value.Addr(), selections)
	case reflect.Pointer:
		if value.IsNil() {
			return nil
		}
		if value.Elem().Kind() != reflect.Struct {
			return x.introspect(value.Elem(), selections)
		}
	default:
		return value.Interface()
	}
	data := map[string]any{}
	for _, f := range x.fields(selections) {
		if f.Name == "__typename" {
			data[f.Alias] = f.ObjectDefinition.Name
			continue
		}
		name := string(f.Name[0]-'a'+'A') + f.Name[1:]
		member := value.Elem().FieldByName(name)
		if method := value.MethodByName(name); method.IsValid() {
			arguments := make([]reflect.Value, method.Type().NumIn())
			for i := range arguments {
				arguments[i] = reflect.ValueOf(true) // includeDeprecated: Hasura deprecates nothing
			}
			member = method.Call(arguments)[0]
		}
		data[f.Alias] = x.introspect(member, f.Selections)
		// The package returns empty lists where the specification wants null.
		if t, ok := value.Interface().(*introspection.Type); ok && member.Kind() == reflect.Slice && member.Len() == 0 &&
			!(f.Name == "interfaces" && t.Kind() == "OBJECT") {
			data[f.Alias] = nil
		}
	}
	return data
}
