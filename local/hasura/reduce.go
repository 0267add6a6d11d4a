package hasura

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// noQueries is all that a role without permissions can read.
const noQueries = "There are no queries available to the current role. Either there are no sources or remote schemas configured, or the current role doesn't have the required permissions."

// reduce takes out of the admin role's schema what a role may not do, by
// Hasura's rules: without select permission there is no insert_…_one and no
// returning, without update permission no on_conflict.
func reduce(doc *ast.SchemaDocument, t *table, p permissions) {
	for _, def := range doc.Definitions {
		if def.BuiltIn {
			continue
		}
		suffix, ofTable := strings.CutPrefix(def.Name, t.name)
		granted := func(name string) bool {
			if !ofTable {
				return p.allowsRoot(t, def.Name, name)
			}
			return p.allowsField(suffix, name)
		}
		def.Fields = slices.DeleteFunc(def.Fields, func(f *ast.FieldDefinition) bool { return !granted(f.Name) })
		def.EnumValues = slices.DeleteFunc(def.EnumValues, func(v *ast.EnumValueDefinition) bool { return !granted(v.Name) })
		for _, field := range def.Fields {
			field.Arguments = slices.DeleteFunc(field.Arguments, func(a *ast.ArgumentDefinition) bool {
				return a.Name == "on_conflict" && p.update == nil
			})
		}
		if suffix == "_update_column" && p.update != nil && len(def.EnumValues) == 0 {
			def.EnumValues = ast.EnumValueList{{Name: "_PLACEHOLDER", Description: "placeholder (do not use)"}}
		}
	}
	prune(doc)
}

// allowsRoot decides about the fields of the root types. Types that belong to no
// table are open to all.
func (p permissions) allowsRoot(t *table, typ, field string) bool {
	switch typ {
	case "query_root", "subscription_root":
		switch field {
		case t.name + "_aggregate":
			return p.selects != nil && p.selects.AllowAggregations
		case t.name + "_by_pk":
			return p.selects.has(t.key)
		}
		return p.selects != nil
	case "mutation_root":
		switch {
		case field == "insert_"+t.name:
			return p.insert != nil
		case field == "insert_"+t.name+"_one":
			return p.insert != nil && p.selects != nil
		case strings.HasPrefix(field, "update_"):
			return p.update != nil && p.selects != nil
		}
		return false // delete: the metadata here grants it to nobody
	}
	return true
}

// allowsField decides about a field or value of one of the table's types, named
// by what follows the table's name.
func (p permissions) allowsField(suffix, name string) bool {
	switch suffix {
	case "", "_order_by", "_select_column", "_max_fields", "_min_fields", "_stream_cursor_value_input":
		return p.selects.has(name)
	case "_bool_exp":
		return p.selects != nil && strings.HasPrefix(name, "_") || p.selects.has(name)
	case "_insert_input":
		return p.insert.has(name)
	case "_set_input", "_update_column", "_append_input", "_prepend_input",
		"_delete_at_path_input", "_delete_elem_input", "_delete_key_input":
		return p.update.has(name)
	case "_mutation_response":
		return name == "affected_rows" || p.selects != nil
	}
	return true
}

func (p *permission) has(column string) bool { return p != nil && slices.Contains(p.Columns, column) }

// prune takes out types without fields, what refers to them, and what no root
// type leads to any more.
func prune(doc *ast.SchemaDocument) {
	for changed := true; changed; {
		changed = false
		known := map[string]bool{}
		for _, def := range doc.Definitions {
			empty := len(def.Fields) == 0 && len(def.EnumValues) == 0 && def.Kind != ast.Scalar
			known[def.Name] = !empty
		}
		for _, def := range doc.Definitions {
			before := len(def.Fields)
			def.Fields = slices.DeleteFunc(def.Fields, func(f *ast.FieldDefinition) bool { return !known[f.Type.Name()] })
			changed = changed || len(def.Fields) != before
			for _, field := range def.Fields {
				field.Arguments = slices.DeleteFunc(field.Arguments, func(a *ast.ArgumentDefinition) bool { return !known[a.Type.Name()] })
			}
		}
	}
	for _, def := range doc.Definitions {
		if def.Name == "query_root" && len(def.Fields) == 0 {
			def.Fields = ast.FieldList{{Name: "no_queries_available", Type: ast.NonNullNamedType("String", nil),
				Description: noQueries}}
		}
	}

	types := map[string]*ast.Definition{}
	for _, def := range doc.Definitions {
		types[def.Name] = def
	}
	reached := map[string]bool{}
	var reach func(name string)
	reach = func(name string) {
		def := types[name]
		if def == nil || reached[name] {
			return
		}
		reached[name] = true
		for _, field := range def.Fields {
			reach(field.Type.Name())
			for _, arg := range field.Arguments {
				reach(arg.Type.Name())
			}
		}
	}
	for _, schema := range doc.Schema {
		schema.OperationTypes = slices.DeleteFunc(schema.OperationTypes, func(o *ast.OperationTypeDefinition) bool {
			return len(types[o.Type].Fields) == 0
		})
		for _, operation := range schema.OperationTypes {
			reach(operation.Type)
		}
	}
	doc.Definitions = slices.DeleteFunc(doc.Definitions, func(def *ast.Definition) bool {
		return !def.BuiltIn && !reached[def.Name]
	})
}
