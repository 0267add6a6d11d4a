package hasura

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

const (
	databasesFile = "hasura/metadata/databases/databases.yaml"
	tablesFolder  = "hasura/metadata/databases/default/tables"
)

// A project is what the folder graphql/ says: tables, root fields and roles. All names in it
// are those of the database or of Hasura's default naming convention.
type project struct {
	tables     []*table
	roots      map[string]root // by the name of the field in GraphQL
	roles      map[roleKey]*role
	camelCased bool // the naming convention is graphql-default
}

// A table is a tracked table with the columns that the schema of admin shows.
type table struct {
	schema, name string
	typ          string // its GraphQL type
	columns      []column
	key          string              // the column of the primary key
	constraints  map[string][]string // their columns by name
	custom       map[string]string   // columns by their custom names in GraphQL
}

// A column has a GraphQL type such as uuid, String, Boolean, jsonb or timestamptz.
type column struct {
	name, typ string
	nullable  bool
}

var wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// convention converts a GraphQL name to Hasura's default convention: affectedRows and
// EMAIL_VERIFIED under graphql-default are affected_rows and email_verified.
func (p *project) convention(name string) string {
	if !p.camelCased {
		return name
	}
	return strings.ToLower(wordStart.ReplaceAllString(name, "${1}_$2"))
}

// of returns the table that a type belongs to, and the rest of the type's name.
func (p *project) of(typ string) (t *table, suffix string) {
	for _, t := range p.tables {
		suffix, ok := strings.CutPrefix(p.convention(typ), t.typ)
		if ok && (suffix == "" || suffix[0] == '_') {
			return t, suffix
		}
	}
	return nil, ""
}

// columnName returns the column that a field or an enum value of a type stands for. Other names
// only follow the convention.
func (p *project) columnName(typ, name string) string {
	if t, _ := p.of(typ); t != nil && t.custom[name] != "" {
		return t.custom[name]
	}
	return p.convention(name)
}

func (t *table) columnNames() (names columnNames) {
	for _, c := range t.columns {
		names = append(names, c.name)
	}
	return names
}

func (t *table) column(name string) (column, bool) {
	i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
	if i < 0 {
		return column{}, false
	}
	return t.columns[i], true
}

// A root is a root field of a table.
type root struct {
	table *table
	kind  string // a key of custom_root_fields, such as insert_one
}

// rootNames are the default names of root fields by kind. %s is the table's GraphQL type.
var rootNames = map[string]string{
	"select": "%s", "select_by_pk": "%s_by_pk", "select_aggregate": "%s_aggregate", "select_stream": "%s_stream",
	"insert": "insert_%s", "insert_one": "insert_%s_one",
	"update": "update_%s", "update_by_pk": "update_%s_by_pk", "update_many": "update_%s_many",
	"delete": "delete_%s", "delete_by_pk": "delete_%s_by_pk",
}

// tableMetadata is a file such as public_users.yaml. Keys that are not here are refused:
// the stand-in must not ignore what it does not know. A key of type any changes nothing about
// the columns and the permissions that the stand-in serves.
type tableMetadata struct {
	Table struct {
		Name   string `yaml:"name"`
		Schema string `yaml:"schema"`
	} `yaml:"table"`
	Configuration struct {
		Comment           string            `yaml:"comment"`
		CustomName        string            `yaml:"custom_name"`
		CustomRootFields  map[string]alias  `yaml:"custom_root_fields"`
		CustomColumnNames map[string]string `yaml:"custom_column_names"`
		ColumnConfig      map[string]struct {
			CustomName string `yaml:"custom_name"`
			Comment    string `yaml:"comment"`
		} `yaml:"column_config"`
	} `yaml:"configuration"`
	Insert []rolePermission `yaml:"insert_permissions"`
	Select []rolePermission `yaml:"select_permissions"`
	Update []rolePermission `yaml:"update_permissions"`

	Delete              any `yaml:"delete_permissions"`
	ObjectRelationships any `yaml:"object_relationships"`
	ArrayRelationships  any `yaml:"array_relationships"`
	RemoteRelationships any `yaml:"remote_relationships"`
	ComputedFields      any `yaml:"computed_fields"`
	EventTriggers       any `yaml:"event_triggers"`
	IsEnum              any `yaml:"is_enum"`
	ApolloFederation    any `yaml:"apollo_federation_config"`
}

