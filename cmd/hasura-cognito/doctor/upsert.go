package doctor

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
)

// upsert has the names in graphql/upsertUser.graphql, which says what Hasura's schema must have.
var upsert = parseUpsert(hasura.Upsert)

type names struct {
	root, onConflict string // the mutation's field and its argument
	insert, update   string // types of the variables
	constraint       string // enum value
}

func parseUpsert(text string) (n names) {
	document, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		panic(err) // genqlient has read the same text
	}
	operation := document.Operations[0]
	n.insert = operation.VariableDefinitions.ForName("user").Type.Name()
	n.update = operation.VariableDefinitions.ForName("columns").Type.Name()
	field := operation.SelectionSet[0].(*ast.Field)
	n.root = field.Name
	for _, argument := range field.Arguments {
		if constraint := argument.Value.Children.ForName("constraint"); constraint != nil {
			n.onConflict, n.constraint = argument.Name, constraint.Raw
		}
	}
	return n
}

// introspection asks for everything that the upsert needs. Hasura derives the names of a table's types from each other.
func (n names) introspection() string {
	row := strings.TrimSuffix(strings.TrimSuffix(n.insert, "_insert_input"), "InsertInput")
	constraint := strings.NewReplacer("_update_column", "_constraint", "UpdateColumn", "Constraint").Replace(n.update)
	return fmt.Sprintf(`{
  __schema { mutationType { fields { name args { name } } } }
  row: __type(name: %q) { fields { name type { kind ofType { kind } } } }
  insert: __type(name: %q) { inputFields { name type { name } } }
  update: __type(name: %q) { enumValues { name } }
  constraint: __type(name: %q) { enumValues { name description } }
}`, row, n.insert, n.update, constraint)
}
