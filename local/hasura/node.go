package hasura

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A node is an object of the introspection schema. It gives the value of a
// field: a scalar, a node, a list of nodes, or nil.
type node struct {
	typename string
	field    func(name string, args object) any
}

func nodes[T any](items []T, of func(T) node) []node {
	list := []node{}
	for _, item := range items {
		list = append(list, of(item))
	}
	return list
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func schemaNode(s *ast.Schema) node {
	root := func(def *ast.Definition) any {
		if def == nil {
			return nil
		}
		return definitionNode(s, def)
	}
	return node{"__Schema", func(name string, _ object) any {
		switch name {
		case "queryType":
			return root(s.Query)
		case "mutationType":
			return root(s.Mutation)
		case "subscriptionType":
			return root(s.Subscription)
		case "types":
			var defs []*ast.Definition
			for _, def := range s.Types {
				defs = append(defs, def)
			}
			slices.SortFunc(defs, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
			return nodes(defs, func(d *ast.Definition) node { return definitionNode(s, d) })
		case "directives":
			var defs []*ast.DirectiveDefinition
			for _, def := range s.Directives {
				defs = append(defs, def)
			}
			slices.SortFunc(defs, func(a, b *ast.DirectiveDefinition) int { return strings.Compare(a.Name, b.Name) })
			return nodes(defs, func(d *ast.DirectiveDefinition) node { return directiveNode(s, d) })
		}
		return nil
	}}
}

func definitionNode(s *ast.Schema, def *ast.Definition) node {
	return node{"__Type", func(name string, _ object) any {
		switch name {
		case "kind":
			return string(def.Kind)
		case "name":
			return def.Name
		case "description":
			return orNull(def.Description)
		case "fields":
			if def.Kind == ast.Object {
				visible := slices.DeleteFunc(slices.Clone(def.Fields), func(f *ast.FieldDefinition) bool { return strings.HasPrefix(f.Name, "__") })
				return nodes(visible, func(f *ast.FieldDefinition) node { return fieldNode(s, f) })
			}
		case "interfaces":
			if def.Kind == ast.Object {
				return []node{}
			}
		case "enumValues":
			if def.Kind == ast.Enum {
				return nodes(def.EnumValues, enumNode)
			}
		case "inputFields":
			if def.Kind == ast.InputObject {
				return nodes(def.Fields, func(f *ast.FieldDefinition) node {
					return inputNode(s, f.Name, f.Description, f.Type, f.DefaultValue)
				})
			}
		}
		return nil
	}}
}

func typeNode(s *ast.Schema, t *ast.Type) node {
	wrap := func(kind string, inner *ast.Type) node {
		return node{"__Type", func(name string, _ object) any {
			switch name {
			case "kind":
				return kind
			case "ofType":
				return typeNode(s, inner)
			}
			return nil
		}}
	}
	if t.NonNull {
		inner := *t
		inner.NonNull = false
		return wrap("NON_NULL", &inner)
	}
	if t.Elem != nil {
		return wrap("LIST", t.Elem)
	}
	return definitionNode(s, s.Types[t.NamedType])
}

func fieldNode(s *ast.Schema, f *ast.FieldDefinition) node {
	return node{"__Field", func(name string, _ object) any {
		switch name {
		case "name":
			return f.Name
		case "description":
			return orNull(f.Description)
		case "args":
			return argumentNodes(s, f.Arguments)
		case "type":
			return typeNode(s, f.Type)
		case "isDeprecated":
			return false
		}
		return nil
	}}
}

func argumentNodes(s *ast.Schema, args ast.ArgumentDefinitionList) []node {
	return nodes(args, func(a *ast.ArgumentDefinition) node {
		return inputNode(s, a.Name, a.Description, a.Type, a.DefaultValue)
	})
}

func inputNode(s *ast.Schema, inputName, description string, typ *ast.Type, value *ast.Value) node {
	return node{"__InputValue", func(name string, _ object) any {
		switch name {
		case "name":
			return inputName
		case "description":
			return orNull(description)
		case "type":
			return typeNode(s, typ)
		case "defaultValue":
			if value != nil {
				return value.String()
			}
		case "isDeprecated":
			return false
		}
		return nil
	}}
}

func enumNode(v *ast.EnumValueDefinition) node {
	return node{"__EnumValue", func(name string, _ object) any {
		switch name {
		case "name":
			return v.Name
		case "description":
			return orNull(v.Description)
		case "isDeprecated":
			return false
		}
		return nil
	}}
}

func directiveNode(s *ast.Schema, d *ast.DirectiveDefinition) node {
	return node{"__Directive", func(name string, _ object) any {
		switch name {
		case "name":
			return d.Name
		case "description":
			return orNull(d.Description)
		case "locations":
			return d.Locations
		case "args":
			return argumentNodes(s, d.Arguments)
		case "isRepeatable":
			return d.IsRepeatable
		}
		return nil
	}}
}