// An alias is the name of a root field: a text, or an object with a name and a comment.
type alias string

// UnmarshalYAML reads both forms.
func (a *alias) UnmarshalYAML(text []byte) error {
	var object struct {
		Name    string `yaml:"name"`
		Comment string `yaml:"comment"`
	}
	if err := yaml.Unmarshal(text, (*string)(a)); err == nil {
		return nil
	}
	err := yaml.UnmarshalWithOptions(text, &object, yaml.DisallowUnknownField())
	*a = alias(object.Name)
	return err
}

// columnNames are the columns of a permission: a list, or a star for all of them.
type columnNames []string

// UnmarshalYAML reads both forms. A star is the only name of a list.
func (c *columnNames) UnmarshalYAML(text []byte) error {
	if strings.Trim(strings.TrimSpace(string(text)), `"'`) == "*" {
		*c = columnNames{"*"}
		return nil
	}
	return yaml.Unmarshal(text, (*[]string)(c))
}

type rolePermission struct {
	Role       string     `yaml:"role"`
	Permission permission `yaml:"permission"`
	Comment    string     `yaml:"comment"`
}

// A permission is what a role may do with a table, in the terms of Hasura's metadata.
type permission struct {
	Columns           columnNames    `yaml:"columns"`
	Filter            map[string]any `yaml:"filter"`
	Check             map[string]any `yaml:"check"`
	BackendOnly       bool           `yaml:"backend_only"`
	AllowAggregations bool           `yaml:"allow_aggregations"`

	ComputedFields         any `yaml:"computed_fields"`
	QueryRootFields        any `yaml:"query_root_fields"`
	SubscriptionRootFields any `yaml:"subscription_root_fields"`
}

func readMetadata(project fs.FS) (tables []tableMetadata, err error) {
	read := func(name string, to any) error {
		text, err := fs.ReadFile(project, path.Join(tablesFolder, name))
		if err != nil {
			return err
		}
		if err := yaml.UnmarshalWithOptions(text, to, yaml.DisallowUnknownField()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	var includes []string
	if err := read("tables.yaml", &includes); err != nil {
		return nil, err
	}
	for _, include := range includes {
		name, ok := strings.CutPrefix(include, "!include ")
		if !ok {
			return nil, fmt.Errorf("tables.yaml: %q is not an include", include)
		}
		var table tableMetadata
		if err := read(name, &table); err != nil {
			return nil, err
		}
		tables = append(tables, table)
	}
	return tables, nil
}

// A sessionVariable in a filter or check stands for its value. Its name is in lower case.
type sessionVariable string

// withVariables replaces the names of session variables in a filter or check.
func withVariables(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			value[name] = withVariables(member)
		}
	case []any:
		for i, item := range value {
			value[i] = withVariables(item)
		}
	case string:
		if jwt.IsSessionVariable(value) {
			return sessionVariable(strings.ToLower(value))
		}
	}
	return value
}

func loadProject(files fs.FS) (*project, error) {
	metadata, err := readMetadata(files)
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(files, "schema.graphql")
	if err != nil {
		return nil, err
	}
	doc, err := parser.ParseSchemas(validator.Prelude, &ast.Source{Name: "schema.graphql", Input: string(text)})
	if err != nil {
		return nil, err
	}
	schema, err := validator.ValidateSchemaDocument(doc)
	if err != nil {
		return nil, err
	}
	p := &project{roots: map[string]root{}, roles: map[roleKey]*role{}}
	if p.camelCased, err = readConvention(files); err != nil {
		return nil, err
	}
	all := grants{}
	granted := map[string]grants{"": {}} // by role; the empty name stands for a role without permissions
	for _, m := range metadata {
		t, err := p.tableOf(schema, m)
		if err != nil {
			return nil, err
		}
		p.tables = append(p.tables, t)
		p.addRoots(schema, t, m.Configuration.CustomRootFields)
		everything := &permission{AllowAggregations: true, Columns: t.columnNames()}
		all[t] = permissions{everything, everything, everything}
		m.grant(t, granted)
	}
	// of looks for the longest name that a type begins with.
	slices.SortFunc(p.tables, func(a, b *table) int { return len(b.typ) - len(a.typ) })
	for _, backendOnly := range []bool{false, true} {
		p.roles[roleKey{admin, backendOnly}] = &role{p, all, schema}
		for name, g := range granted {
			g := g.visible(backendOnly)
			p.roles[roleKey{name, backendOnly}] = &role{p, g, p.reduce(schema, g)}
		}
	}
	return p, nil
}

