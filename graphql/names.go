// Package graphql reads the names of the users table in Hasura's schema. They stand in
// upsertUser.graphql and schema.graphql alone.
package graphql

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

//go:embed upsertUser.graphql schema.graphql hasura/migrations
var files embed.FS

// Users has the names of the users table. Problem says why some are missing.
var Users, Problem = read(files)

// Names are those of a table in GraphQL.
type Names struct {
	Insert, InsertMany, Update  string // root fields, such as insert_users_one, insert_users and update_users
	OnConflict, Constraint      string // an argument of Insert, and the enum value of the key's constraint in it
	UpdateColumns               string // the field of the argument that names the columns to overwrite
	AffectedRows                string // the field of the results of InsertMany and Update
	Select, OrderBy             string // the root field that reads rows, such as users, and an argument of it
	Row                         string // the type of a row, such as users
	Input, Set, Condition       string // types of arguments, such as users_insert_input, users_set_input and users_bool_exp
	Order, Columns, Constraints string // the same, such as users_order_by, users_update_column and users_constraint
}

// read reads the names from upsertUser.graphql, and those that are not in it from
// schema.graphql.
func read(files fs.ReadFileFS) (n Names, err error) {
	operation, err := files.ReadFile("upsertUser.graphql")
	if err == nil {
		err = n.readOperation(string(operation))
	}
	if err != nil {
		return n, fmt.Errorf("upsertUser.graphql: %w", err)
	}
	text, err := files.ReadFile("schema.graphql")
	if err == nil {
		err = n.readSchema(string(text))
	}
	if err != nil {
		return n, fmt.Errorf("schema.graphql: %w", err)
	}
	return n, nil
}

func (n *Names) readOperation(text string) error {
	document, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		return err
	}
	if len(document.Operations) != 1 || len(document.Operations[0].SelectionSet) != 1 {
		return errors.New("want one mutation with one field")
	}
	operation := document.Operations[0]
	for variable, name := range map[string]*string{"user": &n.Input, "columns": &n.Columns, "where": &n.Condition} {
		definition := operation.VariableDefinitions.ForName(variable)
		if definition == nil {
			return fmt.Errorf("want the variable $%s", variable)
		}
		*name = definition.Type.Name()
	}
	// Hasura derives the names of a table's types from each other.
	n.Row = strings.TrimSuffix(strings.TrimSuffix(n.Input, "_insert_input"), "InsertInput")
	n.Constraints = strings.NewReplacer("_update_column", "_constraint", "UpdateColumn", "Constraint").Replace(n.Columns)
	field, ok := operation.SelectionSet[0].(*ast.Field)
	if !ok || field.Alias != "row" {
		return errors.New("want the alias row: of the root field")
	}
	n.Insert = field.Name
	for _, argument := range field.Arguments {
		constraint := argument.Value.Children.ForName("constraint")
		if constraint == nil {
			continue
		}
		n.OnConflict, n.Constraint = argument.Name, constraint.Raw
		for _, child := range argument.Value.Children {
			if child.Value.Kind == ast.Variable && child.Value.Raw == "columns" {
				n.UpdateColumns = child.Name
			}
		}
	}
	if n.Constraint == "" || n.UpdateColumns == "" {
		return errors.New("want a constraint and $columns in the condition for conflicts")
	}
	return nil
}

func (n *Names) readSchema(text string) error {
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: text})
	if err != nil {
		return err
	}
	if schema.Query == nil || schema.Mutation == nil {
		return errors.New("it has no query or no mutation")
	}
	for _, field := range schema.Query.Fields {
		// A function that returns rows has the argument args.
		if field.Type.Elem == nil || field.Type.Name() != n.Row || field.Arguments.ForName("args") != nil {
			continue
		}
		n.Select = field.Name
		for _, argument := range field.Arguments {
			if Same(argument.Name, "order_by") {
				n.OrderBy, n.Order = argument.Name, argument.Type.Name()
			}
		}
	}
	for _, field := range schema.Mutation.Fields {
		objects, set, where := field.Arguments.ForName("objects"), field.Arguments.ForName("_set"), field.Arguments.ForName("where")
		switch {
		case objects != nil && objects.Type.Name() == n.Input:
			n.InsertMany = field.Name
		case set != nil && where != nil && where.Type.Name() == n.Condition:
			n.Update, n.Set = field.Name, set.Type.Name()
		default:
			continue
		}
		for _, member := range schema.Types[field.Type.Name()].Fields {
			if Same(member.Name, "affected_rows") {
				n.AffectedRows = member.Name
			}
		}
	}
	if schema.Mutation.Fields.ForName(n.Insert) == nil || n.Select == "" || n.InsertMany == "" || n.Update == "" {
		return fmt.Errorf("it lacks %s, or fields that read, insert and update rows of the type %s", n.Insert, n.Row)
	}
	return nil
}

// Same reports whether two names are equal but for Hasura's naming convention, such as
// synced_at, syncedAt and SYNCED_AT.
func Same(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, "_", ""), strings.ReplaceAll(b, "_", ""))
}

// HasDefault reports whether the migrations give a column a default. The column has its
// name in GraphQL.
func HasDefault(column string) bool {
	paths, _ := fs.Glob(files, "hasura/migrations/default/*/up.sql") // the pattern is valid
	for _, path := range paths {
		text, _ := files.ReadFile(path)
		for _, match := range definition.FindAllStringSubmatch(string(text), -1) {
			if Same(cmp.Or(match[1], match[2]), column) {
				return true
			}
		}
	}
	return false
}

// definition is a column with a default in CREATE TABLE or ALTER TABLE.
var definition = regexp.MustCompile(`(?im)^\s*(?:ALTER TABLE (?:ONLY )?[\w."]+\s+)?(?:ADD COLUMN (?:IF NOT EXISTS )?)?(?:"(\w+)"|(\w+)) [^,;\n]*\b(?:DEFAULT|IDENTITY|SERIAL)\b`)
