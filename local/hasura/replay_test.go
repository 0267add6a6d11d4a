package hasura

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	ada   = "0b7d3c1e-5a7f-4f7e-9c39-3f5a8e1d2c4b"
	grace = "7e9f1a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b"

	upserted  = `{"data":{"insert_users_one":{"id":"` + ada + `"}}}`
	unchanged = `{"data":{"insert_users_one":null}}`

	noon  = "2026-11-23T12:00:00Z"
	later = "2026-11-23T12:00:01Z"
)

// upsert is a mutation like the sync function's.
var upsert = func() string {
	text, err := os.ReadFile("testdata/upsert.graphql")
	if err != nil {
		panic(err)
	}
	return string(text)
}()

// variables are those of upsert.
func variables(user string, columns string, at string) string {
	return fmt.Sprintf(`{"user":%s,"columns":%s,"at":%q}`, user, columns, at)
}

func user(id, rest string) string {
	if rest != "" {
		rest = "," + rest
	}
	return fmt.Sprintf(`{"id":%q%s}`, id, rest)
}

func refusal(code, path, message string) string {
	text, _ := json.Marshal(refuse(code, path, "%s", message).body())
	return string(text)
}

// A replay is a request and Hasura's response. The source says where the response is from:
//
//	tests-py     hasura/graphql-engine server/tests-py/queries
//	docs         Hasura's documentation, by page
//	#n           an issue of hasura/graphql-engine
//	PostgreSQL   what PostgreSQL 15 says of the statement that Hasura writes
type replay struct {
	name      string
	source    string
	header    http.Header // nil means asAdmin
	given     []string    // the rows before, as JSON
	query     string      // empty means upsert
	variables string      // empty means {}
	want      string
	sqlite    string // SQLite's response if it differs
	rows      string // the rows afterwards; empty means not checked
}

