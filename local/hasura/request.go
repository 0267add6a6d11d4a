package hasura

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// A request is the body of POST /v1/graphql.
type request struct {
	Query         *string        `json:"query"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"`
}

func readRequest(body io.Reader) (request, error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return request{}, fmt.Errorf("read the request: %w", err)
	}
	if !json.Valid(text) {
		return request{}, refuse(invalidJSON, "", "Error in $: the body is not JSON")
	}
	var req request
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&req); err != nil {
		return request{}, refuse(parseFailed, "", "the body is not a GraphQL request")
	}
	if req.Query == nil {
		return request{}, refuse(parseFailed, "", `key "query" not found`)
	}
	return req, nil
}

// An operation is a request that is valid in its role's schema. Values are checked only
// where they are used, see coerce.
type operation struct {
	*role
	definition *ast.OperationDefinition
	variables  map[string]any
	context    *graphql.OperationContext
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
	if err := validate(r.schema, doc, definition); err != nil {
		return nil, err
	}
	for _, variable := range definition.VariableDefinitions {
		value, given := req.Variables[variable.Variable]
		if !given && variable.Type.NonNull && variable.DefaultValue == nil {
			return nil, refuse(validationFailed, "", "expecting a value for non-nullable variable: %q", variable.Variable)
		}
		if _, ok := value.(bool); variable.Type.NamedType == "Boolean" && given && !ok && (value != nil || variable.Type.NonNull) {
			// CollectFields panics if it is in a directive.
			return nil, mismatch("a boolean", "Boolean", value, "")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(req.Variables)) {
		if definition.VariableDefinitions.ForName(name) == nil {
			return nil, refuse(validationFailed, "", "unexpected variables in variableValues: %s", name)
		}
	}
	context := &graphql.OperationContext{Doc: doc, Variables: req.Variables}
	return &operation{role: r, definition: definition, variables: req.Variables, context: context}, nil
}

// choose returns the operation with the given name, or the only one.
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
	return nil, refuse(validationFailed, "", "no such operation found in the document: %q", name)
}

// fields lists the fields of a selection set. Fragments are resolved, @skip and @include
// applied, and fields with the same name merged.
func (o *operation) fields(set ast.SelectionSet) []graphql.CollectedField {
	return graphql.CollectFields(o.context, set, nil)
}
