package hasura

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"github.com/99designs/gqlgen/graphql"
)

func (x *execution) selectRows(ctx context.Context, c call) ([]json.RawMessage, error) {
	s := x.selection(c, c.selects.Filter, c.args["where"])
	if c.args["distinct_on"] != nil {
		s.fail(notServed(c.path+".args.distinct_on", "distinct_on"))
	}
	s.orderBy(c.args["order_by"], c.path+".args.order_by")
	s.page(c.args)
	return s.rows(ctx)
}

func (x *execution) selectByKey(ctx context.Context, c call, key any, filter map[string]any) ([]json.RawMessage, error) {
	return x.selection(c, filter, c.table.keyed(key)).rows(ctx)
}

// keyed is the boolean expression for the row with a key.
func (t *table) keyed(key any) map[string]any {
	return map[string]any{t.key: map[string]any{"_eq": key}}
}

// selection writes SELECT … WHERE for the rows that pass the filter and where. Each row is
// one JSON object with the fields of the call's selection set.
func (x *execution) selection(c call, filter map[string]any, where any) *statement {
	dialect := x.database.dialect
	s := x.statement(c.table, "SELECT CAST(", dialect.jsonObject(), "(")
	list(s, x.fields(c.field.Selections), func(f graphql.CollectedField) {
		value := "'" + f.ObjectDefinition.Name + "'" // __typename
		if column, ok := c.table.column(x.columnName(f.ObjectDefinition.Name, f.Name)); ok {
			value = dialect.jsonOf(column)
		}
		if len(f.Arguments) > 0 {
			s.fail(notServed(c.path+".selectionSet."+f.Name, "the argument path"))
		}
		s.write("'", f.Alias, "', ", value)
	})
	s.write(") AS text) FROM ", dialect.tableName(c.table), " WHERE ")
	s.where(filter, c.path)
	s.write(" AND ")
	s.where(where, c.path+".args.where")
	return s
}

var orders = map[string]string{
	"asc": "ASC NULLS LAST", "asc_nulls_first": "ASC NULLS FIRST", "asc_nulls_last": "ASC NULLS LAST",
	"desc": "DESC NULLS FIRST", "desc_nulls_first": "DESC NULLS FIRST", "desc_nulls_last": "DESC NULLS LAST",
}

func (s *statement) orderBy(order any, path string) {
	items, _ := order.([]any)
	separator := " ORDER BY "
	for _, item := range items {
		columns, _ := item.(map[string]any)
		if len(columns) > 1 {
			s.fail(notServed(path, "an object with several columns; use a list"))
		}
		for name, direction := range columns {
			if direction != nil {
				s.write(separator)
				s.column(name)
				s.write(" ", orders[direction.(string)])
				separator = ", "
			}
		}
	}
}

// page writes LIMIT and OFFSET. There is always a limit, because SQLite needs one before
// OFFSET.
func (s *statement) page(args map[string]any) {
	limit, limited := args["limit"].(int64)
	if !limited {
		limit = math.MaxInt64
	}
	offset, _ := args["offset"].(int64)
	if offset < 0 {
		s.fail(&failure{state: "2201X", message: "OFFSET must not be negative"})
	}
	s.write(fmt.Sprintf(" LIMIT %d OFFSET %d", limit, offset))
}

// rows runs a selection. Hasura gives errors of a selection no path.
func (s *statement) rows(ctx context.Context) ([]json.RawMessage, error) {
	rows := []json.RawMessage{}
	err := s.query(ctx, "", func(row *sql.Rows) error {
		var text string
		err := row.Scan(&text)
		rows = append(rows, json.RawMessage(text))
		return err
	})
	return rows, err
}