var replays = []replay{
	// The upsert.
	{name: "a new row", source: "docs: upsert",
		variables: variables(user(ada, `"email":"a@b.c","synced_at":"`+noon+`"`), `["email","synced_at"]`, noon), want: upserted,
		rows: `[{"id":"` + ada + `","email":"a@b.c","name":null,"attributes":{},"synced_at":"2026-11-23T12:00:00+00:00"}]`},
	{name: "a newer event wins", source: "docs: upsert",
		given:     []string{user(ada, `"email":"old","name":"Ada","synced_at":"`+noon+`"`)},
		variables: variables(user(ada, `"email":"new","synced_at":"`+later+`"`), `["email","synced_at"]`, later), want: upserted,
		rows: `[{"id":"` + ada + `","email":"new","name":"Ada","attributes":{},"synced_at":"2026-11-23T12:00:01+00:00"}]`},
	{name: "an older event changes nothing and returns null", source: "tests-py: graphql_mutation/insert/onconflict/order_on_conflict_where.yaml",
		given:     []string{user(ada, `"email":"new","synced_at":"`+later+`"`)},
		variables: variables(user(ada, `"email":"old","synced_at":"`+noon+`"`), `["email","synced_at"]`, noon), want: unchanged,
		rows: `[{"id":"` + ada + `","email":"new","name":null,"attributes":{},"synced_at":"2026-11-23T12:00:01+00:00"}]`},
	{name: "the same event again changes nothing", source: "PostgreSQL: the where is strict",
		given:     []string{user(ada, `"synced_at":"`+noon+`"`)},
		variables: variables(user(ada, `"synced_at":"`+noon+`"`), `["synced_at"]`, noon), want: unchanged},
	{name: "a row without synced_at accepts any event", source: "PostgreSQL: NULL < x is not true, hence _is_null",
		given:     []string{user(ada, `"email":"old"`)},
		variables: variables(user(ada, `"email":"new","synced_at":"`+noon+`"`), `["email","synced_at"]`, noon), want: upserted,
		rows: `[{"id":"` + ada + `","email":"new","name":null,"attributes":{},"synced_at":"2026-11-23T12:00:00+00:00"}]`},
	{name: "empty update_columns change nothing", source: "tests-py: article_on_conflict_empty_update_columns.yaml, #9224",
		given:     []string{user(ada, `"email":"old"`)},
		variables: variables(user(ada, `"email":"new"`), `[]`, noon), want: unchanged},
	{name: "a column in update_columns without a value gets its default", source: "PostgreSQL: EXCLUDED holds the default",
		given:     []string{user(ada, `"email":"e","name":"Ada","attributes":{"custom:a":"1"}`)},
		variables: variables(user(ada, ``), `["name","attributes"]`, noon), want: upserted,
		rows: `[{"id":"` + ada + `","email":"e","name":null,"attributes":{},"synced_at":null}]`},
	{name: "attributes are replaced, not merged", source: "docs: upsert",
		given:     []string{user(ada, `"attributes":{"custom:a":"1"}`)},
		variables: variables(user(ada, `"attributes":{"custom:b":[1,{"c":null}]}`), `["attributes"]`, noon), want: upserted,
		rows: `[{"id":"` + ada + `","email":null,"name":null,"attributes":{"custom:b":[1,{"c":null}]},"synced_at":null}]`},
	{name: "a JSON string in a jsonb column stays a string", source: "docs: Postgres data types",
		variables: variables(user(ada, `"attributes":"{}"`), `["attributes"]`, noon), want: upserted,
		rows: `[{"id":"` + ada + `","email":null,"name":null,"attributes":"{}","synced_at":null}]`},
	{name: "two users may have the same email", source: "the migration: no unique constraint",
		given:     []string{user(grace, `"email":"same"`)},
		variables: variables(user(ada, `"email":"same"`), `["email"]`, noon), want: upserted},
	{name: "a uuid in capitals is the same key", source: "PostgreSQL: uuid",
		given:     []string{user(ada, ``)},
		variables: variables(user(strings.ToUpper(ada), `"email":"new"`), `["email"]`, noon), want: upserted},
	{name: "a missing nullable variable inside an object is null", source: "#6016, #1456",
		query: `mutation($id: uuid!, $attributes: jsonb) { insert_users_one(object: {id: $id, attributes: $attributes}) { id } }`, variables: `{"id":"` + ada + `"}`,
		want: refusal("constraint-violation", "$.selectionSet.insert_users_one.args.object",
			`Not-NULL violation. null value in column "attributes" of relation "users" violates not-null constraint`)},
	{name: "an insert without on_conflict of an existing key", source: "tests-py: graphql_mutation/insert/constraints",
		given: []string{user(ada, ``)},
		query: `mutation { insert_users_one(object: {id: "` + ada + `"}) { id } }`,
		want: refusal("constraint-violation", "$.selectionSet.insert_users_one.args.object",
			`Uniqueness violation. duplicate key value violates unique constraint "users_pkey"`)},
	{name: "no id", source: "PostgreSQL: 23502",
		variables: variables(`{"email":"a@b.c"}`, `["email"]`, noon),
		want: refusal("constraint-violation", "$.selectionSet.insert_users_one.args.object",
			`Not-NULL violation. null value in column "id" of relation "users" violates not-null constraint`)},
	{name: "null for a NOT NULL column of an existing row", source: "PostgreSQL: 23502 comes before ON CONFLICT",
		given:     []string{user(ada, ``)},
		variables: variables(user(ada, `"attributes":null`), `["email"]`, noon),
		want: refusal("constraint-violation", "$.selectionSet.insert_users_one.args.object",
			`Not-NULL violation. null value in column "attributes" of relation "users" violates not-null constraint`)},
	{name: "an id that is not a uuid", source: "PostgreSQL: 22P02",
		variables: variables(user("Google_12345", ``), `["email"]`, noon),
		want:      refusal("data-exception", "$.selectionSet.insert_users_one.args.object", `invalid input syntax for type uuid: "Google_12345"`)},
	{name: "an invalid time", source: "PostgreSQL: 22007",
		variables: variables(user(ada, `"synced_at":"soon"`), `["email"]`, noon),
		want:      refusal("data-exception", "$.selectionSet.insert_users_one.args.object", `invalid input syntax for type timestamp with time zone: "soon"`)},
	{name: "a time out of range", source: "PostgreSQL: 22008",
		variables: variables(user(ada, `"synced_at":"2026-13-01T00:00:00Z"`), `["email"]`, noon),
		want:      refusal("data-exception", "$.selectionSet.insert_users_one.args.object", `date/time field value out of range: "2026-13-01T00:00:00Z"`)},
	{name: "U+0000 in text", source: "PostgreSQL: 22021",
		variables: variables(user(ada, `"name":"a\u0000"`), `["email"]`, noon),
		want:      refusal("data-exception", "$.selectionSet.insert_users_one.args.object", `invalid byte sequence for encoding "UTF8": 0x00`)},
	{name: "U+0000 in jsonb", source: "PostgreSQL: 22P05",
		variables: variables(user(ada, `"attributes":{"a":"\u0000"}`), `["email"]`, noon),
		want:      refusal("data-exception", "$.selectionSet.insert_users_one.args.object", `unsupported Unicode escape sequence`)},

	// Several at once.
	{name: "two upserts in one request run in order", source: "docs: multiple mutations", given: []string{user(grace, ``)},
		query: `mutation { a: insert_users_one(object: {id: "` + ada + `", email: "1"}) { id }
			b: insert_users_one(object: {id: "` + ada + `", email: "2"}, on_conflict: {constraint: users_pkey, update_columns: [email]}) { email } }`,
		want: `{"data":{"a":{"id":"` + ada + `"},"b":{"email":"2"}}}`},
	{name: "a failing mutation rolls back the others", source: "docs: multiple mutations",
		query: `mutation { a: insert_users_one(object: {id: "` + ada + `"}) { id } b: insert_users_one(object: {id: "x"}) { id } }`,
		want:  refusal("data-exception", "$.selectionSet.insert_users_one.args.object", `invalid input syntax for type uuid: "x"`), rows: `[]`},
	{name: "insert_users with several rows", source: "docs: insert", given: []string{user(grace, ``)},
		query: `mutation { insert_users(objects: [{id: "` + ada + `", email: "a"}, {id: "` + grace + `", name: "Grace"}],
			on_conflict: {constraint: users_pkey, update_columns: [email]}) { affected_rows returning { id email name attributes } __typename } }`,
		want: `{"data":{"insert_users":{"affected_rows":2,"returning":[{"id":"` + ada + `","email":"a","name":null,"attributes":{}},` +
			`{"id":"` + grace + `","email":null,"name":null,"attributes":{}}],"__typename":"users_mutation_response"}}}`},
	{name: "insert_users without rows", source: "tests-py: insert with empty objects",
		query: `mutation { insert_users(objects: []) { affected_rows returning { id } } }`,
		want:  `{"data":{"insert_users":{"affected_rows":0,"returning":[]}}}`},

	{name: "one key twice in an upsert that changes no row", source: "PostgreSQL: 21000 only if the first was written",
		given: []string{user(ada, `"synced_at":"`+later+`"`)},
		query: `mutation { insert_users(objects: [{id: "` + ada + `"}, {id: "` + ada + `"}], on_conflict: {constraint: users_pkey, update_columns: [email],
			where: {synced_at: {_lt: "` + noon + `"}}}) { affected_rows } }`, header: as("cognito_sync", ada),
		want: `{"data":{"insert_users":{"affected_rows":0}}}`},
	{name: "one key twice in an upsert", source: "PostgreSQL: 21000", header: as("cognito_sync", ada),
		query: `mutation { insert_users(objects: [{id: "` + ada + `"}, {id: "` + ada + `"}], on_conflict: {constraint: users_pkey, update_columns: [email]}) { affected_rows } }`,
		want:  refusal("unexpected", "$.selectionSet.insert_users.args.objects", "database query error"), rows: `[]`},

	// Updates.
	{name: "update_users", source: "docs: update", given: []string{user(ada, `"name":"a"`), user(grace, `"name":"b"`)},
		query: `mutation { update_users(where: {name: {_gt: "a"}}, _set: {name: null, email: "e", attributes: {a: 1}}) { affected_rows returning { id name email attributes } } }`,
		want:  `{"data":{"update_users":{"affected_rows":1,"returning":[{"id":"` + grace + `","name":null,"email":"e","attributes":{"a":1}}]}}}`,
		rows:  `[{"id":"` + ada + `","email":null,"name":"a","attributes":{},"synced_at":null},{"id":"` + grace + `","email":"e","name":null,"attributes":{"a":1},"synced_at":null}]`},
	{name: "update_users_by_pk", source: "docs: update", given: []string{user(ada, "")},
		query: `mutation { one: update_users_by_pk(pk_columns: {id: "` + ada + `"}, _set: {name: "Ada"}) { name }
			none: update_users_by_pk(pk_columns: {id: "` + grace + `"}, _set: {name: "Grace"}) { name } }`,
		want: `{"data":{"one":{"name":"Ada"},"none":null}}`},
	// Hasura's path of this error is not known.
	{name: "null in an update of a NOT NULL column", source: "the local Hasura", given: []string{user(ada, "")},
		query: `mutation { update_users(where: {}, _set: {attributes: null}) { affected_rows } }`,
		want: refusal("constraint-violation", "$.selectionSet.update_users",
			`Not-NULL violation. null value in column "attributes" of relation "users" violates not-null constraint`)},
	{name: "cognito_sync updates only the user's own row", source: "docs: update permissions", header: asSync, given: []string{user(ada, ""), user(grace, "")},
		query: `mutation { update_users(where: {}, _set: {name: "x"}) { affected_rows } }`, want: `{"data":{"update_users":{"affected_rows":1}}}`,
		rows: `[{"id":"` + ada + `","email":null,"name":"x","attributes":{},"synced_at":null},{"id":"` + grace + `","email":null,"name":null,"attributes":{},"synced_at":null}]`},

	// Deletions.
	{name: "delete_users", source: "docs: delete", given: []string{user(ada, ""), user(grace, "")},
		query: `mutation { delete_users(where: {id: {_eq: "` + grace + `"}}) { affected_rows __typename } }`,
		want:  `{"data":{"delete_users":{"affected_rows":1,"__typename":"users_mutation_response"}}}`,
		rows:  `[{"id":"` + ada + `","email":null,"name":null,"attributes":{},"synced_at":null}]`},
	{name: "a role without delete permission", source: "docs: delete permissions", header: asSync, given: []string{user(ada, "")},
		query: `mutation { delete_users(where: {}) { affected_rows } }`,
		want:  refusal("validation-failed", "$.selectionSet.delete_users", "field 'delete_users' not found in type: 'mutation_root'"),
		rows:  `[{"id":"` + ada + `","email":null,"name":null,"attributes":{},"synced_at":null}]`},

	// SQLite differs from PostgreSQL here.
	{name: "a time in words", source: "PostgreSQL: date/time input", header: asSync,
		variables: variables(user(ada, `"synced_at":"yesterday"`), `["email"]`, noon), want: upserted,
		sqlite: refusal("data-exception", "$.selectionSet.insert_users_one.args.object", `invalid input syntax for type timestamp with time zone: "yesterday"`)},
	{name: "a number with an exponent", source: "PostgreSQL: jsonb is numeric inside",
		query: `mutation { insert_users_one(object: {id: "` + ada + `", attributes: {n: 1e2}}) { attributes } }`,
		want:  `{"data":{"insert_users_one":{"attributes":{"n":100}}}}`},

	// Permissions of cognito_sync.
	{name: "cognito_sync inserts the user's own row", source: "docs: backend-only", header: asSync,
		variables: variables(user(ada, `"email":"a@b.c"`), `["email"]`, noon), want: upserted},
	{name: "cognito_sync updates the user's own row", source: "docs: backend-only", header: asSync,
		given:     []string{user(ada, `"email":"old"`)},
		variables: variables(user(ada, `"email":"new"`), `["email"]`, noon), want: upserted},
	{name: "cognito_sync cannot insert another user's row", source: "tests-py: insert/permissions/user_insert_account_fail.yaml", header: asSync,
		variables: variables(user(grace, ``), `["email"]`, noon),
		want:      refusal("permission-error", "$.selectionSet.insert_users_one.args.object", "check constraint of an insert/update permission has failed"), rows: `[]`},
	{name: "cognito_sync cannot insert another user's row with insert_users", source: "tests-py: insert/permissions/user_insert_account_fail.yaml", header: asSync,
		query: `mutation { insert_users(objects: [{id: "` + ada + `"}, {id: "` + grace + `"}]) { affected_rows } }`,
		want:  refusal("permission-error", "$.selectionSet.insert_users.args.objects", "check constraint of an insert/update permission has failed"), rows: `[]`},
	{name: "cognito_sync cannot update another user's row", source: "docs: upsert, the update filter joins the where", header: asSync,
		given:     []string{user(grace, `"email":"hers"`)},
		variables: variables(user(grace, `"email":"taken"`), `["email"]`, noon), want: unchanged,
		rows: `[{"id":"` + grace + `","email":"hers","name":null,"attributes":{},"synced_at":null}]`},
	{name: "cognito_sync without x-hasura-user-id", source: "docs: session variables", header: without(asSync, "X-Hasura-User-Id"),
		variables: variables(user(ada, ``), `["email"]`, noon),
		want:      refusal("not-found", "", `missing session variable: "x-hasura-user-id"`)},
	{name: "cognito_sync cannot set created_at", source: "#6366", header: asSync,
		variables: variables(user(ada, `"created_at":"`+noon+`"`), `["email"]`, noon),
		want:      refusal("validation-failed", "$.selectionSet.insert_users_one.args.object.created_at", "field 'created_at' not found in type: 'users_insert_input'")},
	{name: "cognito_sync cannot update the id", source: "discussion #9767", header: asSync,
		variables: variables(user(ada, ``), `["id"]`, noon),
		want: refusal("validation-failed", "$.selectionSet.insert_users_one.args.on_conflict.update_columns[0]",
			"expected one of the values ['attributes', 'email', 'email_verified', 'family_name', 'given_name', 'identity_provider', 'last_sign_in_at', 'locale', 'name', 'phone_number', 'phone_number_verified', 'picture', 'status', 'synced_at', 'username'] for type 'users_update_column', but found 'id'")},
	{name: "cognito_sync can select only some columns", source: "docs: select permission", header: asSync,
		query: `mutation { insert_users_one(object: {id: "` + ada + `"}) { email } }`,
		want:  refusal("validation-failed", "$.selectionSet.insert_users_one.selectionSet.email", "field 'email' not found in type: 'users'")},
	{name: "a backend_only permission without the header", source: "tests-py: backend_user_insert_fail.yaml",
		header: without(asSync, "X-Hasura-Use-Backend-Only-Permissions"), variables: variables(user(ada, ``), `["email"]`, noon),
		want: refusal("validation-failed", "", "no mutations exist")},
	{name: "a role without insert permission", source: "tests-py: backend_user_insert_fail.yaml", header: asUser,
		variables: variables(user(ada, ``), `["email"]`, noon), want: refusal("validation-failed", "", "no mutations exist")},
	{name: "an unknown role", source: "tests-py: backend_user_insert_fail.yaml", header: as("stranger", ada),
		variables: variables(user(ada, ``), `["email"]`, noon), want: refusal("validation-failed", "", "no mutations exist")},
	{name: "a backend-only header that is not a boolean", source: "tests-py: backend_user_insert_invalid_bool.yaml",
		header: func() http.Header { h := asSync.Clone(); h.Set(backendOnlyHeader, "perhaps"); return h }(),
		want: refusal("bad-request", "", `x-hasura-use-backend-only-permissions:  Not a valid boolean text. `+
			`True values are ["true","t","yes","y"] and  False values are ["false","f","no","n"]. All values are case insensitive`)},

	// The schema refuses these.
	{name: "an unknown field", source: "tests-py", query: `mutation { insert_people_one(object: {}) { id } }`,
		want: refusal("validation-failed", "$.selectionSet.insert_people_one", "field 'insert_people_one' not found in type: 'mutation_root'")},
	{name: "an unknown column", source: "tests-py", variables: variables(user(ada, `"shoe_size":42`), `["email"]`, noon),
		want: refusal("validation-failed", "$.selectionSet.insert_users_one.args.object.shoe_size", "field 'shoe_size' not found in type: 'users_insert_input'")},
	{name: "an unknown constraint", source: "discussion #9767",
		query: `mutation { insert_users_one(object: {id: "` + ada + `"}, on_conflict: {constraint: users_email_key, update_columns: [email]}) { id } }`,
		want: refusal("validation-failed", "$.selectionSet.insert_users_one.args.on_conflict.constraint",
			"expected one of the values ['users_pkey'] for type 'users_constraint', but found 'users_email_key'")},
	{name: "an unknown argument", source: "#6366", query: `mutation { insert_users_one(object: {}, upsert: true) { id } }`,
		want: refusal("validation-failed", "$.selectionSet.insert_users_one", "'insert_users_one' has no argument named 'upsert'")},
	{name: "a missing argument", source: "tests-py", query: `mutation { insert_users_one { id } }`,
		want: refusal("validation-failed", "$.selectionSet.insert_users_one", "missing required field 'object'")},
	{name: "a missing input field", source: "tests-py", query: `mutation { insert_users_one(object: {}, on_conflict: {update_columns: []}) { id } }`,
		want: refusal("validation-failed", "$.selectionSet.insert_users_one.args.on_conflict", "missing required field 'constraint'")},
	{name: "a string for a boolean", source: "tests-py", variables: variables(user(ada, `"email_verified":"true"`), `["email"]`, noon),
		want: refusal("validation-failed", "$.selectionSet.insert_users_one.args.object.email_verified", "expected a boolean for type 'Boolean', but found a string")},
	{name: "a number for a string", source: "tests-py", variables: variables(user(ada, `"email":1`), `["email"]`, noon),
		want: refusal("validation-failed", "$.selectionSet.insert_users_one.args.object.email", "expected a string for type 'String', but found a number")},
	{name: "a number for a uuid", source: "tests-py", variables: variables(`{"id":1}`, `["email"]`, noon),
		want: refusal("parse-failed", "$.selectionSet.insert_users_one.args.object.id", "parsing UUID failed, expected String, but encountered Number")},
	{name: "a list for an object", source: "graphql-engine, Parser: typeMismatch", query: `mutation($u: users_insert_input!) { insert_users_one(object: $u) { id } }`, variables: `{"u":[]}`,
		want: refusal("validation-failed", "$.selectionSet.insert_users_one.args.object", "expected an object for type 'users_insert_input', but found a list")},
	{name: "null for what cannot be null", source: "graphql-engine, Parser: typeMismatch", variables: `{"user":null,"columns":[],"at":"x"}`,
		want: refusal("validation-failed", "$.selectionSet.insert_users_one.args.object", "unexpected null value for type 'users_insert_input'")},
	{name: "a string in the document for an enum", source: "graphql-engine, Parser: enum", query: `mutation { insert_users_one(object: {}, on_conflict: {constraint: "users_pkey"}) { id } }`,
		want: refusal("validation-failed", "$.selectionSet.insert_users_one.args.on_conflict.constraint", "expected an enum value for type 'users_constraint', but found a string")},
	{name: "one value for a list", source: "GraphQL specification", given: []string{user(ada, "")},
		variables: variables(user(ada, ""), `"email"`, noon), want: upserted},
	{name: "a float as limit", source: "graphql-engine, Parser: int", query: `{ users(limit: 1.5) { id } }`,
		want: refusal("validation-failed", "$.selectionSet.users.args.limit", "expected a non-negative 32-bit integer for type 'Int', but found a float")},
	{name: "a float as limit in a variable", source: "graphql-engine, Parser: scientificToInteger", query: `query($n: Int) { users(limit: $n) { id } }`, variables: `{"n":1.5}`,
		want: refusal("parse-failed", "$.selectionSet.users.args.limit", "The value 1.5 lies outside the bounds or is not an integer. Maybe it is a float, or is there integer overflow?")},
	{name: "a negative limit", source: "graphql-engine, Parser: nonNegativeInt", query: `{ users(limit: -1) { id } }`,
		want: refusal("validation-failed", "$.selectionSet.users.args.limit", "expected a non-negative 32-bit integer for type 'Int', but found an integer")},
	{name: "a list for a time", source: "graphql-engine, parsePGValue", query: `mutation { insert_users_one(object: {synced_at: [1]}) { id } }`,
		want: refusal("parse-failed", "$.selectionSet.insert_users_one.args.object.synced_at", "parsing UTCTime failed, expected String, but encountered Array")},
	{name: "values in the document", source: "GraphQL specification",
		query: `mutation($v: String = "v") { insert_users_one(object: {id: "` + ada + `", email_verified: false, attributes: {a: [1, "s", true, null, E, $v]}}) { email_verified attributes } }`,
		want:  `{"data":{"insert_users_one":{"email_verified":false,"attributes":{"a":[1,"s",true,null,"E","v"]}}}}`},
	{name: "a filter that is null", source: "docs: filters", query: `{ users(where: {_and: null}) { id } }`,
		want: refusal("validation-failed", "$.selectionSet.users.args.where._and", "unexpected null value for type 'users_bool_exp'")},
	{name: "a comparison that is null", source: "docs: filters", query: `{ users(where: {email: null}) { id } }`,
		want: refusal("validation-failed", "$.selectionSet.users.args.where.email", "unexpected null value for type 'String_comparison_exp'")},
	{name: "a missing variable", source: "graphql-engine Resolve.hs", variables: `{"user":{},"columns":[]}`,
		want: refusal("validation-failed", "", `expecting a value for non-nullable variable: "at"`)},
	{name: "a variable of the wrong type", source: "tests-py",
		query: `mutation($at: String!) { insert_users_one(object: {synced_at: $at}) { id } }`, variables: `{"at":"x"}`,
		want: refusal("validation-failed", "$.selectionSet.insert_users_one.args.object.synced_at", "variable 'at' is declared as 'String!', but used where 'timestamptz' is expected")},
	{name: "an undeclared variable", source: "graphql-engine Resolve.hs", query: `mutation { insert_users_one(object: $user) { id } }`,
		want: refusal("validation-failed", "", `unbound variable "user"`)},
	{name: "a variable that is not used", source: "third-party replay of tests-py against v2.50: tolerated",
		query: `query($unused: Int) { users { id } }`, want: `{"data":{"users":[]}}`},
	{name: "a value for an undeclared variable", source: "graphql-engine Resolve.hs", query: `{ users { id } }`, variables: `{"x":1}`,
		want: refusal("validation-failed", "", "unexpected variables in variableValues: x")},
	{name: "invalid GraphQL", source: "docs", query: `mutation {`, want: refusal("validation-failed", "$.query", "not a valid graphql query")},
	{name: "no selection", source: "tests-py", query: `{ users }`,
		want: refusal("validation-failed", "$.selectionSet.users", "missing selection set for 'users'")},
	{name: "a subscription", source: "docs: subscriptions", query: `subscription { users { id } }`,
		want: refusal("unexpected-payload", "", "subscriptions are not supported over HTTP, use websockets instead")},
	{name: "two operations and no name", source: "GraphQL specification", query: `query a { users { id } } query b { users { id } }`,
		want: refusal("validation-failed", "", "exactly one operation has to be present in the document when operationName is not specified")},

	// Queries.
	{name: "order_by and limit", source: "docs: sorting", given: []string{user(ada, `"email":"b"`), user(grace, `"email":"a"`), user(other, ``)},
		query: `query($limit: Int) { users(order_by: [{email: desc}, {id: asc}], limit: $limit) { email } }`, variables: `{"limit":2}`,
		want: `{"data":{"users":[{"email":null},{"email":"b"}]}}`},
	{name: "offset", source: "docs: pagination", given: []string{user(ada, `"email":"b"`), user(grace, `"email":"a"`)},
		query: `{ users(order_by: {email: asc_nulls_first}, offset: 1) { email } }`, want: `{"data":{"users":[{"email":"b"}]}}`},
	{name: "a negative offset", source: "graphql-engine, offsetParser", query: `{ users(offset: -1) { id } }`,
		want: refusal("data-exception", "", "OFFSET must not be negative")},
	{name: "times in UTC, without zeros at the end", source: "PostgreSQL: to_json",
		given: []string{user(ada, `"synced_at":"2026-11-23T13:00:00.120+01:00","email_verified":true`)},
		query: `{ users { synced_at email_verified phone_number_verified } }`,
		want:  `{"data":{"users":[{"synced_at":"2026-11-23T12:00:00.12+00:00","email_verified":true,"phone_number_verified":null}]}}`},
	{name: "conditions", source: "docs: filters", given: []string{user(ada, `"email":"b","email_verified":true`), user(grace, `"email":"a"`)},
		query: `{ both: users(where: {_and: [{email: {_in: ["a", "b"]}}, {_not: {id: {_eq: "` + grace + `"}}}]}) { email }
			none: users(where: {_or: []}) { id } all: users(where: {}) { __typename }
			not: users(where: {email: {_nin: ["a"], _neq: "z", _gte: "a", _lte: "c", _gt: "a", _lt: "c"}, email_verified: {_is_null: false}}) { email } }`,
		want: `{"data":{"both":[{"email":"b"}],"none":[],"all":[{"__typename":"users"},{"__typename":"users"}],"not":[{"email":"b"}]}}`},
	{name: "_eq: null", source: "docs: filters, since v2.0", query: `{ users(where: {email: {_eq: null}}) { id } }`,
		want: refusal("validation-failed", "$.selectionSet.users.args.where.email._eq", "unexpected null value for type 'String'")},
	{name: "a user selects only the user's own row", source: "docs: row-level permissions", header: asUser,
		given: []string{user(ada, `"name":"Ada"`), user(grace, `"name":"Grace"`)},
		query: `query($her: uuid!) { users { id name } hers: users_by_pk(id: $her) { id } mine: users_by_pk(id: "` + ada + `") { name } }`, variables: `{"her":"` + grace + `"}`,
		want: `{"data":{"users":[{"id":"` + ada + `","name":"Ada"}],"hers":null,"mine":{"name":"Ada"}}}`},
	{name: "a user cannot select columns without permission", source: "docs: column-level permissions", header: asUser, query: `{ users { synced_at } }`,
		want: refusal("validation-failed", "$.selectionSet.users.selectionSet.synced_at", "field 'synced_at' not found in type: 'users'")},
	{name: "a user whose id is not a uuid", source: "#5134, #6803", header: as("user", ""), query: `{ users { id } }`,
		want: refusal("data-exception", "", `invalid input syntax for type uuid: ""`)},
	{name: "fragments and directives", source: "GraphQL specification", given: []string{user(ada, `"name":"Ada"`)},
		query: `query($no: Boolean = false) { users { ...f ... on users { name } id @skip(if: true) email @include(if: $no) } } fragment f on users { __typename }`,
		want:  `{"data":{"users":[{"__typename":"users","name":"Ada"}]}}`},

	{name: "a string for a directive", source: "the local Hasura", query: `query($no: Boolean!) { users { id @include(if: $no) } }`, variables: `{"no":"x"}`,
		want: refusal("validation-failed", "", "expected a boolean for type 'Boolean', but found a string")},

	// Hasura serves these and the stand-in does not.
	{name: "an aggregate", source: "the local Hasura", query: `{ users_aggregate { aggregate { count } } }`,
		want: refusal("not-supported", "$.selectionSet.users_aggregate", "the local Hasura does not serve the query users_aggregate")},
	{name: "a deletion of one row", source: "the local Hasura", query: `mutation { delete_users_by_pk(id: "` + ada + `") { id } }`,
		want: refusal("not-supported", "$.selectionSet.delete_users_by_pk", "the local Hasura does not serve the mutation delete_users_by_pk")},
	{name: "a deletion that returns rows", source: "the local Hasura", query: `mutation { delete_users(where: {}) { returning { id } } }`,
		want: refusal("not-supported", "$.selectionSet.delete_users.selectionSet.returning", "the local Hasura does not serve the rows that were deleted")},
	{name: "a pattern", source: "the local Hasura", query: `{ users(where: {email: {_like: "%"}}) { id } }`,
		want: refusal("not-supported", "$.selectionSet.users.args.where.email._like", "the local Hasura does not serve the operator _like")},
	{name: "a path into jsonb", source: "the local Hasura", query: `{ users { attributes(path: "$.a") } }`,
		want: refusal("not-supported", "$.selectionSet.users.selectionSet.attributes", "the local Hasura does not serve the argument path")},
	{name: "an append", source: "the local Hasura", query: `mutation { update_users(where: {}, _append: {attributes: {a: 1}}) { affected_rows } }`,
		want: refusal("not-supported", "$.selectionSet.update_users.args._append", "the local Hasura does not serve the argument _append")},
	{name: "an order_by object with several columns", source: "the local Hasura", query: `{ users(order_by: {email: asc, id: asc}) { id } }`,
		want: refusal("not-supported", "$.selectionSet.users.args.order_by", "the local Hasura does not serve an object with several columns; use a list")},
	{name: "distinct rows", source: "the local Hasura", query: `{ users(distinct_on: email) { id } }`,
		want: refusal("not-supported", "$.selectionSet.users.args.distinct_on", "the local Hasura does not serve distinct_on")},
}

