package hasura

import "github.com/vektah/gqlparser/v2/ast"

// introspect serves __schema and __type from the role's schema.
func (x execution) introspect(field *ast.Field, args object) any {
	if field.Name == "__schema" {
		return x.project(field, schemaNode(x.schema))
	}
	name, _ := args.get("name")
	def := x.schema.Types[name.(string)]
	if def == nil {
		return nil
	}
	return x.project(field, definitionNode(x.schema, def))
}

// project gives the answer that a selection set asks of a value.
func (x execution) project(field *ast.Field, value any) any {
	switch value := value.(type) {
	case []node:
		list := []any{}
		for _, item := range value {
			list = append(list, x.project(field, item))
		}
		return list
	case node:
		var data fields
		for _, f := range x.fields(field.SelectionSet) {
			if f.Name == "__typename" {
				data = append(data, entry{f.Alias, value.typename})
				continue
			}
			// Introspection takes no input objects: nothing here can fail.
			args, _ := x.arguments(f, "$")
			data = append(data, entry{f.Alias, x.project(f, value.field(f.Name, args))})
		}
		return data
	}
	return value
}
