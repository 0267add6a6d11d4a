package hasura

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// noQueries is Hasura's only query field for a role without select permissions.
const noQueries = "There are no queries available to the current role. Either there are no sources or remote schemas configured, " +
	"or the current role doesn't have the required permissions."

// A role has permissions, and a schema that shows only what they allow.
type role struct {
	*project
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
func (p *project) reduce(all *ast.Schema, g grants) *ast.Schema {
	r := reduction{project: p, grants: g, all: all, left: map[string]bool{}, schema: &ast.Schema{Types: map[string]*ast.Definition{},
		Directives: all.Directives, PossibleTypes: map[string][]*ast.Definition{}, Implements: map[string][]*ast.Definition{}}}
	for _, def := range all.Types {
		if def.BuiltIn {
			r.keep(def)
		}
	}
	for _, root := range []struct{ from, to **ast.Definition }{{&all.Query, &r.schema.Query}, {&all.Mutation, &r.schema.Mutation}, {&all.Subscription, &r.schema.Subscription}} {
		if *root.from != nil && r.keep(*root.from) {
			*root.to = r.schema.Types[(*root.from).Name]
		}
	}
	return r.schema
}

// A reduction copies the types that a role can reach from the root types.
type reduction struct {
	*project
	grants grants
	all    *ast.Schema
	schema *ast.Schema
	left   map[string]bool // whether anything is left of a type
}

// keep copies a type with what it refers to, and reports whether anything of it is left.
func (r *reduction) keep(def *ast.Definition) bool {
	if left, ok := r.left[def.Name]; ok {
		return left
	}
	r.left[def.Name] = true // a type that refers to itself has other fields
	kept := *def
	kept.Fields, kept.EnumValues = nil, nil
	for _, field := range def.Fields {
		if !r.allows(def, field.Name) || !r.keep(r.all.Types[field.Type.Name()]) {
			continue
		}
		copied := *field
		copied.Arguments = nil
		for _, arg := range field.Arguments {
			t := r.roots[field.Name].table
			if (r.convention(arg.Name) != "on_conflict" || r.grants[t].update != nil) && r.keep(r.all.Types[arg.Type.Name()]) {
				copied.Arguments = append(copied.Arguments, arg)
			}
		}
		kept.Fields = append(kept.Fields, &copied)
	}
	for _, value := range def.EnumValues {
		if r.allows(def, value.Name) {
			kept.EnumValues = append(kept.EnumValues, value)
		}
	}
	switch {
	case def == r.all.Query && !slices.ContainsFunc(kept.Fields, func(f *ast.FieldDefinition) bool { return f.Name[0] != '_' }):
		kept.Fields = append(kept.Fields, &ast.FieldDefinition{Name: "no_queries_available", Type: ast.NonNullNamedType("String", nil), Description: noQueries})
	case def.Kind == ast.Enum && len(kept.EnumValues) == 0 && strings.HasSuffix(r.convention(def.Name), "_update_column"):
		kept.EnumValues = ast.EnumValueList{{Name: "_PLACEHOLDER", Description: "placeholder (do not use)"}}
	}
	r.left[def.Name] = len(kept.Fields)+len(kept.EnumValues) > 0 || def.Kind == ast.Scalar
	if r.left[def.Name] {
		r.schema.Types[def.Name] = &kept
		r.schema.AddPossibleType(def.Name, &kept)
	}
	return r.left[def.Name]
}

// allows decides about a field or an enum value of a type. Types that belong to no table
// are open to every role.
func (r *reduction) allows(def *ast.Definition, name string) bool {
	switch {
	case strings.HasPrefix(name, "__") || def.BuiltIn:
		return true
	case def == r.all.Query || def == r.all.Mutation || def == r.all.Subscription:
		return r.allowsRoot(r.roots[name])
	}
	if t, suffix := r.of(def.Name); t != nil {
		return r.grants[t].allows(suffix, r.columnName(def.Name, name))
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
