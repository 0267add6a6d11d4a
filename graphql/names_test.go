package graphql

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestShippedNames(t *testing.T) {
	if Problem != nil {
		t.Error(Problem)
	}
}

const (
	operation = `mutation upsertUser($user: AppPeopleInsertInput!, $columns: [AppPeopleUpdateColumn!]!, $where: AppPeopleBoolExp!) {
  row: addPerson(object: $user, onConflict: {constraint: PEOPLE_PKEY, updateColumns: $columns, where: $where}) { __typename }
}`
	schema = `
type Query { everybody(orderBy: [AppPeopleOrderBy!]): [AppPeople!]!  search(args: String): [AppPeople!]!  others: [Other!]! }
type Mutation {
  addPerson(object: AppPeopleInsertInput!): AppPeople
  addPeople(objects: [AppPeopleInsertInput!]!): AppPeopleMutationResponse
  changePeople(where: AppPeopleBoolExp!, _set: AppPeopleSetInput): AppPeopleMutationResponse
  changeOthers(where: OtherBoolExp!, _set: AppPeopleSetInput): AppPeopleMutationResponse
}
type AppPeople { id: ID }  type Other { id: ID }  type AppPeopleMutationResponse { affectedRows: Int! }
input AppPeopleInsertInput { id: ID }  input AppPeopleBoolExp { id: ID }  input OtherBoolExp { id: ID }  input AppPeopleSetInput { id: ID }
input AppPeopleOrderBy { id: ID }
schema { query: Query  mutation: Mutation }`
)

func TestNames(t *testing.T) {
	names := func(operation, schema string) (Names, error) {
		return read(fstest.MapFS{"upsertUser.graphql": {Data: []byte(operation)}, "schema.graphql": {Data: []byte(schema)}})
	}
	want := Names{Insert: "addPerson", InsertMany: "addPeople", Update: "changePeople", OnConflict: "onConflict", Constraint: "PEOPLE_PKEY",
		UpdateColumns: "updateColumns", AffectedRows: "affectedRows", Select: "everybody", OrderBy: "orderBy", Row: "AppPeople",
		Input: "AppPeopleInsertInput", Set: "AppPeopleSetInput", Condition: "AppPeopleBoolExp", Order: "AppPeopleOrderBy",
		Columns: "AppPeopleUpdateColumn", Constraints: "AppPeopleConstraint"}
	if got, err := names(operation, schema); got != want || err != nil {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, row := range []struct{ name, operation, schema, want string }{
		{"an operation that is not GraphQL", "mutation {", schema, "upsertUser.graphql: "},
		{"no variable", strings.Replace(operation, "$where: AppPeopleBoolExp!", "", 1), schema, "want the variable $where"},
		{"no alias", strings.Replace(operation, "row: ", "", 1), schema, "want the alias row:"},
		{"no constraint", strings.Replace(operation, "constraint: PEOPLE_PKEY,", "", 1), schema, "want a constraint"},
		{"a schema that is not GraphQL", operation, "type {", "schema.graphql: "},
		{"a schema of another table", operation, strings.ReplaceAll(schema, "AppPeople", "Other2"), "it lacks addPerson, or fields that"},
	} {
		if _, err := names(row.operation, row.schema); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

func TestHasDefault(t *testing.T) {
	for text, want := range map[string]string{
		"  id uuid DEFAULT gen_random_uuid(),":                   "id",
		`ALTER TABLE a ADD COLUMN "created_at" x DEFAULT now();`: "created_at",
		"  points bigint GENERATED ALWAYS AS IDENTITY,":          "points",
		"  email text NOT NULL,\n  name text DEFAULT ''":         "name",
		"  email text NOT NULL, -- no DEFAULT":                   "",
	} {
		got := ""
		for _, match := range definition.FindAllStringSubmatch(text, -1) {
			got += match[1] + match[2]
		}
		if got != want {
			t.Errorf("%q: the column %q has a default, want %q", text, got, want)
		}
	}
}
