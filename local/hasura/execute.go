package hasura

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
)

// fields are the members of a JSON object of the answer, in the order asked for.
type fields []entry

type entry struct {
	name  string
	value any
}

func (f fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(e.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(e.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// An execution is an operation that runs: for whom, and where.
type execution struct {
	*operation
	session  session
	table    *table
	database *Database
	db       querier
}

// A querier is a database or a transaction in it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// execute runs an operation. The fields of a mutation run in order, in one
// transaction: all of them or none.
func (s *Server) execute(ctx context.Context, who session, o *operation) (fields, error) {
	x := execution{o, who, s.table, s.config.Database, s.config.Database.SQL}
	if o.definition.Operation != ast.Mutation {
		return x.root(ctx, x.queryField)
	}
	tx, err := x.database.SQL.BeginTx(ctx, nil)
	if err != nil {
		return nil, x.failed(err, statement{}, "")
	}
	defer tx.Rollback()
	x.db = tx
	data, err := x.root(ctx, x.mutationField)
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, x.failed(err, statement{sql: "COMMIT"}, "")
	}
	return data, nil
}

// root runs the root fields one by one.
func (x execution) root(ctx context.Context, run func(context.Context, *ast.Field, object, string) (any, error)) (fields, error) {
	var data fields
	for _, field := range x.fields(x.definition.SelectionSet) {
		path := "$.selectionSet." + field.Name
		args, err := x.arguments(field, path)
		if err != nil {
			return nil, err
		}
		value, err := run(ctx, field, args, path)
		if err != nil {
			return nil, err
		}
		data = append(data, entry{field.Alias, value})
	}
	return data, nil
}

func (x execution) queryField(ctx context.Context, field *ast.Field, args object, path string) (any, error) {
	switch field.Name {
	case "__typename":
		return x.schema.Query.Name, nil
	case "__schema", "__type":
		return x.introspect(field, args), nil
	case "no_queries_available":
		return noQueries, nil
	case x.table.name:
		return x.selectRows(ctx, field, args, path)
	case x.table.name + "_by_pk":
		return x.selectByKey(ctx, field, args, path)
	}
	return nil, unserved(path, "the query %s", field.Name)
}

func (x execution) mutationField(ctx context.Context, field *ast.Field, args object, path string) (any, error) {
	switch field.Name {
	case "__typename":
		return x.schema.Mutation.Name, nil
	case "insert_" + x.table.name + "_one":
		return x.insertOne(ctx, field, args, path)
	case "insert_" + x.table.name:
		return x.insertMany(ctx, field, args, path)
	}
	return nil, unserved(path, "the mutation %s", field.Name)
}

// failed turns what the database says into an answer.
func (x execution) failed(err error, s statement, path string) error {
	return databaseError(x.database.dialect.failure(err), s, path, x.session.role == admin)
}
