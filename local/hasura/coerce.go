package hasura

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Values of an operation are those of encoding/json, with json.Number for numbers. Literals
// of the document have other Go types, because Hasura treats some of them differently:
// int64 and float64 for numbers, and these two.
type (
	quoted string // a string
	enum   string // the name of an enum value
)

// value resolves a literal and the variables in it. A nullable variable without a value is
// null, also as a member of an object (graphql-engine #6016, #1456).
func (o *operation) value(v *ast.Value) any {
	switch v.Kind {
	case ast.Variable:
		if value, ok := o.variables[v.Raw]; ok {
			return value
		}
		if def := o.definition.VariableDefinitions.ForName(v.Raw); def != nil && def.DefaultValue != nil {
			return o.value(def.DefaultValue)
		}
		return nil
	case ast.StringValue, ast.BlockValue:
		return quoted(v.Raw)
	case ast.EnumValue:
		return enum(v.Raw)
	case ast.ListValue:
		list := make([]any, len(v.Children))
		for i, child := range v.Children {
			list[i] = o.value(child.Value)
		}
		return list
	case ast.ObjectValue:
		object := map[string]any{}
		for _, child := range v.Children {
			object[child.Name] = o.value(child.Value)
		}
		return object
	}
	value, err := v.Value(nil)
	if err != nil { // an integer of more than 64 bits
		return json.Number(v.Raw)
	}
	return value
}

// arguments returns the arguments of a field by their default names, coerced to their types
// and with defaults.
func (o *operation) arguments(field graphql.CollectedField, path string) (map[string]any, error) {
	args := map[string]any{}
	for _, def := range field.Definition.Arguments {
		given := def.DefaultValue
		if arg := field.Arguments.ForName(def.Name); arg != nil {
			given = arg.Value
		}
		if given == nil {
			continue // optional: the validator has checked that
		}
		path := path + ".args." + def.Name
		var err error
		name := o.columnName(field.Definition.Type.Name(), def.Name)
		if value := o.value(given); name == "limit" {
			args[name], err = coerceLimit(value, path)
		} else {
			args[name], err = o.coerce(def.Type, value, path)
		}
		if err != nil {
			return nil, err
		}
	}
	return args, nil
}

// coerce checks a value against a type. It returns nil, a bool, an int64, a string (also
// for enums), a json.RawMessage (jsonb), a []any or a map[string]any. Members and enum values
// have the names of columns.
func (o *operation) coerce(typ *ast.Type, value any, path string) (any, error) {
	if value == nil {
		if typ.NonNull {
			return nil, refuse(validationFailed, path, "unexpected null value for type '%s'", typ.Name())
		}
		return nil, nil
	}
	if typ.Elem != nil {
		return o.coerceList(typ.Elem, value, path)
	}
	def := o.schema.Types[typ.NamedType]
	switch def.Kind {
	case ast.Enum:
		return o.coerceEnum(def, value, path)
	case ast.InputObject:
		return o.coerceObject(def, value, path)
	}
	return coerceScalar(def.Name, value, path)
}

// coerceList accepts a single value as a list of one.
func (o *operation) coerceList(elem *ast.Type, value any, path string) (any, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	coerced := make([]any, len(list))
	for i, item := range list {
		var err error
		if coerced[i], err = o.coerce(elem, item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return nil, err
		}
	}
	return coerced, nil
}

func (o *operation) coerceObject(def *ast.Definition, value any, path string) (any, error) {
	given, ok := value.(map[string]any)
	if !ok {
		return nil, mismatch("an object", def.Name, value, path)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if def.Fields.ForName(name) == nil {
			return nil, refuse(validationFailed, path+"."+name, "field '%s' not found in type: '%s'", name, def.Name)
		}
	}
	coerced := map[string]any{}
	for _, field := range def.Fields {
		value, ok := given[field.Name]
		switch {
		case !ok && field.DefaultValue != nil:
			value = o.value(field.DefaultValue)
		case !ok && field.Type.NonNull:
			return nil, refuse(validationFailed, path, "missing required field '%s'", field.Name)
		case !ok:
			continue
		}
		var err error
		if coerced[o.columnName(def.Name, field.Name)], err = o.coerce(field.Type, value, path+"."+field.Name); err != nil {
			return nil, err
		}
	}
	return coerced, nil
}

func (o *operation) coerceEnum(def *ast.Definition, value any, path string) (any, error) {
	var name string
	switch value := value.(type) {
	case enum:
		name = string(value)
	case string:
		name = value
	default:
		return nil, mismatch("an enum value", def.Name, value, path)
	}
	var names []string
	for _, v := range def.EnumValues {
		if v.Name == name {
			return o.columnName(def.Name, name), nil
		}
		names = append(names, "'"+v.Name+"'")
	}
	return nil, refuse(validationFailed, path, "expected one of the values [%s] for type '%s', but found '%s'",
		strings.Join(names, ", "), def.Name, name)
}

// coerceScalar checks the built-in scalars. Of the others it checks the kind of JSON; the
// database parses the text of a uuid or a timestamptz.
func coerceScalar(typ string, value any, path string) (any, error) {
	if text, ok := value.(quoted); ok {
		value = string(text)
	}
	switch typ {
	case "json", "jsonb":
		return marshal(value)
	case "Boolean":
		if b, ok := value.(bool); ok {
			return b, nil
		}
		return nil, mismatch("a boolean", typ, value, path)
	case "Int":
		switch number := value.(type) {
		case int64:
			return number, nil
		case json.Number:
			if n, err := number.Int64(); err == nil {
				return n, nil
			}
		}
		return nil, mismatch("a 32-bit integer", typ, value, path)
	}
	if text, ok := value.(string); ok {
		return text, nil
	}
	switch typ {
	case "String":
		return nil, mismatch("a string", typ, value, path)
	case "uuid":
		return nil, refuse(parseFailed, path, "parsing UUID failed, expected String, but encountered %s", jsonKind(value))
	case "timestamptz":
		return nil, refuse(parseFailed, path, "parsing UTCTime failed, expected String, but encountered %s", jsonKind(value))
	}
	return fmt.Sprint(value), nil // a number
}

// coerceLimit checks a limit as Hasura's parser nonNegativeInt does.
func coerceLimit(value any, path string) (any, error) {
	switch number := value.(type) {
	case nil:
		return nil, nil
	case int64:
		if number >= 0 && number <= math.MaxInt32 {
			return number, nil
		}
	case json.Number:
		n, err := strconv.ParseInt(string(number), 10, 32)
		switch {
		case err == nil && n >= 0:
			return n, nil
		case err != nil && number[0] != '-':
			return nil, refuse(parseFailed, path, "The value %s lies outside the bounds or is not an integer. "+
				"Maybe it is a float, or is there integer overflow?", number)
		}
	}
	return nil, mismatch("a non-negative 32-bit integer", "Int", value, path)
}

func mismatch(expected, typ string, value any, path string) error {
	return refuse(validationFailed, path, "expected %s for type '%s', but found %s", expected, typ, describe(value))
}

// describe names the kind of a value as Hasura's messages do.
func describe(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case json.Number:
		return "a number"
	case enum:
		return "an enum value"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a string"
}

// jsonKind names the kind of a value as Hasura's JSON library does.
func jsonKind(value any) string {
	switch kind := describe(value); kind {
	case "a list":
		return "Array"
	case "an integer", "a float":
		return "Number"
	default:
		_, name, _ := strings.Cut(kind, " ")
		return strings.ToUpper(name[:1]) + name[1:]
	}
}

// marshal encodes JSON for the database. It does not escape < > & as json.Marshal does.
func marshal(value any) (json.RawMessage, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
