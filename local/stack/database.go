package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/phenom-earth/hasura-cognito/local/hasura"
)

// CheckDatabaseURL refuses what is not the URL of a PostgreSQL database. The error does not quote it: it can hold a password.
func CheckDatabaseURL(url string) error {
	if url == "" || strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return nil
	}
	return errors.New("DATABASE_URL: not the URL of a PostgreSQL database. Write postgres://user:password@host:5432/database")
}

// openDatabase opens the database, creates public.users if it is missing, and refuses a table that the functions cannot write.
func openDatabase(ctx context.Context, project fs.FS, url string) (*hasura.Database, error) {
	if err := CheckDatabaseURL(url); err != nil {
		return nil, err
	}
	db, err := hasura.Open(ctx, project, url)
	if err != nil || url == "" {
		return db, err
	}
	var found []column
	want, err := columnsOf(project)
	if err == nil {
		found, err = readColumns(ctx, db)
	}
	if err == nil {
		err = misfit(want, found)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("table public.users of %s: %w", db.Name, err), db.Close())
	}
	return db, nil
}

// A column has the type that Hasura gives it.
type column struct {
	name, typ string
	required  bool // NOT NULL without a default
	key       bool // in the constraint users_pkey, which the upsert names
}

// columnsOf reads the columns that the functions know from graphql/schema.graphql.
func columnsOf(project fs.FS) (columns []column, err error) {
	text, err := fs.ReadFile(project, "schema.graphql")
	if err != nil {
		return nil, err
	}
	schema, err := parser.ParseSchema(&ast.Source{Name: "schema.graphql", Input: string(text)})
	if err != nil {
		return nil, err
	}
	for _, field := range schema.Definitions.ForName("users_insert_input").Fields {
		columns = append(columns, column{name: field.Name, typ: field.Type.Name()})
	}
	return columns, nil
}

func readColumns(ctx context.Context, db *hasura.Database) (columns []column, err error) {
	rows, err := db.SQL.QueryContext(ctx, `SELECT column_name,
		CASE udt_name WHEN 'text' THEN 'String' WHEN 'varchar' THEN 'String' WHEN 'bool' THEN 'Boolean' ELSE udt_name END,
		is_nullable = 'NO' AND column_default IS NULL,
		EXISTS (SELECT FROM information_schema.key_column_usage k WHERE k.constraint_name = 'users_pkey'
			AND (k.table_schema, k.table_name, k.column_name) = (c.table_schema, c.table_name, c.column_name))
		FROM information_schema.columns c WHERE table_schema = 'public' AND table_name = 'users'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.typ, &c.required, &c.key); err != nil {
			return nil, err
		}
		columns = append(columns, c)
	}
	return columns, rows.Err()
}

// misfit names the columns because of which the functions could not write the table; nil means none.
func misfit(want, found []column) error {
	var errs []error
	named := func(columns []column, name string) int {
		return slices.IndexFunc(columns, func(c column) bool { return c.name == name })
	}
	for _, c := range want {
		if i := named(found, c.name); i < 0 {
			errs = append(errs, fmt.Errorf("column %s is missing", c.name))
		} else if found[i].typ != c.typ {
			errs = append(errs, fmt.Errorf("column %s has type %s, want %s", c.name, found[i].typ, c.typ))
		}
	}
	for _, c := range found {
		if c.key != (c.name == "id") {
			errs = append(errs, errors.New("the primary key users_pkey is not the column id alone"))
		}
		if c.required && c.name != "id" && c.name != "synced_at" { // which every sync has
			errs = append(errs, fmt.Errorf("column %s is NOT NULL and has no default", c.name))
		}
	}
	return errors.Join(errs...)
}
