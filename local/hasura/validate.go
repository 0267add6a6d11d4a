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

// hasuraRules are GraphQL's rules but for three: Hasura tolerates variables and
// fragments that are not used, and values are judged in coerce, the same way
// for literals and variables.
func hasuraRules() *rules.Rules {
	r := rules.NewDefaultRules()
	for _, rule := range []validator.Rule{rules.NoUnusedVariablesRule, rules.NoUnusedFragmentsRule, rules.ValuesOfCorrectTypeRule} {
		r.RemoveRule(rule.Name)
	}
	return r
}

// validate judges a document by its role's schema. Of all its faults it tells
// the first, as Hasura does.
func (r *role) validate(doc *ast.QueryDocument, definition *ast.OperationDefinition) error {
	faults := validator.ValidateWithRules(r.schema, doc, hasuraRules())
	if len(faults) == 0 {
		return nil
	}
	slices.SortStableFunc(faults, func(a, b *gqlerror.Error) int {
		return slices.Compare(position(a), position(b))
	})
	first := faults[0]
	return refuse(validationFailed, locate(definition, position(first)), "%s", translate(first))
}

// position is where a fault stands: line and column.
func position(fault *gqlerror.Error) []int {
	if len(fault.Locations) == 0 {
		return []int{0, 0}
	}
	return []int{fault.Locations[0].Line, fault.Locations[0].Column}
}

var quotedNames = regexp.MustCompile(`"\$?([^"]*)"`)

// translations are Hasura's words for the validator's, by rule. They take the
// names that the validator's message has in quotes.
var translations = map[string]func(n []string) string{
	"FieldsOnCorrectType": func(n []string) string {
		return fmt.Sprintf("field '%s' not found in type: '%s'", n[0], n[1])
	},
	"KnownArgumentNames": func(n []string) string {
		_, field, _ := strings.Cut(n[1], ".") // the validator says mutation_root.insert_users_one
		return fmt.Sprintf("'%s' has no argument named '%s'", field, n[0])
	},
	"NoUndefinedVariables": func(n []string) string {
		return fmt.Sprintf("unbound variable \"%s\"", n[0])
	},
	"ProvidedRequiredArguments": func(n []string) string {
		return fmt.Sprintf("missing required field '%s'", n[1])
	},
	"ScalarLeafs": func(n []string) string {
		return fmt.Sprintf("missing selection set for '%s'", n[0])
	},
	"VariablesInAllowedPosition": func(n []string) string {
		return fmt.Sprintf("variable '%s' is declared as '%s', but used where '%s' is expected", n[0], n[1], n[2])
	},
}

func translate(fault *gqlerror.Error) string {
	var names []string
	for _, match := range quotedNames.FindAllStringSubmatch(fault.Message, -1) {
		names = append(names, match[1])
	}
	if in, ok := translations[fault.Rule]; ok {
		return in(append(names, "", "", ""))
	}
	return fault.Message
}

// locate gives Hasura's path to the field or value at a position.
func locate(definition *ast.OperationDefinition, at []int) string {
	if path := locateField(definition.SelectionSet, "$", at); path != "" {
		return path
	}
	return "$"
}

func locateField(set ast.SelectionSet, parent string, at []int) string {
	for _, selection := range set {
		field, ok := selection.(*ast.Field)
		if !ok {
			continue
		}
		path := parent + ".selectionSet." + field.Name
		if here(field.Position, at) {
			return path
		}
		for _, arg := range field.Arguments {
			if found := locateValue(arg.Value, path+".args."+arg.Name, at); found != "" {
				return found
			}
		}
		if found := locateField(field.SelectionSet, path, at); found != "" {
			return found
		}
	}
	return ""
}

func locateValue(value *ast.Value, path string, at []int) string {
	if here(value.Position, at) {
		return path
	}
	for i, child := range value.Children {
		childPath := path + "." + child.Name
		if value.Kind == ast.ListValue {
			childPath = fmt.Sprintf("%s[%d]", path, i)
		}
		if found := locateValue(child.Value, childPath, at); found != "" {
			return found
		}
	}
	return ""
}

func here(p *ast.Position, at []int) bool {
	return p != nil && p.Line == at[0] && p.Column == at[1]
}
