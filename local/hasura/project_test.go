package hasura

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
)

// A role's schema has only what the role may do (graphql-engine #4709, #6366, discussion
// #9767).
func TestSchemasOfRoles(t *testing.T) {
	project, err := loadProject(projectFS)
	if err != nil {
		t.Fatal(err)
	}
	roles := project.roles
	names := func(def *ast.Definition) (list []string) {
		if def != nil {
			for _, field := range def.Fields {
				if !strings.HasPrefix(field.Name, "__") {
					list = append(list, field.Name)
				}
			}
			for _, value := range def.EnumValues {
				list = append(list, value.Name)
			}
		}
		return list
	}
	sync, hidden, user, none := roleKey{"cognito_sync", true}, roleKey{"cognito_sync", false}, roleKey{"user", true}, roleKey{}
	rows := []struct {
		role roleKey
		typ  string
		want []string
	}{
		{sync, "mutation_root", []string{"insert_users", "insert_users_one", "update_users", "update_users_by_pk", "update_users_many"}},
		{sync, "query_root", []string{"users", "users_by_pk"}},
		{sync, "users", []string{"deleted_at", "id", "last_sign_in_at", "synced_at"}},
		{sync, "users_bool_exp", []string{"_and", "_not", "_or", "deleted_at", "id", "last_sign_in_at", "synced_at"}},
		{sync, "users_on_conflict", []string{"constraint", "update_columns", "where"}},
		{sync, "users_mutation_response", []string{"affected_rows", "returning"}},
		{sync, "users_aggregate", nil},
		{sync, "users_max_fields", nil},
		{hidden, "mutation_root", nil},
		{hidden, "users_insert_input", nil},
		{hidden, "users", []string{"deleted_at", "id", "last_sign_in_at", "synced_at"}},
		{roleKey{"cognito_reconcile", false}, "mutation_root", nil},
		{user, "mutation_root", nil},
		{user, "users_constraint", nil},
		{user, "query_root", []string{"users", "users_by_pk"}},
		{none, "query_root", []string{"no_queries_available"}},
		{none, "subscription_root", nil},
		{none, "users", nil},
	}
	for _, row := range rows {
		if diff := cmp.Diff(row.want, names(roles[row.role].schema.Types[row.typ])); diff != "" {
			t.Errorf("%v, %s (-want +got):\n%s", row.role, row.typ, diff)
		}
	}
	written := names(roles[sync].schema.Types["users_insert_input"])
	updated := names(roles[sync].schema.Types["users_update_column"])
	if want := append(slices.Clone(updated), "id"); !sameSet(written, want) {
		t.Errorf("cognito_sync inserts %v and updates %v, want the same and id", written, updated)
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func TestPermissions(t *testing.T) {
	const table = "table: {name: users, schema: public}\n"
	all := "columns: [id, email], check: {}"
	rows := []struct {
		name, metadata, query string
		want                  string // a part of the error; empty means data
	}{
		{"insert without select has no insert_users_one",
			"insert_permissions: [{role: r, permission: {" + all + "}}]", `mutation { insert_users_one(object: {}) { __typename } }`,
			"field 'insert_users_one' not found in type: 'mutation_root'"},
		{"insert without select returns nothing",
			"insert_permissions: [{role: r, permission: {" + all + "}}]", `mutation { insert_users(objects: []) { returning { id } } }`,
			"field 'returning' not found in type: 'users_mutation_response'"},
		{"insert without select returns affected_rows",
			"insert_permissions: [{role: r, permission: {" + all + "}}]", `mutation { insert_users(objects: [{id: "` + ada + `"}]) { affected_rows } }`, ""},
		{"insert without update has no on_conflict",
			"insert_permissions: [{role: r, permission: {" + all + "}}]", `mutation { insert_users(objects: [], on_conflict: {}) { affected_rows } }`,
			"'insert_users' has no argument named 'on_conflict'"},
		{"update without columns has a placeholder",
			"insert_permissions: [{role: r, permission: {" + all + "}}]\nupdate_permissions: [{role: r, permission: {columns: [], filter: {}}}]",
			`mutation { insert_users(objects: [], on_conflict: {constraint: users_pkey, update_columns: [email]}) { affected_rows } }`,
			"expected one of the values ['_PLACEHOLDER'] for type 'users_update_column', but found 'email'"},
		{"a filter with _or and _in",
			"select_permissions: [{role: r, permission: {columns: [id], filter: {_or: [{email: {_in: [a, b]}}, {id: {_eq: X-Hasura-User-Id}}]}}}]", `{ users { id } }`, ""},
		{"no permission", "", `{ no_queries_available }`, ""},
		{"a star for all columns", `select_permissions: [{role: r, permission: {columns: "*", filter: {}}}]`, `{ users { id email created_at } }`, ""},
		{"what a team's table has beside its columns", `configuration: {comment: people, custom_root_fields: {select: {name: users, comment: all}}}
object_relationships: [{name: plan, using: {foreign_key_constraint_on: plan_id}}]
event_triggers: [{name: welcome, definition: {enable_manual: false}}]
delete_permissions: [{role: r, permission: {filter: {}}}]
select_permissions: [{role: r, permission: {columns: [id], filter: {}, query_root_fields: [select]}}]`, `{ users { id } }`, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s, err := New(Config{Project: projectWith(t, table+row.metadata), Database: open(t, ""), AdminSecret: secret})
			if err != nil {
				t.Fatal(err)
			}
			_, got := post(t, s, as("r", ada), row.query, nil)
			if row.want == "" && strings.Contains(got, "errors") || !strings.Contains(got, row.want) {
				t.Errorf("%s: %s, want %s", row.query, got, row.want)
			}
		})
	}
}

// projectWith is the project with other metadata for its table.
func projectWith(t *testing.T, metadata string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{tablesFolder + "/tables.yaml": {Data: []byte(`- "!include t.yaml"`)}, tablesFolder + "/t.yaml": {Data: []byte(metadata)}}
	schema, err := projectFS.(interface{ ReadFile(string) ([]byte, error) }).ReadFile("schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	files["schema.graphql"] = &fstest.MapFile{Data: schema}
	return files
}

// A project may have tables in other schemas, with other names in GraphQL.
func TestSeveralTables(t *testing.T) {
	files := projectWith(t, "")
	add := func(name, text string) { files[name] = &fstest.MapFile{Data: []byte(text)} }
	add(tablesFolder+"/tables.yaml", "- \"!include users.yaml\"\n- \"!include orders.yaml\"\n")
	add(tablesFolder+"/users.yaml", "table: {name: users, schema: public}")
	add(tablesFolder+"/orders.yaml", `
table: {name: user_orders, schema: shop}
configuration: {custom_name: users_orders, custom_root_fields: {select: allOrders}}
insert_permissions: [{role: clerk, permission: {columns: [id, note], check: {note: {_eq: X-Hasura-Note}}}}]
select_permissions: [{role: clerk, permission: {columns: [id], filter: {}}}]`)
	add("schema.graphql", string(files["schema.graphql"].Data)+`
type users_orders { id: uuid!  note: String  state: String }
input users_orders_pk_columns_input { id: uuid! }
input users_orders_insert_input { id: uuid  note: String  state: String }
enum users_orders_constraint { "unique or primary key constraint on columns \"note\"" user_orders_note_key }
enum users_orders_update_column { state }
input users_orders_on_conflict { constraint: users_orders_constraint!  update_columns: [users_orders_update_column!]! = [] }
input users_orders_bool_exp { id: uuid_comparison_exp  note: String_comparison_exp }
extend type query_root { allOrders(where: users_orders_bool_exp): [users_orders!]! }
extend type mutation_root { insert_users_orders_one(object: users_orders_insert_input!, on_conflict: users_orders_on_conflict): users_orders }`)
	add("hasura/migrations/default/1/up.sql", "CREATE SCHEMA shop;\nCREATE TABLE shop.user_orders (\n  id uuid NOT NULL,\n  note text,\n  state text,\n  CONSTRAINT user_orders_note_key UNIQUE (note),\n  PRIMARY KEY (id)\n);\n")
	add("hasura/migrations/default/2/up.sql", "CREATE TABLE public.users (\n  id uuid NOT NULL,\n  PRIMARY KEY (id)\n);\n")

	clerk := as("clerk", ada)
	clerk.Set("X-Hasura-Note", "paid")
	order := func(note string) string {
		return `mutation { insert_users_orders_one(object: {id: "` + ada + `", note: "` + note + `"}) { id } }`
	}
	rows := []exchange{
		{clerk, order("unpaid"), refusal(permissionError, "$.selectionSet.insert_users_orders_one.args.object", "check constraint of an insert/update permission has failed")},
		{clerk, order("paid"), `{"data":{"insert_users_orders_one":{"id":"` + ada + `"}}}`},
		{clerk, strings.Replace(order("paid"), ada, grace, 1), refusal(constraintViolation, "$.selectionSet.insert_users_orders_one.args.object",
			`Uniqueness violation. duplicate key value violates unique constraint "user_orders_note_key"`)},
		{clerk, `{ allOrders { id } }`, `{"data":{"allOrders":[{"id":"` + ada + `"}]}}`},
		{clerk, `{ allOrders { note } }`, refusal(validationFailed, "$.selectionSet.allOrders.selectionSet.note", "field 'note' not found in type: 'users_orders'")},
		{clerk, `{ users { id } }`, refusal(validationFailed, "$.selectionSet.users", "field 'users' not found in type: 'query_root'")},
		{asAdmin, `mutation { insert_users_orders_one(object: {id: "` + grace + `", note: "paid", state: "sent"},
			on_conflict: {constraint: user_orders_note_key, update_columns: [state]}) { id state } }`, `{"data":{"insert_users_orders_one":{"id":"` + ada + `","state":"sent"}}}`},
		{asAdmin, `{ allOrders(where: {note: {_eq: "paid"}}) { note } users { id } }`, `{"data":{"allOrders":[{"note":"paid"}],"users":[]}}`},
	}
	checkOnEach(t, files, rows)
}

// exchange is a request and a response of a project.
type exchange struct {
	header      http.Header
	query, want string
}

func checkOnEach(t *testing.T, files fstest.MapFS, exchanges []exchange) {
	t.Helper()
	urls := []string{""}
	if server := postgresServer(); server != "" {
		urls = append(urls, newPostgres(t, server))
	}
	for _, url := range urls {
		db, err := Open(t.Context(), files, url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		s, err := New(Config{Project: files, Database: db, AdminSecret: secret})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range exchanges {
			if _, got := post(t, s, e.header, e.query, nil); !sameJSON(got, e.want) {
				t.Errorf("%s: %s as %s: %s\nwant %s", db.Name, e.query, e.header.Get(roleHeader), got, e.want)
			}
		}
	}
}

// A project may use the naming convention graphql-default, and custom names of columns.
func TestNamingConvention(t *testing.T) {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		databasesFile:                 "- {name: default, kind: postgres, customization: {naming_convention: graphql-default}}",
		tablesFolder + "/tables.yaml": `- "!include accounts.yaml"`,
		tablesFolder + "/accounts.yaml": `
table: {name: accounts, schema: app}
configuration: {column_config: {nick: {custom_name: displayName}}}
insert_permissions: [{role: sync, permission: {columns: [uid, nick, synced_at], check: {uid: {_eq: X-Hasura-User-Id}}}}]
update_permissions: [{role: sync, permission: {columns: [nick, synced_at], filter: {uid: {_eq: X-Hasura-User-Id}}, check: {nick: {_neq: bad}}}}]
select_permissions: [{role: sync, permission: {columns: [uid, synced_at], filter: {}}}]`,
		"schema.graphql": `
schema { query: query_root  mutation: mutation_root }
scalar timestamptz
enum OrderBy { ASC DESC }
input StringComparisonExp { _eq: String  _isNull: Boolean }
input TimestamptzComparisonExp { _lt: timestamptz  _isNull: Boolean }
type AppAccounts { uid: String!  displayName: String  syncedAt: timestamptz }
type AppAccountsMutationResponse { affectedRows: Int!  returning: [AppAccounts!]! }
input AppAccountsBoolExp { _or: [AppAccountsBoolExp!]  uid: StringComparisonExp  displayName: StringComparisonExp  syncedAt: TimestamptzComparisonExp }
input AppAccountsInsertInput { uid: String  displayName: String  syncedAt: timestamptz }
input AppAccountsSetInput { displayName: String }
input AppAccountsPkColumnsInput { uid: String! }
input AppAccountsOrderBy { uid: OrderBy }
enum AppAccountsConstraint { "unique or primary key constraint on columns \"uid\"" ACCOUNTS_PKEY }
enum AppAccountsUpdateColumn { displayName SYNCED_AT }
input AppAccountsOnConflict { constraint: AppAccountsConstraint!  updateColumns: [AppAccountsUpdateColumn!]! = []  where: AppAccountsBoolExp }
type query_root { appAccounts(where: AppAccountsBoolExp, orderBy: [AppAccountsOrderBy!], limit: Int): [AppAccounts!]!  appAccountsByPk(uid: String!): AppAccounts }
type mutation_root {
  insertAppAccountsOne(object: AppAccountsInsertInput!, onConflict: AppAccountsOnConflict): AppAccounts
  insertAppAccounts(objects: [AppAccountsInsertInput!]!, onConflict: AppAccountsOnConflict): AppAccountsMutationResponse
  updateAppAccountsByPk(pkColumns: AppAccountsPkColumnsInput!, _set: AppAccountsSetInput): AppAccounts
}`,
		"hasura/migrations/default/1/up.sql": "CREATE SCHEMA app;\nCREATE TABLE app.accounts (uid text NOT NULL, nick text, synced_at timestamptz, CONSTRAINT accounts_pkey PRIMARY KEY (uid));",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	sync := as("sync", "legacy-1")
	upsert := func(name, at string) string {
		return `mutation { insertAppAccountsOne(object: {uid: "legacy-1", displayName: "` + name + `", syncedAt: "` + at + `"}, onConflict: {constraint: ACCOUNTS_PKEY,
			updateColumns: [displayName, SYNCED_AT], where: {_or: [{syncedAt: {_lt: "` + at + `"}}, {syncedAt: {_isNull: true}}]}}) { uid __typename } }`
	}
	const written = `{"data":{"insertAppAccountsOne":{"uid":"legacy-1","__typename":"AppAccounts"}}}`
	checkOnEach(t, files, []exchange{
		{sync, upsert("Ada", later), written},
		{sync, upsert("Old", noon), `{"data":{"insertAppAccountsOne":null}}`},
		{sync, upsert("bad", "2026-11-24T00:00:00Z"), refusal(permissionError, "$.selectionSet.insertAppAccountsOne.args.object", "check constraint of an insert/update permission has failed")},
		{sync, `{ appAccounts { displayName } }`, refusal(validationFailed, "$.selectionSet.appAccounts.selectionSet.displayName", "field 'displayName' not found in type: 'AppAccounts'")},
		{asAdmin, `mutation { insertAppAccounts(objects: [{uid: "z"}]) { affectedRows } updateAppAccountsByPk(pkColumns: {uid: "z"}, _set: {displayName: "Z"}) { displayName } }`,
			`{"data":{"insertAppAccounts":{"affectedRows":1},"updateAppAccountsByPk":{"displayName":"Z"}}}`},
		{asAdmin, `{ appAccounts(orderBy: [{uid: DESC}], limit: 1) { uid displayName } appAccountsByPk(uid: "legacy-1") { displayName syncedAt } }`,
			`{"data":{"appAccounts":[{"uid":"z","displayName":"Z"}],"appAccountsByPk":{"displayName":"Ada","syncedAt":"2026-11-23T12:00:01+00:00"}}}`},
	})
}

func TestNewErrors(t *testing.T) {
	const table = "table: {name: users, schema: public}\n"
	rows := []struct{ name, metadata, want string }{
		{"an unknown key in a permission", table + "insert_permissions: [{role: r, permission: {columns: [id], set: {email: x}}}]", "set"},
		{"an unknown key of a table", table + "insert_permission: []", "insert_permission"},
		{"columns that are no list", table + `select_permissions: [{role: r, permission: {columns: {id: true}, filter: {}}}]`, "t.yaml"},
		{"a root field without a name", table + `configuration: {custom_root_fields: {select: [people]}}`, "t.yaml"},
		{"a table that is not in the schema", "table: {name: people, schema: public}", "no type people"},
	}
	for _, row := range rows {
		_, err := New(Config{Project: projectWith(t, row.metadata)})
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want an error with %q", row.name, err, row.want)
		}
	}
	for missing := range projectWith(t, table) {
		files := projectWith(t, table)
		delete(files, missing)
		if _, err := New(Config{Project: files}); err == nil {
			t.Errorf("New succeeds without %s", missing)
		}
	}
}

func TestIntrospection(t *testing.T) {
	s := serve(t, Config{Database: open(t, ""), AdminSecret: secret})
	rows := []struct {
		name   string
		header http.Header
		query  string
		want   string
	}{
		{"root types of admin", asAdmin, `{ __schema { queryType { name } mutationType { name } subscriptionType { name kind } } }`,
			`{"__schema":{"queryType":{"name":"query_root"},"mutationType":{"name":"mutation_root"},"subscriptionType":{"name":"subscription_root","kind":"OBJECT"}}}`},
		{"a role without mutations", asUser, `{ __schema { mutationType { name } } __type(name: "users_insert_input") { name } }`,
			`{"__schema":{"mutationType":null},"__type":null}`},
		{"a constraint", asSync, `{ __type(name: "users_constraint") { __typename kind enumValues { name description isDeprecated deprecationReason __typename } fields { name } } }`,
			`{"__type":{"__typename":"__Type","kind":"ENUM","enumValues":[{"name":"users_pkey","description":"unique or primary key constraint on columns \"id\"","isDeprecated":false,"deprecationReason":null,"__typename":"__EnumValue"}],"fields":null}}`},
		{"columns and their types", asSync, `{ __type(name: "users") { interfaces { name } enumValues { name } inputFields { name } fields { name args { name } isDeprecated type { kind name ofType { name } } } } }`,
			`{"__type":{"interfaces":[],"enumValues":null,"inputFields":null,"fields":[
				{"name":"deleted_at","args":[],"isDeprecated":false,"type":{"kind":"SCALAR","name":"timestamptz","ofType":null}},
				{"name":"id","args":[],"isDeprecated":false,"type":{"kind":"NON_NULL","name":null,"ofType":{"name":"uuid"}}},
				{"name":"last_sign_in_at","args":[],"isDeprecated":false,"type":{"kind":"SCALAR","name":"timestamptz","ofType":null}},
				{"name":"synced_at","args":[],"isDeprecated":false,"type":{"kind":"SCALAR","name":"timestamptz","ofType":null}}]}}`},
		{"an input with a default", asAdmin, `{ __type(name: "users_on_conflict") { inputFields { name defaultValue isDeprecated type { kind ofType { kind ofType { kind ofType { name } } } } } } }`,
			`{"__type":{"inputFields":[
				{"name":"constraint","defaultValue":null,"isDeprecated":false,"type":{"kind":"NON_NULL","ofType":{"kind":"ENUM","ofType":null}}},
				{"name":"update_columns","defaultValue":"[]","isDeprecated":false,"type":{"kind":"NON_NULL","ofType":{"kind":"LIST","ofType":{"kind":"NON_NULL","ofType":{"name":"users_update_column"}}}}},
				{"name":"where","defaultValue":null,"isDeprecated":false,"type":{"kind":"INPUT_OBJECT","ofType":null}}]}}`},
		{"from a mutation", asAdmin, `mutation { __typename }`, `{"__typename":"mutation_root"}`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, got := post(t, s, row.header, row.query, nil)
			if want := `{"data":` + row.want + `}`; !sameJSON(got, want) {
				t.Errorf("%s\nwant %s", got, want)
			}
		})
	}
}

// Every type that the introspection query of tools returns is defined.
func TestIntrospectionIsComplete(t *testing.T) {
	s := serve(t, Config{Database: open(t, ""), AdminSecret: secret})
	const query = `{ __schema {
		types { name description specifiedByURL possibleTypes { name }
			fields(includeDeprecated: true) { name description args { name description defaultValue type { ...ref } } type { ...ref } }
			inputFields { name description type { ...ref } } }
		directives { name description locations isRepeatable args { name type { ...ref } } } } }
		fragment ref on __Type { refersTo: name ofType { refersTo: name ofType { refersTo: name ofType { refersTo: name } } } }`
	for _, header := range []http.Header{asAdmin, asSync, asUser, as("stranger", ada)} {
		_, got := post(t, s, header, query, nil)
		var answer struct {
			Data struct {
				Schema struct {
					Types []struct{ Name string }
				} `json:"__schema"`
			}
		}
		if err := json.Unmarshal([]byte(got), &answer); err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{}
		for _, typ := range answer.Data.Schema.Types {
			known[typ.Name] = true
		}
		for _, match := range regexp.MustCompile(`"refersTo":"(\w+)"`).FindAllStringSubmatch(got, -1) {
			if !known[match[1]] {
				t.Errorf("%s: %s is not defined", header.Get(roleHeader), match[1])
			}
		}
		if !known["query_root"] {
			t.Errorf("%s sees no query_root", header.Get(roleHeader))
		}
	}
}
