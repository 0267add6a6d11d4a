package main

// An example is a table of docs/own-table.md. The folder testdata/<name> has the files that its users change.
type example struct {
	name, table string
	removes     []string // files of the repository that do not stay
	settings    []string // of make run
	application string   // a statement: what the application writes after the first sign-in
	rows        []query
}

// A query is about the rows after every event, and what it must return.
type query struct{ query, want string }

const (
	jane   = "1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15" // the user of events/post-authentication.json
	tenant = "7f1f0b5e-3d0a-4c4e-9a55-8c2b1c6d9e01"
)

// another are the files that another table replaces.
var another = []string{"graphql/hasura/migrations", "graphql/hasura/metadata/databases/default/tables/public_users.yaml"}

var examples = []example{
	{name: "a", table: "public.users, whose id the database makes, with cognito_sub", removes: another,
		application: "UPDATE users SET role = 'owner', display_name = 'changed by the application'",
		rows: []query{
			{"SELECT count(*) > 15, count(id) = count(*), count(DISTINCT id) = count(*) FROM users", "true true true"},
			{"SELECT role, email, display_name, last_seen_at IS NOT NULL, updated_at > created_at FROM users WHERE cognito_sub = '" + jane + "'", "owner jane@example.com Jane Doe true true"},
			{"SELECT DISTINCT role FROM users WHERE cognito_sub <> '" + jane + "'", "member"},
			{"SELECT count(*) FROM users WHERE email IS NULL OR display_name IS NULL OR synced_at IS NULL", "0"},
			{"SELECT count(*) > 0 FROM users WHERE email = '' AND display_name = ''", "true"},
		}},
	{name: "b", table: "app.accounts with ids from before the pool, under graphql-default", removes: another, settings: []string{"USER_ID=custom:legacy_uid"},
		application: "UPDATE app.accounts SET phone = '+1 from the application'",
		rows: []query{
			{"SELECT count(*) > 15, count(deleted_at), count(synced_at) = count(*) FROM app.accounts", "true 0 true"},
			{"SELECT count(*) > 4 FROM app.accounts WHERE uid LIKE 'legacy-%'", "true"},
			{"SELECT count(*) > 4 FROM app.accounts WHERE uid ~ '^[0-9a-f-]{36}$'", "true"},
			{"SELECT DISTINCT tenant_id::text FROM app.accounts ORDER BY 1", tenant + ", <nil>"},
			{"SELECT count(*) FROM app.accounts WHERE profile IS NULL OR profile->>'org_id' <> '" + tenant + "'", "0"},
		}},
	{name: "c", table: "the shipped table with more columns",
		application: "UPDATE users SET login_count = 5, birthdate = '2000-01-01'",
		rows: []query{
			{"SELECT login_count, birthdate::text, nickname, zoneinfo, org_id::text, deleted_at FROM users WHERE id = '" + jane + "'", "5 2000-01-01 Nick Europe/Berlin " + tenant + " <nil>"},
			{"SELECT count(*) > 15, count(deleted_at), count(login_count), count(birthdate) FROM users", "true 0 1 1"},
		}},
	{name: "d", table: "public.people with names in one jsonb column", removes: another,
		application: "UPDATE public.people SET name = '{\"given\": \"from the application\"}'",
		rows: []query{
			{"SELECT name->>'given', name->>'family' FROM people WHERE id = '" + jane + "'", "Jane Doe"},
			{"SELECT count(*) > 15, count(name) < count(*) FROM people", "true true"},
		}},
	{name: "e", table: "the shipped table as auth.members, with other root fields", removes: another,
		application: "UPDATE auth.members SET locale = 'changed by the application'",
		rows: []query{
			{"SELECT email, email_verified, given_name, family_name, locale FROM auth.members WHERE id = '" + jane + "'", "jane@example.com true Jane Doe changed by the application"},
			{"SELECT count(*) > 15, count(synced_at) = count(*) FROM auth.members", "true true"},
		}},
}
