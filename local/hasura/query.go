package hasura

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"github.com/vektah/gqlparser/v2/ast"
)

func (x execution) selectRows(ctx context.Context, field *ast.Field, args object, path string) (any, error) {
	where, _ := args.get("where")
	b, err := x.selection(field, expression(x.selects.Filter), where, path)
	if err != nil {
		return nil, err
	}
	if on, _ := args.get("distinct_on"); on != nil {
		return nil, unserved(path+".args.distinct_on", "distinct_on")
	}
	if orders, _ := args.get("order_by"); orders != nil {
		b.orderBy(orders.([]any))
	}
	if err := b.page(args, path); err != nil {
		return nil, err
	}
	rows, err := b.rows(ctx, field, path)
	if err != nil {
		return nil, err
	}
	if rows == nil {
		rows = []fields{}
	}
	return rows, nil
}

func (x execution) selectByKey(ctx context.Context, field *ast.Field, args object, path string) (any, error) {
	key, _ := args.get(x.table.key)
	b, err := x.selection(field, expression(x.selects.Filter), x.keyed(key), path)
	if err != nil {
		return nil, err
	}
	rows, err := b.rows(ctx, field, path)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return rows[0], nil
}

// keyed is the boolean expression for one row.
func (x execution) keyed(key any) object {
	return object{{x.table.key, object{{"_eq", key}}}}
}

// selection writes SELECT … WHERE: the columns of a field's selection set, of
// the rows that pass the role's filter and where.
func (x execution) selection(field *ast.Field, filter object, where any, path string) (*builder, error) {
	b := x.builder()
	b.write("SELECT 1")
	for _, selected := range x.fields(field.SelectionSet) {
		if column, ok := x.table.column(selected.Name); ok {
			if len(selected.Arguments) > 0 {
				return nil, unserved(path+".selectionSet."+selected.Name, "the argument path")
			}
			b.write(", ", x.database.dialect.output(column))
		}
	}
	b.write(" FROM ", x.database.dialect.tableName(x.table), " WHERE ")
	if err := b.where(filter, path); err != nil {
		return nil, err
	}
	b.write(" AND ")
	return b, b.where(where, path+".args.where")
}

var orders = map[string]string{
	"asc": "ASC NULLS LAST", "asc_nulls_first": "ASC NULLS FIRST", "asc_nulls_last": "ASC NULLS LAST",
	"desc": "DESC NULLS FIRST", "desc_nulls_first": "DESC NULLS FIRST", "desc_nulls_last": "DESC NULLS LAST",
}

func (b *builder) orderBy(list []any) {
	separator := " ORDER BY "
	for _, item := range list {
		order, _ := item.(object)
		for _, m := range order {
			if name, ok := m.value.(string); ok {
				b.write(separator)
				b.column(m.name)
				b.write(" ", orders[name])
				separator = ", "
			}
		}
	}
}

// page writes LIMIT and OFFSET. SQLite takes no OFFSET without LIMIT, so there is
// always one.
func (b *builder) page(args object, path string) error {
	limit, offset := math.MaxInt64, 0
	for name, target := range map[string]*int{"limit": &limit, "offset": &offset} {
		value, _ := args.get(name)
		if n, ok := value.(int); ok {
			if n < 0 {
				return refuse(validationFailed, path+".args."+name, "unexpected negative value")
			}
			*target = n
		}
	}
	b.write(fmt.Sprintf(" LIMIT %d OFFSET %d", limit, offset))
	return nil
}

// rows runs a selection and gives the rows in the shape of the field.
func (b *builder) rows(ctx context.Context, field *ast.Field, path string) ([]fields, error) {
	result, err := b.query(ctx, path)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	selected := b.fields(field.SelectionSet)
	var rows []fields
	for result.Next() {
		row := make(fields, len(selected))
		var one int
		targets := []any{&one}
		texts := make([]sql.NullString, len(selected))
		for i, f := range selected {
			row[i] = entry{f.Alias, b.table.name} // __typename
			if _, ok := b.table.column(f.Name); ok {
				targets = append(targets, &texts[i])
			}
		}
		if err := result.Scan(targets...); err != nil {
			return nil, err
		}
		for i, f := range selected {
			if _, ok := b.table.column(f.Name); ok {
				row[i].value = jsonText(texts[i])
			}
		}
		rows = append(rows, row)
	}
	if err := result.Err(); err != nil {
		return nil, b.failed(err, path)
	}
	return rows, nil
}

// jsonText is a column as dialect.output gives it: JSON in text.
func jsonText(text sql.NullString) json.RawMessage {
	if !text.Valid {
		return json.RawMessage("null")
	}
	return json.RawMessage(text.String)
}
