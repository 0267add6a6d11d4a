package hasura

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A statement is SQL for one table in the making. Its methods keep the first error until
// query.
type statement struct {
	*execution
	table *table
	text  strings.Builder
	args  []any
	err   error
}

func (x *execution) statement(t *table, parts ...string) *statement {
	s := &statement{execution: x, table: t}
	s.write(parts...)
	return s
}

func (s *statement) write(parts ...string) {
	for _, part := range parts {
		s.text.WriteString(part)
	}
}

// fail keeps an error. Hasura's own errors come before those of the database, which would
// be found only when the statement runs.
func (s *statement) fail(err error) {
	if _, ofDatabase := errors.AsType[*failure](s.err); s.err == nil || ofDatabase {
		s.err = err
	}
}

// column writes the name of a column with its table. Without the table it would be
// ambiguous in ON CONFLICT DO UPDATE.
func (s *statement) column(name string) { s.write(quote(s.table.name), ".", quote(name)) }

// list writes items with commas between them.
func list[T any](s *statement, items []T, write func(T)) {
	for i, item := range items {
		if i > 0 {
			s.write(", ")
		}
		write(item)
	}
}

// bind writes an argument of a column's type. It is sent as text, so that errors are those
// of PostgreSQL for this text.
func (s *statement) bind(typ string, value any) {
	switch v := value.(type) {
	case nil:
		s.write("NULL")
		return
	case sessionVariable:
		value = s.variable(v)
	case json.RawMessage:
		value = string(v)
	}
	s.database.dialect.bind(s, typ, fmt.Sprint(value))
}

// variable returns the value of a session variable, which must not be missing.
func (s *statement) variable(v sessionVariable) string {
	text, ok := s.session.variables[string(v)]
	if !ok {
		s.fail(refuse(notFound, "", "missing session variable: %q", string(v)))
	}
	return text
}

// argument adds an argument and returns its number.
func (s *statement) argument(value any) int {
	s.args = append(s.args, value)
	return len(s.args)
}

// query runs the statement and calls row for each row. Errors of the database get the path.
func (s *statement) query(ctx context.Context, path string, row func(*sql.Rows) error) error {
	err := s.err
	if err == nil {
		var rows *sql.Rows
		if rows, err = s.db.QueryContext(ctx, s.text.String(), s.args...); err == nil {
			defer rows.Close()
			for err == nil && rows.Next() {
				err = row(rows)
			}
			err = errors.Join(err, rows.Err())
		}
	}
	return s.failed(err, path, s.text.String(), s.args)
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// where writes a boolean expression. nil and {} are true.
func (s *statement) where(exp any, path string) {
	conditions, ok := exp.(map[string]any)
	if !ok && exp != nil {
		// An unknown form must not turn a permission's filter into true.
		s.fail(refuse(unexpected, path, "not a boolean expression"))
	}
	s.write("(TRUE")
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		s.write(" AND ")
		s.condition(name, conditions[name], path+"."+name)
	}
	s.write(")")
}

func (s *statement) condition(name string, value any, path string) {
	switch parts, ok := value.([]any); {
	case name == "_not":
		s.write("NOT ")
		s.where(value, path)
		return
	case (name == "_and" || name == "_or") && ok:
		s.write(map[string]string{"_and": "(TRUE", "_or": "(FALSE"}[name])
		for _, part := range parts {
			s.write(" ", strings.ToUpper(name[1:]), " ")
			s.where(part, path)
		}
		s.write(")")
		return
	case name == "_and" || name == "_or":
		s.fail(refuse(validationFailed, path, "unexpected null value for type '%s_bool_exp'", s.table.typ))
		return
	}
	column, ok := s.table.column(name)
	operators, object := value.(map[string]any)
	switch {
	case !ok:
		s.fail(refuse(validationFailed, path, "field '%s' not found in type: '%s_bool_exp'", name, s.table.typ))
	case !object:
		s.fail(refuse(validationFailed, path, "unexpected null value for type '%s_comparison_exp'", column.typ))
	}
	s.write("(TRUE")
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		s.write(" AND ")
		s.compare(column, operator, operators[operator], path+"."+operator)
	}
	s.write(")")
}

var comparisons = map[string]string{"_eq": " = ", "_neq": " <> ", "_gt": " > ", "_gte": " >= ", "_lt": " < ", "_lte": " <= "}

func (s *statement) compare(c column, operator string, value any, path string) {
	sign, comparison := comparisons[operator]
	values, _ := value.([]any)
	literal, isVariable := value.(sessionVariable)
	switch {
	case value == nil:
		s.fail(refuse(validationFailed, path, "unexpected null value for type '%s'", c.typ))
	case comparison:
		s.column(c.name)
		s.write(sign)
		s.bind(c.typ, value)
	case operator == "_is_null":
		s.column(c.name)
		s.write(map[any]string{true: " IS NULL", false: " IS NOT NULL"}[value])
	case operator != "_in" && operator != "_nin":
		s.fail(notServed(path, "the operator %s", operator))
	case isVariable: // an array literal
		s.write(map[string]string{"_in": "", "_nin": "NOT "}[operator])
		s.database.dialect.in(s, c, s.variable(literal))
	case len(values) == 0:
		s.write(map[string]string{"_in": "FALSE", "_nin": "TRUE"}[operator])
	default:
		s.column(c.name)
		s.write(map[string]string{"_in": " IN (", "_nin": " NOT IN ("}[operator])
		list(s, values, func(value any) { s.bind(c.typ, value) })
		s.write(")")
	}
}
