package hasura

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// An operation is a request that is valid in its role's schema, but for the
// values, which are judged where they are used.
type operation struct {
	*role
	definition *ast.OperationDefinition
	variables  map[string]any
}

// prepare parses and validates a request.
func (r *role) prepare(req request) (*operation, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: *req.Query})
	if err != nil {
		return nil, refuse(validationFailed, "$.query", "not a valid graphql query")
	}
	definition, err := choose(doc, req.OperationName)
	if err != nil {
		return nil, err
	}
	switch {
	case definition.Operation == ast.Mutation && r.schema.Mutation == nil:
		return nil, refuse(validationFailed, "", "no mutations exist")
	case definition.Operation == ast.Subscription:
		return nil, refuse(unexpectedPayload, "", "subscriptions are not supported over HTTP, use websockets instead")
	}
	if err := r.validate(doc, definition); err != nil {
		return nil, err
	}
	for _, variable := range definition.VariableDefinitions {
		_, given := req.Variables[variable.Variable]
		if !given && variable.Type.NonNull && variable.DefaultValue == nil {
			return nil, refuse(validationFailed, "", "expecting a value for non-nullable variable: \"%s\"", variable.Variable)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(req.Variables)) {
		if definition.VariableDefinitions.ForName(name) == nil {
			return nil, refuse(validationFailed, "", "unexpected variables in variableValues: %s", name)
		}
	}
	return &operation{r, definition, req.Variables}, nil
}

func choose(doc *ast.QueryDocument, name string) (*ast.OperationDefinition, error) {
	if name == "" {
		if len(doc.Operations) != 1 {
			return nil, refuse(validationFailed, "", "exactly one operation has to be present in the document when operationName is not specified")
		}
		return doc.Operations[0], nil
	}
	if definition := doc.Operations.ForName(name); definition != nil {
		return definition, nil
	}
	return nil, refuse(validationFailed, "", "no such operation found in the document: \"%s\"", name)
}

// fields lists the fields of a selection set: fragments opened, @skip and
// @include obeyed, fields of one name merged.
func (o *operation) fields(set ast.SelectionSet) []*ast.Field {
	var fields []*ast.Field
	add := func(more ...*ast.Field) {
		for _, field := range more {
			i := slices.IndexFunc(fields, func(f *ast.Field) bool { return f.Alias == field.Alias })
			if i < 0 {
				fields = append(fields, field)
				continue
			}
			merged := *fields[i]
			merged.SelectionSet = slices.Concat(merged.SelectionSet, field.SelectionSet)
			fields[i] = &merged
		}
	}
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			if o.included(selection.Directives) {
				add(selection)
			}
		case *ast.InlineFragment:
			if o.included(selection.Directives) {
				add(o.fields(selection.SelectionSet)...)
			}
		case *ast.FragmentSpread:
			if o.included(selection.Directives) {
				add(o.fields(selection.Definition.SelectionSet)...)
			}
		}
	}
	return fields
}

func (o *operation) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		condition := d.Arguments.ForName("if")
		if condition != nil && (d.Name == "skip") == (o.resolve(condition.Value) == true) {
			return false
		}
	}
	return true
}
