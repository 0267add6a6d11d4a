package hasura

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

const tablesFolder = "hasura/metadata/databases/default/tables"

// A permission is what a role may do with a table, in the words of Hasura's
// metadata. Keys that are not here are refused when the project is loaded, so
// that nothing the metadata says is silently not done.
type permission struct {
	Columns           []string      `yaml:"columns"`
	Filter            yaml.MapSlice `yaml:"filter"`
	Check             yaml.MapSlice `yaml:"check"`
	BackendOnly       bool          `yaml:"backend_only"`
	AllowAggregations bool          `yaml:"allow_aggregations"`
}

// permissions are one role's. nil is none.
type permissions struct {
	insert, selects, update *permission
}

// tableMetadata is a file such as public_users.yaml.
type tableMetadata struct {
	Table struct {
		Name   string `yaml:"name"`
		Schema string `yaml:"schema"`
	} `yaml:"table"`
	Insert []rolePermission `yaml:"insert_permissions"`
	Select []rolePermission `yaml:"select_permissions"`
	Update []rolePermission `yaml:"update_permissions"`
}

type rolePermission struct {
	Role       string     `yaml:"role"`
	Permission permission `yaml:"permission"`
	Comment    string     `yaml:"comment"`
}

func readMetadata(project fs.FS) (tableMetadata, error) {
	var metadata tableMetadata
	text, err := fs.ReadFile(project, path.Join(tablesFolder, "tables.yaml"))
	if err != nil {
		return metadata, err
	}
	var includes []string
	if err := yaml.Unmarshal(text, &includes); err != nil {
		return metadata, fmt.Errorf("tables.yaml: %w", err)
	}
	if len(includes) != 1 {
		return metadata, errors.New("tables.yaml: the local Hasura serves one table")
	}
	name, ok := strings.CutPrefix(includes[0], "!include ")
	if !ok {
		return metadata, fmt.Errorf("tables.yaml: %q is not an include", includes[0])
	}
	text, err = fs.ReadFile(project, path.Join(tablesFolder, name))
	if err != nil {
		return metadata, err
	}
	if err := yaml.UnmarshalWithOptions(text, &metadata, yaml.DisallowUnknownField(), yaml.UseOrderedMap()); err != nil {
		return metadata, fmt.Errorf("%s: %w", name, err)
	}
	return metadata, nil
}

// byRole turns the metadata around.
func (m tableMetadata) byRole() map[string]permissions {
	roles := map[string]permissions{}
	each := func(list []rolePermission, put func(*permissions, *permission)) {
		for _, item := range list {
			p := roles[item.Role]
			put(&p, &item.Permission)
			roles[item.Role] = p
		}
	}
	each(m.Insert, func(p *permissions, i *permission) { p.insert = i })
	each(m.Select, func(p *permissions, s *permission) { p.selects = s })
	each(m.Update, func(p *permissions, u *permission) { p.update = u })
	return roles
}

// A sessionVariable in a filter stands for its value, by its name in lower case.
type sessionVariable string

// expression turns a filter or check of the metadata into a boolean expression
// like those that come in operations.
func expression(slice yaml.MapSlice) object {
	var exp object
	for _, item := range slice {
		exp = append(exp, member{fmt.Sprint(item.Key), expressionValue(item.Value)})
	}
	return exp
}

func expressionValue(value any) any {
	switch value := value.(type) {
	case yaml.MapSlice:
		return expression(value)
	case []any:
		list := make([]any, len(value))
		for i, item := range value {
			list[i] = expressionValue(item)
		}
		return list
	case string:
		if jwt.IsSessionVariable(value) {
			return sessionVariable(strings.ToLower(value))
		}
	}
	return value
}