const other = "11111111-2222-4333-8444-555555555555"

func TestReplay(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		s := serve(t, Config{Database: db, AdminSecret: secret})
		replayAll(t, local(s, db))
	})
	if url := os.Getenv("HASURA_URL"); url != "" {
		t.Run("the Hasura at HASURA_URL", func(t *testing.T) { replayAll(t, hasuraAt(t, url)) })
	}
}

// A target is a Hasura that gets the requests, and its table, which the test empties.
type target struct {
	http.Handler
	sql    *sql.DB
	table  string
	sqlite bool
}

func local(s *Server, db *Database) target {
	_, sqlite := db.dialect.(sqliteDialect)
	return target{s, db.SQL, db.dialect.tableName(s.tables[0]), sqlite}
}

// hasuraAt is the Hasura at an address, such as the real one that make e2e-hasura starts.
// It must give the same responses as the local one.
func hasuraAt(t *testing.T, address string) target {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	config, err := pgx.ParseConfig(os.Getenv("HASURA_DATABASE_URL"))
	if err != nil {
		t.Fatalf("HASURA_DATABASE_URL must name the database of the Hasura at HASURA_URL: %v", err)
	}
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { db.Close() })
	return target{httputil.NewSingleHostReverseProxy(to), db, "users", false}
}

