package hasura

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// validate checks a document against a role's schema and returns its first error, as
// Hasura does. Three of GraphQL's rules do not apply: Hasura allows unused variables and
// fragments, and coerce checks values.
func validate(schema *ast.Schema, doc *ast.QueryDocument, definition *ast.OperationDefinition) error {
	applied := rules.NewDefaultRules()
	for _, rule := range []validator.Rule{rules.NoUnusedVariablesRule, rules.NoUnusedFragmentsRule, rules.ValuesOfCorrectTypeRule} {
		applied.RemoveRule(rule.Name)
	}
	found := validator.ValidateWithRules(schema, doc, applied)
	if len(found) == 0 {
		return nil
	}
	first := slices.MinFunc(found, func(a, b *gqlerror.Error) int { return slices.Compare(position(a), position(b)) })
	path := ""
	if first.Rule != rules.NoUndefinedVariablesRule.Name {
		path = fieldPath(definition.SelectionSet, "$", position(first))
	}
	return refuse(validationFailed, path, "%s", hasuraMessage(first))
}

// position is the line and the column of an error.
func position(err *gqlerror.Error) []int {
	if len(err.Locations) == 0 {
		return []int{0, 0}
	}
	return []int{err.Locations[0].Line, err.Locations[0].Column}
}

var quotedNames = regexp.MustCompile(`"\$?([^"]*)"`)

// hasuraFormats are Hasura's messages by validator rule. The arguments are the names that
// the validator's message quotes.
var hasuraFormats = map[string]string{
	rules.FieldsOnCorrectTypeRule.Name:        "field '%[1]s' not found in type: '%[2]s'",
	rules.KnownArgumentNamesRule.Name:         "'%[2]s' has no argument named '%[1]s'",
	rules.NoUndefinedVariablesRule.Name:       `unbound variable "%[1]s"`,
	rules.ProvidedRequiredArgumentsRule.Name:  "missing required field '%[2]s'",
	rules.ScalarLeafsRule.Name:                "missing selection set for '%[1]s'",
	rules.VariablesInAllowedPositionRule.Name: "variable '%[1]s' is declared as '%[2]s', but used where '%[3]s' is expected",
}

func hasuraMessage(err *gqlerror.Error) string {
	format, ok := hasuraFormats[err.Rule]
	if !ok {
		return err.Message
	}
	names := []any{"", "", ""}
	for i, match := range quotedNames.FindAllStringSubmatch(err.Message, len(names)) {
		names[i] = match[1][strings.LastIndexByte(match[1], '.')+1:] // without the type of a field
	}
	return fmt.Sprintf(format, names...)
}

// fieldPath is Hasura's path of the field or the argument value at a position. It is empty
// if nothing is there.
func fieldPath(set ast.SelectionSet, parent string, at []int) string {
	for _, selection := range set {
		field, ok := selection.(*ast.Field)
		if !ok {
			continue
		}
		path := parent + ".selectionSet." + field.Name
		if isAt(field.Position, at) {
			return path
		}
		for _, arg := range field.Arguments {
			if found := valuePath(arg.Value, path+".args."+arg.Name, at); found != "" {
				return found
			}
		}
		if found := fieldPath(field.SelectionSet, path, at); found != "" {
			return found
		}
	}
	return ""
}

func valuePath(value *ast.Value, path string, at []int) string {
	if isAt(value.Position, at) {
		return path
	}
	for i, child := range value.Children {
		childPath := path + "." + child.Name
		if value.Kind == ast.ListValue {
			childPath = fmt.Sprintf("%s[%d]", path, i)
		}
		if found := valuePath(child.Value, childPath, at); found != "" {
			return found
		}
	}
	return ""
}

func isAt(p *ast.Position, at []int) bool { return p != nil && p.Line == at[0] && p.Column == at[1] }
