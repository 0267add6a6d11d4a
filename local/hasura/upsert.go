package hasura

import (
	"context"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// insertOne serves insert_users_one: the row, or null when on_conflict left the
// row that was there alone.
func (x execution) insertOne(ctx context.Context, field *ast.Field, args object, path string) (any, error) {
	row, _ := args.get("object")
	keys, err := x.insert(ctx, []any{row}, args, path+".args.object", path)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	rows, err := x.returning(ctx, keys, field, path)
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// insertMany serves insert_users: all rows in one statement.
func (x execution) insertMany(ctx context.Context, field *ast.Field, args object, path string) (any, error) {
	rows, _ := args.get("objects")
	keys, err := x.insert(ctx, rows.([]any), args, path+".args.objects", path)
	if err != nil {
		return nil, err
	}
	var response fields
	for _, f := range x.fields(field.SelectionSet) {
		var value any
		switch f.Name {
		case "__typename":
			value = x.table.name + "_mutation_response"
		case "affected_rows":
			value = len(keys)
		case "returning":
			if value, err = x.returning(ctx, keys, f, path); err != nil {
				return nil, err
			}
		}
		response = append(response, entry{f.Alias, value})
	}
	return response, nil
}

// insert runs INSERT … ON CONFLICT and gives the keys of the rows it wrote.
func (x execution) insert(ctx context.Context, rows []any, args object, rowsPath, path string) ([]string, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	conflict, _ := args.get("on_conflict")
	on, _ := conflict.(object)
	b := x.builder()
	before, err := x.database.dialect.beforeInsert(ctx, x, rows, on)
	if err != nil {
		b.fault = err
	}
	b.write("INSERT INTO ", x.database.dialect.tableName(x.table), " (")
	list(b, x.table.columns, func(c column) error { b.write(quote(c.name)); return nil })
	b.write(") VALUES ")
	if err := list(b, rows, b.values); err != nil {
		return nil, err
	}
	if on != nil {
		if err := b.onConflict(on, path+".args.on_conflict"); err != nil {
			return nil, err
		}
	}
	b.write(" RETURNING CAST(", quote(x.table.key), " AS text), CASE WHEN ")
	x.database.dialect.inserted(b, before)
	b.write(" THEN ")
	if err := b.where(expression(x.permissions.insert.Check), path); err != nil {
		return nil, err
	}
	b.write(" ELSE ")
	var updateCheck object
	if x.update != nil {
		updateCheck = expression(x.update.Check)
	}
	if err := b.where(updateCheck, path); err != nil {
		return nil, err
	}
	b.write(" END")
	return b.written(ctx, rowsPath)
}

// values writes a row: the value of a column, or its default. An explicit null
// is no default.
func (b *builder) values(row any) error {
	given, _ := row.(object)
	b.write("(")
	err := list(b, b.table.columns, func(c column) error {
		value, ok := given.get(c.name)
		if !ok {
			b.write(b.database.dialect.defaultOf(c))
			return nil
		}
		return b.bind(c.typ, value)
	})
	b.write(")")
	return err
}

// onConflict writes what becomes of the row that is there. A column that is
// named but was not given gets its default: EXCLUDED is the row that would have
// been inserted.
func (b *builder) onConflict(on object, path string) error {
	constraint, _ := on.get("constraint")
	b.write(" ON CONFLICT ", b.database.dialect.conflictTarget(b.table, constraint.(string)))
	columns := updateColumns(on)
	if len(columns) == 0 {
		b.write(" DO NOTHING")
		return nil
	}
	b.write(" DO UPDATE SET ")
	list(b, columns, func(name string) error {
		b.write(quote(name), " = EXCLUDED.", quote(name))
		return nil
	})
	b.write(" WHERE ")
	if err := b.where(expression(b.update.Filter), path); err != nil {
		return err
	}
	b.write(" AND ")
	where, _ := on.get("where")
	return b.where(where, path+".where")
}

func updateColumns(on object) []string {
	value, _ := on.get("update_columns")
	names, _ := value.([]any)
	var columns []string
	for _, name := range names {
		if !slices.Contains(columns, name.(string)) {
			columns = append(columns, name.(string))
		}
	}
	return columns
}

// written runs an insert and gives the keys of the rows it wrote, if the role's
// checks hold for all of them.
func (b *builder) written(ctx context.Context, path string) ([]string, error) {
	result, err := b.query(ctx, path)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	var keys []string
	for result.Next() {
		var key string
		var ok bool
		if err := result.Scan(&key, &ok); err != nil {
			return nil, err
		}
		if !ok {
			return nil, refuse(permissionError, "", "check constraint of an insert/update permission has failed")
		}
		keys = append(keys, key)
	}
	if err := result.Err(); err != nil {
		return nil, b.failed(err, path)
	}
	return keys, nil
}

// returning reads the rows that were written, in the order of the keys. It reads
// them again because SQLite's RETURNING does not see what triggers did. The
// role's filter does not hide what the role has just written.
func (x execution) returning(ctx context.Context, keys []string, field *ast.Field, path string) ([]fields, error) {
	rows := []fields{}
	for _, key := range keys {
		b, err := x.selection(field, nil, x.keyed(key), path)
		if err != nil {
			return nil, err
		}
		row, err := b.rows(ctx, field, path)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row...)
	}
	return rows, nil
}
