package hasura

import (
	"context"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
)

// insert runs INSERT … ON CONFLICT for the rows and returns the keys of those that it wrote.
func (x *execution) insert(ctx context.Context, c call, rows []any, path string) (keys []string, err error) {
	for rest := rows; len(rest) > 0; {
		batch := x.batch(c, rest)
		rest = rest[len(batch):]
		written, err := x.insertRows(ctx, c, batch).written(ctx, path)
		if err != nil {
			return nil, err
		}
		// Hasura sends one statement for all rows, and PostgreSQL refuses this there.
		if len(written) > 0 && slices.Contains(keys, written[0]) {
			return nil, x.failed(&failure{state: "21000",
				message: "ON CONFLICT DO UPDATE command cannot affect row a second time",
				hint:    "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.",
			}, path, "INSERT", rows)
		}
		keys = append(keys, written...)
	}
	return keys, nil
}

// given are the columns of a table that an object has.
func (t *table) given(object map[string]any) (columns []column) {
	for _, column := range t.columns {
		if _, ok := object[column.name]; ok {
			columns = append(columns, column)
		}
	}
	return columns
}

// batch returns the first rows that one statement can insert: those with the same columns.
// On SQLite it is one row, see [sqliteDialect.isNew].
func (x *execution) batch(c call, rows []any) (batch []map[string]any) {
	const maxParameters = 65_535 // of a statement of PostgreSQL
	columns := c.table.given(rows[0].(map[string]any))
	limit := 1
	if _, ok := x.database.dialect.(postgres); ok && len(columns) > 0 {
		limit = min(len(rows), maxParameters/2/len(columns)) // half is left to the conditions
	}
	for _, row := range rows[:limit] {
		row := row.(map[string]any)
		if !slices.Equal(c.table.given(row), columns) {
			break
		}
		batch = append(batch, row)
	}
	return batch
}

// insertRows writes the statement for rows with the same columns.
func (x *execution) insertRows(ctx context.Context, c call, rows []map[string]any) *statement {
	dialect, columns := x.database.dialect, c.table.given(rows[0])
	s := x.statement(c.table, "INSERT INTO ", dialect.tableName(c.table))
	if len(columns) == 0 {
		s.write(" DEFAULT VALUES")
	} else {
		s.write(" (")
		list(s, columns, func(column column) { s.write(quote(column.name)) })
		s.write(") VALUES ")
		list(s, rows, func(row map[string]any) {
			s.write("(")
			list(s, columns, func(column column) { s.bind(column.typ, row[column.name]) })
			s.write(")")
		})
	}
	onConflict, upsert := c.args["on_conflict"].(map[string]any)
	if upsert {
		s.onConflict(onConflict, c.permissions.update, c.path+".args.on_conflict")
	}
	s.write(" RETURNING CAST(", quote(c.table.key), " AS text), ")
	if !upsert {
		s.where(c.permissions.insert.Check, c.path)
		return s
	}
	s.write("CASE WHEN ")
	dialect.isNew(ctx, s, onConflict["constraint"].(string), rows[0])
	s.write(" THEN ")
	s.where(c.permissions.insert.Check, c.path)
	s.write(" ELSE ")
	s.where(c.permissions.update.Check, c.path)
	s.write(" END")
	return s
}

// onConflict writes what happens to an existing row. EXCLUDED is the row that was to be
// inserted: a column in update_columns that was not given gets its default.
func (s *statement) onConflict(onConflict map[string]any, update *permission, path string) {
	s.write(" ON CONFLICT ", s.database.dialect.conflictTarget(s.table, onConflict["constraint"].(string)))
	columns, _ := onConflict["update_columns"].([]any)
	if len(columns) == 0 {
		s.write(" DO NOTHING")
		return
	}
	s.write(" DO UPDATE SET ")
	names := map[any]bool{}
	for _, name := range columns {
		names[name] = true
	}
	list(s, slices.Collect(maps.Keys(names)), func(name any) {
		s.write(quote(name.(string)), " = EXCLUDED.", quote(name.(string)))
	})
	s.write(" WHERE ")
	s.where(update.Filter, path)
	s.write(" AND ")
	s.where(onConflict["where"], path+".where")
}

// update runs UPDATE and returns the keys of the rows that it wrote.
func (x *execution) update(ctx context.Context, c call, where any) ([]string, error) {
	for name := range c.args {
		if !slices.Contains([]string{"_set", "where", "pk_columns"}, name) {
			return nil, notServed(c.path+".args."+name, "the argument %s", name)
		}
	}
	set, _ := c.args["_set"].(map[string]any)
	if len(set) == 0 {
		return nil, notServed(c.path, "an update without _set")
	}
	s := x.statement(c.table, "UPDATE ", x.database.dialect.tableName(c.table), " SET ")
	list(s, c.table.given(set), func(column column) {
		s.write(quote(column.name), " = ")
		s.bind(column.typ, set[column.name])
	})
	s.write(" WHERE ")
	s.where(c.permissions.update.Filter, c.path)
	s.write(" AND ")
	s.where(where, c.path+".args.where")
	s.write(" RETURNING CAST(", quote(c.table.key), " AS text), ")
	s.where(c.permissions.update.Check, c.path)
	return s.written(ctx, c.path)
}

// remove runs DELETE and returns the keys of the rows that it removed. Only admin has this mutation: the metadata that the
// stand-in reads grants no delete.
func (x *execution) remove(ctx context.Context, c call) ([]string, error) {
	for _, f := range x.fields(c.field.Selections) {
		if f.Name == "returning" {
			return nil, notServed(c.path+".selectionSet."+f.Name, "the rows that were deleted")
		}
	}
	s := x.statement(c.table, "DELETE FROM ", x.database.dialect.tableName(c.table), " WHERE ")
	s.where(c.args["where"], c.path+".args.where")
	s.write(" RETURNING CAST(", quote(c.table.key), " AS text), TRUE")
	return s.written(ctx, c.path)
}

// written runs an INSERT, UPDATE or DELETE and returns the keys of the rows that it wrote. The
// role's check must hold for all of them.
func (s *statement) written(ctx context.Context, path string) (keys []string, err error) {
	err = s.query(ctx, path, func(row *sql.Rows) error {
		var key string
		var ok bool
		if err := row.Scan(&key, &ok); err != nil {
			return err
		}
		if !ok {
			return refuse(permissionError, path, "check constraint of an insert/update permission has failed")
		}
		keys = append(keys, key)
		return nil
	})
	return keys, err
}

// returning reads the rows that were written, in the order of the keys. RETURNING does not
// do it, because SQLite's does not see what triggers change. The role's filter does not
// apply to rows that the role has just written.
func (x *execution) returning(ctx context.Context, c call, keys []string) ([]json.RawMessage, error) {
	rows := []json.RawMessage{}
	for _, key := range keys {
		row, err := x.selectByKey(ctx, c, key, nil)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row...)
	}
	return rows, nil
}

// response is the result of a mutation of several rows, of type …_mutation_response.
func (x *execution) response(ctx context.Context, c call, keys []string) (data map[string]any, err error) {
	data = map[string]any{}
	for _, f := range x.fields(c.field.Selections) {
		switch x.convention(f.Name) {
		case "__typename":
			data[f.Alias] = f.ObjectDefinition.Name
		case "affected_rows":
			data[f.Alias] = len(keys)
		case "returning":
			c.field = f
			if data[f.Alias], err = x.returning(ctx, c, keys); err != nil {
				return nil, err
			}
		}
	}
	return data, nil
}