// readConvention reports whether the naming convention is graphql-default.
func readConvention(files fs.FS) (camelCased bool, err error) {
	text, err := fs.ReadFile(files, databasesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	var databases []struct {
		Customization struct {
			Convention string `yaml:"naming_convention"`
		} `yaml:"customization"`
	}
	if err == nil {
		err = yaml.Unmarshal(text, &databases)
	}
	return len(databases) > 0 && databases[0].Customization.Convention == "graphql-default", err
}

// addRoots finds the root fields of a table in the schema.
func (p *project) addRoots(schema *ast.Schema, t *table, custom map[string]alias) {
	for kind, format := range rootNames {
		name := fmt.Sprintf(format, t.typ)
		for _, def := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
			if def == nil {
				continue
			}
			for _, field := range def.Fields {
				if field.Name == string(custom[kind]) || custom[kind] == "" && p.convention(field.Name) == name {
					p.roots[field.Name] = root{t, kind}
				}
			}
		}
	}
}

// tableOf reads a table's columns from its object type and its insert input.
func (p *project) tableOf(schema *ast.Schema, m tableMetadata) (*table, error) {
	t := &table{schema: m.Table.Schema, name: m.Table.Name, typ: m.Table.Name, constraints: map[string][]string{}, custom: map[string]string{}}
	if t.schema != "public" {
		t.typ = t.schema + "_" + t.name
	}
	t.typ = p.convention(cmp.Or(m.Configuration.CustomName, t.typ))
	for name, custom := range m.Configuration.CustomColumnNames {
		t.custom[custom] = name
	}
	for name, config := range m.Configuration.ColumnConfig {
		t.custom[config.CustomName] = name
	}
	types := map[string]*ast.Definition{}
	for name, def := range schema.Types {
		types[p.convention(name)] = def
	}
	object, key := types[t.typ], types[t.typ+"_pk_columns_input"]
	if object == nil || key == nil || len(key.Fields) != 1 {
		return nil, fmt.Errorf("schema.graphql has no type %s with a primary key of one column", t.typ)
	}
	named := func(name string) string { return cmp.Or(t.custom[name], p.convention(name)) }
	t.key = named(key.Fields[0].Name)
	columns := object.Fields
	if input := types[t.typ+"_insert_input"]; input != nil {
		columns = slices.Concat(columns, input.Fields)
	}
	for _, field := range columns {
		if kind := schema.Types[field.Type.Name()].Kind; kind != ast.Scalar && kind != ast.Enum {
			continue // a relationship
		}
		if _, known := t.column(named(field.Name)); !known && !strings.HasPrefix(field.Name, "__") {
			t.columns = append(t.columns, column{named(field.Name), field.Type.Name(), !field.Type.NonNull})
		}
	}
	if constraints := types[t.typ+"_constraint"]; constraints != nil {
		for _, value := range constraints.EnumValues {
			// The description is: unique or primary key constraint on columns "a", "b"
			for _, match := range quotedNames.FindAllStringSubmatch(value.Description, -1) {
				name := p.convention(value.Name)
				t.constraints[name] = append(t.constraints[name], match[1])
			}
		}
	}
	return t, nil
}

// grant adds the table's permissions to those of the roles.
func (m tableMetadata) grant(t *table, roles map[string]grants) {
	each := func(list []rolePermission, set func(*permissions, *permission)) {
		for _, item := range list {
			withVariables(item.Permission.Filter)
			withVariables(item.Permission.Check)
			if roles[item.Role] == nil {
				roles[item.Role] = grants{}
			}
			if slices.Equal(item.Permission.Columns, columnNames{"*"}) {
				item.Permission.Columns = t.columnNames()
			}
			p := roles[item.Role][t]
			set(&p, &item.Permission)
			roles[item.Role][t] = p
		}
	}
	each(m.Insert, func(p *permissions, i *permission) { p.insert = i })
	each(m.Select, func(p *permissions, s *permission) { p.selects = s })
	each(m.Update, func(p *permissions, u *permission) { p.update = u })
}
