package hasura

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// A builder writes a SQL statement.
type builder struct {
	execution
	text strings.Builder
	args []any
	// fault is what the database would say of the arguments when it runs the
	// statement, where the dialect has to say it instead.
	fault error
}

func (x execution) builder() *builder { return &builder{execution: x} }

func (b *builder) write(parts ...string) {
	for _, part := range parts {
		b.text.WriteString(part)
	}
}

// column writes the name of a column, with its table: in DO UPDATE … WHERE a
// bare name would be ambiguous.
func (b *builder) column(name string) { b.write(quote(b.table.name), ".", quote(name)) }

// list writes items with commas between them.
func list[T any](b *builder, items []T, write func(T) error) error {
	for i, item := range items {
		if i > 0 {
			b.write(", ")
		}
		if err := write(item); err != nil {
			return err
		}
	}
	return nil
}

// bind writes a value of a column's type. It travels as text, and the database
// makes of it what it makes of any text: so its errors are its own.
func (b *builder) bind(typ string, value any) error {
	if name, ok := value.(sessionVariable); ok {
		text, ok := b.session.variables[string(name)]
		if !ok {
			return refuse(notFound, "", "missing session variable: \"%s\"", name)
		}
		value = text
	}
	if value == nil {
		b.write("NULL")
		return nil
	}
	if raw, ok := value.(interface{ MarshalJSON() ([]byte, error) }); ok {
		text, err := raw.MarshalJSON()
		if err != nil {
			return err
		}
		value = string(text)
	}
	b.database.dialect.bind(b, typ, fmt.Sprint(value))
	return nil
}

// query runs the statement. The path is where its errors belong.
func (b *builder) query(ctx context.Context, path string) (*sql.Rows, error) {
	rows, err := (*sql.Rows)(nil), b.fault
	if err == nil {
		rows, err = b.db.QueryContext(ctx, b.text.String(), b.args...)
	}
	if err != nil {
		return nil, b.failed(err, path)
	}
	return rows, nil
}

// failed turns what the database says of the statement into an answer.
func (b *builder) failed(err error, path string) error {
	return b.execution.failed(err, statement{b.text.String(), b.args}, path)
}

// argument adds an argument and returns its number.
func (b *builder) argument(value any) int {
	b.args = append(b.args, value)
	return len(b.args)
}

// quote makes an identifier of a name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
