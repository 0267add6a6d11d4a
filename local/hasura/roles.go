package hasura

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// noQueries is Hasura's only query field for a role without select permissions.
const noQueries = "There are no queries available to the current role. Either there are no sources or remote schemas configured, " +
	"or the current role doesn't have the required permissions."

// A role has permissions, and a schema that shows only what they allow.
type role struct {
	grants grants
	schema *ast.Schema
}

// A roleKey tells apart the two schemas of a role: backend_only permissions count only if
// a request with the admin secret asks for them.
type roleKey struct {
	name        string
	backendOnly bool
}

// role returns the role of a session. An unknown role has no permissions.
func (p *project) role(s session) *role {
	if r, ok := p.roles[roleKey{s.role, s.backendOnly}]; ok {
		return r
	}
	return p.roles[roleKey{"", s.backendOnly}]
}

// grants are the permissions of a role by table.
type grants map[*table]permissions

// permissions are those of a role for one table. A nil permission allows nothing.
type permissions struct {
	insert, selects, update *permission
}

func (p *permission) has(column string) bool { return p != nil && slices.Contains(p.Columns, column) }

// visible leaves backend_only permissions out unless they are asked for.
func (g grants) visible(backendOnly bool) grants {
	hide := func(p *permission) *permission {
		if p != nil && p.BackendOnly && !backendOnly {
			return nil
		}
		return p
	}
	visible := grants{}
	for t, p := range g {
		visible[t] = permissions{hide(p.insert), p.selects, hide(p.update)}
	}
	return visible
}

// reduce makes a role's schema from admin's. A role without select permission has no
// insert_…_one and no returning; one without update permission has no on_conflict.
func (p *project) reduce(all *ast.Schema, g grants) (*ast.Schema, error) {
	r := reduction{project: p, grants: g, all: all, kept: map[string]*ast.Definition{}}
	doc := &ast.SchemaDocument{}
	schema := &ast.SchemaDefinition{}
	for _, def := range []*ast.Definition{all.Query, all.Mutation, all.Subscription} {
		if def == nil {
			continue
		}
		operation := ast.Operation(strings.TrimSuffix(def.Name, "_root"))
		if !r.keep(def) && operation == ast.Query {
			r.kept[def.Name].Fields = ast.FieldList{{Name: "no_queries_available", Type: ast.NonNullNamedType("String", nil), Description: noQueries}}
		}
		if len(r.kept[def.Name].Fields) > 0 {
			schema.OperationTypes = append(schema.OperationTypes, &ast.OperationTypeDefinition{Operation: operation, Type: def.Name})
		}
	}
	doc.Schema = ast.SchemaDefinitionList{schema}
	for _, def := range all.Types {
		if def.BuiltIn {
			doc.Definitions = append(doc.Definitions, def)
		} else if kept := r.kept[def.Name]; kept != nil && !empty(kept) {
			doc.Definitions = append(doc.Definitions, kept)
		}
	}
	for _, directive := range all.Directives {
		doc.Directives = append(doc.Directives, directive)
	}
	return validator.ValidateSchemaDocument(doc)
}

// A reduction copies the types that a role can reach from the root types.
type reduction struct {
	*project
	grants grants
	all    *ast.Schema
	kept   map[string]*ast.Definition
}

// keep copies a type with what it refers to, and reports whether anything of it is left.
func (r *reduction) keep(def *ast.Definition) bool {
	if def.BuiltIn || def.Kind == ast.Scalar {
		r.kept[def.Name] = def
		return true
	}
	if kept, ok := r.kept[def.Name]; ok {
		// A type that refers to itself is not complete here, but has other fields.
		return !empty(kept) || kept.Description == incomplete
	}
	kept := *def
	kept.Fields, kept.EnumValues, kept.Description = nil, nil, incomplete
	r.kept[def.Name] = &kept
	for _, field := range def.Fields {
		if strings.HasPrefix(field.Name, "__") || !r.allows(def.Name, field.Name) || !r.keep(r.all.Types[field.Type.Name()]) {
			continue
		}
		copied := *field
		copied.Arguments = nil
		for _, arg := range field.Arguments {
			t := r.roots[field.Name].table
			if (arg.Name != "on_conflict" || r.grants[t].update != nil) && r.keep(r.all.Types[arg.Type.Name()]) {
				copied.Arguments = append(copied.Arguments, arg)
			}
		}
		kept.Fields = append(kept.Fields, &copied)
	}
	for _, value := range def.EnumValues {
		if r.allows(def.Name, value.Name) {
			kept.EnumValues = append(kept.EnumValues, value)
		}
	}
	if def.Kind == ast.Enum && len(kept.EnumValues) == 0 && strings.HasSuffix(def.Name, "_update_column") {
		kept.EnumValues = ast.EnumValueList{{Name: "_PLACEHOLDER", Description: "placeholder (do not use)"}}
	}
	kept.Description = def.Description
	return !empty(&kept)
}

// incomplete is the description of a type while keep works on it.
const incomplete = "\x00"

func empty(def *ast.Definition) bool {
	return len(def.Fields) == 0 && len(def.EnumValues) == 0 && def.Kind != ast.Scalar
}

// allows decides about a field or an enum value of a type. Types that belong to no table
// are open to every role.
func (r *reduction) allows(typ, name string) bool {
	if strings.HasSuffix(typ, "_root") {
		return r.allowsRoot(r.roots[name])
	}
	for _, t := range r.tables {
		suffix, ok := strings.CutPrefix(typ, t.typ)
		if ok && (suffix == "" || suffix[0] == '_') {
			return r.grants[t].allows(suffix, name)
		}
	}
	return true
}

func (r *reduction) allowsRoot(root root) bool {
	p := r.grants[root.table]
	switch root.kind {
	case "select", "select_stream":
		return p.selects != nil
	case "select_by_pk":
		return p.selects.has(root.table.key)
	case "select_aggregate":
		return p.selects != nil && p.selects.AllowAggregations
	case "insert":
		return p.insert != nil
	case "insert_one":
		return p.insert != nil && p.selects != nil
	case "update", "update_by_pk", "update_many":
		return p.update != nil && p.selects != nil
	}
	return false // the metadata that the stand-in reads grants no delete
}

// allows decides by the suffix that follows the table's name in a type's name.
func (p permissions) allows(suffix, name string) bool {
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
