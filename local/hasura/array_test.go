package hasura

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/documents"
)

// A filter with _in and a session variable reads an array literal, as PostgreSQL does.
func TestFilterByList(t *testing.T) {
	project, err := documents.AddTo(projectFS)
	if err != nil {
		t.Fatal(err)
	}
	const id = `d0000000-0000-4000-8000-00000000000`
	row := func(n int, tenant string) string { return fmt.Sprintf(`{"id":"%s%d","tenant_id":"%s"}`, id, n, tenant) }
	answer := func(rows string) string { return `{"data":{"documents":[` + rows + `]}}` }
	acme, globex := row(1, "acme")+","+row(2, "acme"), row(3, "globex")
	rows := []struct{ name, role, variable, value, want string }{
		{"one tenant", "user", "X-Hasura-Tenant-Ids", `{"acme"}`, answer(acme)},
		{"two tenants", "user", "X-Hasura-Tenant-Ids", `{"globex","acme"}`, answer(acme + "," + globex)},
		{"no tenant", "user", "X-Hasura-Tenant-Ids", `{}`, answer("")},
		{"characters to quote", "user", "X-Hasura-Tenant-Ids", `{"acme,globex","{acme}","\"acme\"","\\","NULL"," ",""}`, answer("")},
		{"without quotes", "user", "X-Hasura-Tenant-Ids", `{acme, NULL}`, answer(acme)},
		{"not an array literal", "user", "X-Hasura-Tenant-Ids", `acme`, refusal("data-exception", "", `malformed array literal: "acme"`)},
		{"a missing list", "user", "X-Hasura-Org-Id", `{"acme"}`, refusal("not-found", "", `missing session variable: "x-hasura-tenant-ids"`)},
		{"the active tenant", "viewer", "X-Hasura-Tenant-Id", `globex`, answer(globex)},
		{"no active tenant", "viewer", "X-Hasura-Tenant-Ids", `{"acme"}`, refusal("not-found", "", `missing session variable: "x-hasura-tenant-id"`)},
		{"ids", "courier", "X-Hasura-Document-Ids", `{"` + id + `1","` + id + `3"}`, answer(row(1, "acme") + "," + globex)},
		{"no ids", "courier", "X-Hasura-Document-Ids", `{}`, answer("")},
		{"an id that is not a uuid", "courier", "X-Hasura-Document-Ids", `{"` + id + `1","acme"}`, refusal("data-exception", "", `invalid input syntax for type uuid: "acme"`)},
		{"every row", "service", "X-Hasura-Client-Id", "app", answer(acme + "," + globex + "," + row(4, "initech"))},
	}
	onEach(t, func(t *testing.T, db *Database) {
		if err := documents.Create(t.Context(), db.SQL); err != nil {
			t.Fatal(err)
		}
		if err := documents.Create(t.Context(), db.SQL); err != nil {
			t.Fatalf("a second time: %v", err)
		}
		s, err := New(Config{Project: project, Database: db, AdminSecret: secret})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			header := http.Header{"X-Hasura-Admin-Secret": {secret}, "X-Hasura-Role": {row.role}, row.variable: {row.value}}
			if _, got := post(t, s, header, `{ documents(order_by: [{id: asc}]) { id tenant_id } }`, nil); !sameJSON(got, row.want) {
				t.Errorf("%s: got %s, want %s", row.name, got, row.want)
			}
		}
	})
}
