package hasura

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// The values that come with an operation, from literals and from variables:
// nil, bool, string, quoted, enum, json.Number, []any and object.
type (
	// An object keeps the order of its members: order_by needs it.
	object []member
	member struct {
		name  string
		value any
	}
	// quoted is a string that stood in the document. One from a variable is a
	// string, and may name an enum value.
	quoted string
	// enum is the name of an enum value that stood in the document.
	enum string
)

func (o object) get(name string) (value any, ok bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// resolve gives the value of a literal, its variables filled in. A nullable
// variable without a value is null, also as an object's member, where GraphQL
// would leave the member away (graphql-engine #6016, #1456).
func (o *operation) resolve(v *ast.Value) any {
	switch v.Kind {
	case ast.Variable:
		if value, ok := o.variables[v.Raw]; ok {
			return fromJSON(value)
		}
		if def := o.definition.VariableDefinitions.ForName(v.Raw); def != nil && def.DefaultValue != nil {
			return o.resolve(def.DefaultValue)
		}
		return nil
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw)
	case ast.StringValue, ast.BlockValue:
		return quoted(v.Raw)
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.EnumValue:
		return enum(v.Raw)
	case ast.ListValue:
		list := make([]any, len(v.Children))
		for i, child := range v.Children {
			list[i] = o.resolve(child.Value)
		}
		return list
	case ast.ObjectValue:
		object := make(object, len(v.Children))
		for i, child := range v.Children {
			object[i] = member{child.Name, o.resolve(child.Value)}
		}
		return object
	}
	return nil
}

// fromJSON turns decoded JSON into a value. Members come by name.
func fromJSON(value any) any {
	switch value := value.(type) {
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = fromJSON(item)
		}
		return list
	case map[string]any:
		object := make(object, 0, len(value))
		for _, name := range slices.Sorted(maps.Keys(value)) {
			object = append(object, member{name, fromJSON(value[name])})
		}
		return object
	}
	return value
}

// toJSON is the way back, for jsonb. Of members with one name the last counts,
// as in PostgreSQL.
func toJSON(value any) any {
	switch value := value.(type) {
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = toJSON(item)
		}
		return list
	case object:
		m := map[string]any{}
		for _, member := range value {
			m[member.name] = toJSON(member.value)
		}
		return m
	case quoted:
		return string(value)
	case enum:
		return string(value)
	}
	return value
}

// describe names the kind of a value as Hasura's messages do.
func describe(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case enum:
		return "an enum value"
	case []any:
		return "a list"
	case object:
		return "an object"
	}
	return "a string"
}