func replayAll(t *testing.T, s target) {
	_, local := s.Handler.(*Server)
	for _, row := range replays {
		if local || row.source != "the local Hasura" {
			t.Run(row.name, func(t *testing.T) { row.run(t, s) })
		}
	}
}

func (row replay) run(t *testing.T, s target) {
	fill(t, s, row.given)
	header, query, variables := row.header, row.query, row.variables
	if header == nil {
		header = asAdmin
	}
	if query == "" {
		query = upsert
	}
	if variables == "" {
		variables = "{}"
	}
	status, got := post(t, s, header, query, json.RawMessage(variables))
	want := row.want
	if s.sqlite && row.sqlite != "" {
		want = row.sqlite
	}
	if status != 200 || !sameJSON(got, want) {
		t.Errorf("%d %s\nwant 200 %s\nsource: %s", status, got, want, row.source)
	}
	if row.rows == "" {
		return
	}
	_, got = post(t, s, asAdmin, `{ users(order_by: {id: asc}) { id email name attributes synced_at } }`, nil)
	if want := `{"data":{"users":` + row.rows + `}}`; !sameJSON(got, want) {
		t.Errorf("afterwards %s\nwant %s", got, want)
	}
}

// fill replaces the rows of the table.
func fill(t *testing.T, s target, users []string) {
	t.Helper()
	if _, err := s.sql.ExecContext(t.Context(), "DELETE FROM "+s.table); err != nil {
		t.Fatal(err)
	}
	query := `mutation($users: [users_insert_input!]!) { insert_users(objects: $users) { affected_rows } }`
	_, got := post(t, s, asAdmin, query, json.RawMessage(`{"users":[`+strings.Join(users, ",")+`]}`))
	if want := fmt.Sprintf(`{"data":{"insert_users":{"affected_rows":%d}}}`, len(users)); !sameJSON(got, want) {
		t.Fatalf("fill: %s, want %s", got, want)
	}
}
