package hasura

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// A table is what the schema of the admin role says about the tracked table.
type table struct {
	schema, name string
	columns      []column // in the order of the schema, by name
	key          string   // the primary key's column
}

// A column has a GraphQL type: uuid, String, Boolean, jsonb or timestamptz.
type column struct {
	name, typ string
	nullable  bool
}

func (t *table) column(name string) (column, bool) {
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
	if i < 0 {
		return column{}, false
	}
	return t.columns[i], true
}

// A role is one role's view of the project.
type role struct {
	permissions
	schema *ast.Schema
}

// A roleKey tells apart the two views of a role: backend_only mutations show
// only to requests that ask for them with the admin secret.
type roleKey struct {
	name        string
	backendOnly bool
}

// role gives the view of a session. A role that the metadata does not know has
// the view of one without permissions.
func (s *Server) role(session session) *role {
	for _, name := range []string{session.role, ""} {
		if r, ok := s.roles[roleKey{name, session.backendOnly}]; ok {
			return r
		}
	}
	panic("hasura: the role without permissions is missing")
}

func loadProject(project fs.FS) (*table, map[roleKey]*role, error) {
	text, err := fs.ReadFile(project, "schema.graphql")
	if err != nil {
		return nil, nil, err
	}
	metadata, err := readMetadata(project)
	if err != nil {
		return nil, nil, err
	}
	parse := func() (*ast.SchemaDocument, error) {
		return parser.ParseSchemas(validator.Prelude, &ast.Source{Name: "schema.graphql", Input: string(text)})
	}
	doc, err := parse()
	if err != nil {
		return nil, nil, err
	}
	schema, err := validator.ValidateSchemaDocument(doc)
	if err != nil {
		return nil, nil, err
	}
	t, all, err := tableOf(schema, metadata)
	if err != nil {
		return nil, nil, err
	}

	roles := map[roleKey]*role{
		{admin, false}: {all, schema},
		{admin, true}:  {all, schema},
	}
	granted := metadata.byRole()
	granted[""] = permissions{}
	for name, p := range granted {
		for _, backendOnly := range []bool{false, true} {
			doc, err := parse()
			if err != nil {
				return nil, nil, err
			}
			p := p.visible(backendOnly)
			reduce(doc, t, p)
			schema, err := validator.ValidateSchemaDocument(doc)
			if err != nil {
				return nil, nil, fmt.Errorf("schema of role %q: %w", name, err)
			}
			roles[roleKey{name, backendOnly}] = &role{p, schema}
		}
	}
	return t, roles, nil
}

// tableOf reads the table out of its object type, and makes the admin role's
// permissions for it.
func tableOf(schema *ast.Schema, metadata tableMetadata) (*table, permissions, error) {
	t := &table{schema: metadata.Table.Schema, name: metadata.Table.Name}
	object := schema.Types[t.name]
	key := schema.Types[t.name+"_pk_columns_input"]
	if object == nil || key == nil || len(key.Fields) != 1 {
		return nil, permissions{}, fmt.Errorf("schema.graphql has no type %s with a primary key of one column", t.name)
	}
	t.key = key.Fields[0].Name
	var names []string
	for _, field := range object.Fields {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		t.columns = append(t.columns, column{field.Name, field.Type.Name(), !field.Type.NonNull})
		names = append(names, field.Name)
	}
	all := &permission{Columns: names, AllowAggregations: true}
	return t, permissions{all, all, all}, nil
}

// visible hides what is for the backend only.
func (p permissions) visible(backendOnly bool) permissions {
	hide := func(p *permission) *permission {
		if p != nil && p.BackendOnly && !backendOnly {
			return nil
		}
		return p
	}
	return permissions{hide(p.insert), p.selects, hide(p.update)}
}
