package hasura

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// arguments gives the arguments of a field, checked against their types and
// defaults filled in. Literals and variables are judged alike, where they are
// used, as Hasura does: hence the paths of its errors.
func (o *operation) arguments(field *ast.Field, path string) (object, error) {
	given := object{}
	for _, arg := range field.Arguments {
		given = append(given, member{arg.Name, o.resolve(arg.Value)})
	}
	var args object
	for _, def := range field.Definition.Arguments {
		value, ok := given.get(def.Name)
		if !ok && def.DefaultValue != nil {
			value, ok = o.resolve(def.DefaultValue), true
		}
		if !ok {
			continue // the validator has seen to it that it may be left away
		}
		coerced, err := o.coerce(def.Type, value, path+".args."+def.Name)
		if err != nil {
			return nil, err
		}
		args = append(args, member{def.Name, coerced})
	}
	return args, nil
}

// coerce checks a value against a type. What comes out is nil, bool, int,
// string (also for enums), json.RawMessage (jsonb), []any or object.
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
		return coerceEnum(def, value, path)
	case ast.InputObject:
		return o.coerceObject(def, value, path)
	}
	return coerceScalar(def.Name, value, path)
}

// coerceList takes a single value for a list of one.
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
	given, ok := value.(object)
	if !ok {
		return nil, mismatch("an object", def.Name, value, path)
	}
	coerced := object{}
	for _, m := range given {
		field := def.Fields.ForName(m.name)
		if field == nil {
			return nil, refuse(validationFailed, path+"."+m.name, "field '%s' not found in type: '%s'", m.name, def.Name)
		}
		value, err := o.coerce(field.Type, m.value, path+"."+m.name)
		if err != nil {
			return nil, err
		}
		coerced = append(coerced, member{m.name, value})
	}
	for _, field := range def.Fields {
		if _, ok := given.get(field.Name); ok {
			continue
		}
		switch {
		case field.DefaultValue != nil:
			value, err := o.coerce(field.Type, o.resolve(field.DefaultValue), path+"."+field.Name)
			if err != nil {
				return nil, err
			}
			coerced = append(coerced, member{field.Name, value})
		case field.Type.NonNull:
			return nil, refuse(validationFailed, path, "missing required field '%s'", field.Name)
		}
	}
	return coerced, nil
}

func coerceEnum(def *ast.Definition, value any, path string) (any, error) {
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
		names = append(names, "'"+v.Name+"'")
	}
	if !slices.Contains(names, "'"+name+"'") {
		return nil, refuse(validationFailed, path, "expected one of the values [%s] for type '%s', but found '%s'",
			strings.Join(names, ", "), def.Name, name)
	}
	return name, nil
}

// coerceScalar checks the built-in scalars. Of the others it asks only for the
// right kind of JSON: what a uuid is, the database decides.
func coerceScalar(typ string, value any, path string) (any, error) {
	if q, ok := value.(quoted); ok {
		value = string(q)
	}
	switch typ {
	case "jsonb":
		return marshal(toJSON(value))
	case "Boolean":
		if b, ok := value.(bool); ok {
			return b, nil
		}
		return nil, mismatch("a boolean", typ, value, path)
	case "Int":
		if n, ok := value.(json.Number); ok {
			if i, err := strconv.ParseInt(string(n), 10, 32); err == nil {
				return int(i), nil
			}
		}
		return nil, mismatch("a 32-bit integer", typ, value, path)
	}
	if s, ok := value.(string); ok {
		return s, nil
	}
	switch typ {
	case "uuid":
		return nil, refuse(parseFailed, path, "parsing UUID failed, expected String, but encountered %s", jsonKind(value))
	case "timestamptz":
		return nil, refuse(parseFailed, path, "parsing UTCTime failed, expected String, but encountered %s", jsonKind(value))
	}
	return nil, mismatch("a string", typ, value, path)
}

func mismatch(expected, typ string, value any, path string) error {
	return refuse(validationFailed, path, "expected %s for type '%s', but found %s", expected, typ, describe(value))
}

// jsonKind names the kind of a value as Hasura's JSON library does.
func jsonKind(value any) string {
	words := strings.Fields(describe(value))
	kind := words[len(words)-1]
	if kind == "list" {
		kind = "array"
	}
	return strings.ToUpper(kind[:1]) + kind[1:]
}

// marshal leaves characters as they are, unlike json.Marshal with its HTML
// escapes: JSON from here goes into the database.
func marshal(value any) (json.RawMessage, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
