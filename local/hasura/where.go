package hasura

import "strings"

var comparisons = map[string]string{
	"_eq": " = ", "_neq": " <> ", "_gt": " > ", "_gte": " >= ", "_lt": " < ", "_lte": " <= ",
}

// where writes a boolean expression. nil and {} are true; what is no expression
// at all must not be, lest a filter be lost.
func (b *builder) where(exp any, path string) error {
	conditions, ok := exp.(object)
	if !ok && exp != nil {
		return refuse(unexpected, path, "not a boolean expression")
	}
	b.write("(TRUE")
	for _, m := range conditions {
		b.write(" AND ")
		if err := b.condition(m, path+"."+m.name); err != nil {
			return err
		}
	}
	b.write(")")
	return nil
}

func (b *builder) condition(m member, path string) error {
	switch m.name {
	case "_and", "_or":
		return b.join(m.value, strings.ToUpper(m.name[1:]), path)
	case "_not":
		b.write("NOT ")
		return b.where(m.value, path)
	}
	column, ok := b.table.column(m.name)
	if !ok {
		return refuse(validationFailed, path, "field '%s' not found in type: '%s_bool_exp'", m.name, b.table.name)
	}
	operators, ok := m.value.(object)
	if !ok {
		return refuse(validationFailed, path, "unexpected null value for type '%s_comparison_exp'", column.typ)
	}
	b.write("(TRUE")
	for _, operator := range operators {
		b.write(" AND ")
		if err := b.compare(column, operator, path+"."+operator.name); err != nil {
			return err
		}
	}
	b.write(")")
	return nil
}

// join writes the parts of _and, of which none is true, or _or, of which none is
// false.
func (b *builder) join(value any, operator, path string) error {
	parts, ok := value.([]any)
	if !ok {
		return refuse(validationFailed, path, "unexpected null value for type '%s_bool_exp'", b.table.name)
	}
	b.write(map[string]string{"AND": "(TRUE", "OR": "(FALSE"}[operator])
	for _, part := range parts {
		b.write(" ", operator, " ")
		if err := b.where(part, path); err != nil {
			return err
		}
	}
	b.write(")")
	return nil
}

func (b *builder) compare(c column, operator member, path string) error {
	if operator.value == nil {
		return refuse(validationFailed, path, "unexpected null value for type '%s'", c.typ)
	}
	if sign, ok := comparisons[operator.name]; ok {
		b.column(c.name)
		b.write(sign)
		return b.bind(c.typ, operator.value)
	}
	switch operator.name {
	case "_is_null":
		b.column(c.name)
		b.write(map[bool]string{true: " IS NULL", false: " IS NOT NULL"}[operator.value == true])
		return nil
	case "_in", "_nin":
		values, _ := operator.value.([]any)
		if len(values) == 0 {
			b.write(map[string]string{"_in": "FALSE", "_nin": "TRUE"}[operator.name])
			return nil
		}
		b.column(c.name)
		b.write(map[string]string{"_in": " IN (", "_nin": " NOT IN ("}[operator.name])
		err := list(b, values, func(value any) error { return b.bind(c.typ, value) })
		b.write(")")
		return err
	}
	return unserved(path, "the operator %s", operator.name)
}
