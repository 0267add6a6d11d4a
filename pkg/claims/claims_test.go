package claims

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// event returns an event of a pool eu-west-1_Pool for a user with groups.
func event(t testing.TB, groups []string, attributes map[string]string) *cognito.Event {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"version": "2", "triggerSource": "TokenGeneration_Authentication", "userPoolId": "eu-west-1_Pool", "userName": "jane",
		"callerContext": map[string]any{"clientId": "app"},
		"request": map[string]any{
			"userAttributes":     attributes,
			"groupConfiguration": map[string]any{"groupsToOverride": groups},
			"clientMetadata":     map[string]string{"role": "admin", "x-hasura-default-role": "admin"},
		},
		"response": map[string]any{},
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := cognito.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// env returns the settings of an environment, which must be valid.
func env(t testing.TB, pairs ...string) settings.Claims {
	t.Helper()
	c, faults := settings.ReadClaims(environ(pairs...))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return c
}

func environ(pairs ...string) func(string) string {
	vars := make(map[string]string)
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	return func(name string) string { return vars[name] }
}

func TestRoles(t *testing.T) {
	invalidRoles, _ := settings.ReadClaims(environ("ROLES=sales,emea=x"))
	rows := []struct {
		name     string
		config   settings.Claims
		groups   string // separated by '|'
		allowed  string // separated by spaces, or by '/'
		fallback string
	}{
		{"every user has the role user", env(t), "", "user", "user"},
		{"a group gives the role of its name", env(t), "editor|staff-eu_2", "user editor staff-eu_2", "user"},
		{"a group named admin gives no role, in any spelling", env(t), "admin|Admin|ADMIN|editor", "user editor", "user"},
		{"other names give no role", env(t), `a b|"q"|Überprüfer|2nd|-x|a.b|a,b|x=y| |'`, "user", "user"},
		{"the group of an identity provider gives no role", env(t), "eu-west-1_Pool_Google|eu-west-1_Pool2|editor", "user eu-west-1_Pool2 editor", "user"},
		{"each role is there once", env(t), "editor|user|editor", "user editor", "user"},
		{"with ROLES only the groups in it give roles", env(t, "ROLES=Staff EU=editor"), "editor|Staff EU|viewer", "user editor", "user"},
		{"ROLES may name admin", env(t, "ROLES=root=admin, boss = admin"), "boss|admin", "user admin", "user"},
		{"a group may give several roles", env(t, "ROLES=a=x,a=y,b=y"), "a|b", "user x y", "user"},
		{"with invalid ROLES no group gives a role", invalidRoles, "editor|admin", "user", "user"},
		{"a role in ROLES may have any name", env(t, "ROLES=Sales=Sales Manager,org:admin=org:admin"), "Sales|org:admin", "user/Sales Manager/org:admin", "user"},
		{"a group's name may have an equals sign", env(t, "ROLES=a=b=x"), "a=b", "user x", "user"},
		{"ROLES may name the group of an identity provider", env(t, "ROLES=eu-west-1_Pool_Okta=employee"), "eu-west-1_Pool_Okta", "user employee", "user"},
		{"DEFAULT_ROLE: the first role that the user has", env(t, "DEFAULT_ROLE=owner, editor,user"), "viewer|editor", "user viewer editor", "editor"},
		{"DEFAULT_ROLE: the user has no role of the list", env(t, "DEFAULT_ROLE=owner"), "viewer", "user viewer", "user"},
		{"DEFAULT_ROLE adds no role", env(t, "DEFAULT_ROLE=admin"), "", "user", "user"},
	}
	for _, row := range rows {
		claims := Of(event(t, strings.Split(row.groups, "|"), map[string]string{"sub": "s", "custom:role": "admin", "profile": "admin"}), row.config)
		allowed := strings.Fields(row.allowed)
		if strings.Contains(row.allowed, "/") {
			allowed = strings.Split(row.allowed, "/")
		}
		want := map[string]any{userID: "s", allowedRoles: allowed, defaultRole: row.fallback}
		if !reflect.DeepEqual(claims, want) {
			t.Errorf("%s: %v, want %v", row.name, claims, want)
		}
	}
}

func TestVariables(t *testing.T) {
	c := env(t, "SESSION_VARIABLES=X-Hasura-Org-Id=custom:org_id,x-hasura-mail = email,x-hasura-2=custom:none")
	claims := Of(event(t, nil, map[string]string{"sub": "s", "email": "jane@example.com", "custom:org_id": "7", "custom:other": "8"}), c)
	want := map[string]any{userID: "s", allowedRoles: []string{"user"}, defaultRole: "user", "x-hasura-org-id": "7", "x-hasura-mail": "jane@example.com"}
	if !reflect.DeepEqual(claims, want) {
		t.Errorf("got %v, want %v", claims, want)
	}
}

func TestUserID(t *testing.T) {
	c := env(t, "USER_ID=custom:legacy_id")
	for attribute, want := range map[string]string{"7": "7", "": "s"} {
		claims := Of(event(t, nil, map[string]string{"sub": "s", "custom:legacy_id": attribute}), c)
		if claims[userID] != want {
			t.Errorf("custom:legacy_id %q gives %v, want %s", attribute, claims[userID], want)
		}
	}
}

func TestSetResponse(t *testing.T) {
	const object = `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","x-hasura-user-id":"s"}`
	quoted := string(encode(object))
	v1 := func(value string) string {
		return fmt.Sprintf(`{"version":"1","request":{"userAttributes":{"sub":"s"}},"response":{"claimsOverrideDetails":{"claimsToAddOrOverride":{"https://hasura.io/jwt/claims":%s}}}}`, value)
	}
	v2 := func(namespace, value, audience string) string {
		return fmt.Sprintf(`{"version":"3","callerContext":{"clientId":"app"},"request":{"userAttributes":{"sub":"s"}},"response":{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{%[1]q:%[2]s}},"accessTokenGeneration":{"claimsToAddOrOverride":{%[3]s%[1]q:%[2]s}}}}}`, namespace, value, audience)
	}
	const event1 = `{"version":"1","request":{"userAttributes":{"sub":"s"}},"response":{"claimsOverrideDetails":null}}`
	const event3 = `{"version":"3","callerContext":{"clientId":"app"},"request":{"userAttributes":{"sub":"s"}},"response":{}}`
	const machine = `{"version":"3","request":{"scopes":["api/read"]},"response":{"claimsAndScopeOverrideDetails":null}}`
	rows := []struct {
		name   string
		config settings.Claims
		event  string
		want   string
	}{
		{"version 1 gets a string", env(t), event1, v1(quoted)},
		{"version 1 gets a string with CLAIMS_FORMAT=json too", env(t, "CLAIMS_FORMAT=json"), event1, v1(quoted)},
		{"version 3 gets a string", env(t), event3, v2(settings.ClaimsNamespace.Default, quoted, "")},
		{"version 3 gets an object with CLAIMS_FORMAT=json", env(t, "CLAIMS_FORMAT=json"), event3, v2(settings.ClaimsNamespace.Default, object, "")},
		{"another namespace", env(t, "CLAIMS_NAMESPACE=claims.jwt.hasura.io"), event3, v2("claims.jwt.hasura.io", quoted, "")},
		{"an audience in the access token", env(t, "ACCESS_TOKEN_AUDIENCE=client_id"), event3, v2(settings.ClaimsNamespace.Default, quoted, `"aud":"app",`)},
		{"no audience without a client", env(t, "ACCESS_TOKEN_AUDIENCE=client_id"), event1, v1(quoted)},
		{"a machine's event stays as it is", env(t), machine, machine},
	}
	for _, row := range rows {
		e, err := cognito.Parse([]byte(row.event))
		if err != nil {
			t.Fatal(err)
		}
		if size, _ := SetResponse(e, row.config); (size > 0) != (row.event != machine) {
			t.Errorf("%s: SetResponse returns the size %d", row.name, size)
		}
		if got := string(e.Bytes()); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}

// roleRow is an event and what the settings make of it.
type roleRow struct {
	name       string
	env        []string
	groups     string // separated by '|'
	attributes map[string]string
	metadata   string // clientMetadata.tenant_id
	want       map[string]any
}

func TestNewSettings(t *testing.T) {
	tenancy := []string{"TENANT_GROUPS={tenant}:{role}"}
	claims := func(roles string, more ...string) map[string]any {
		c := map[string]any{userID: "s", allowedRoles: strings.Split(roles, " "), defaultRole: "user"}
		for _, pair := range more {
			name, value, _ := strings.Cut(pair, "=")
			c["x-hasura-"+name] = value
		}
		return c
	}
	rows := []roleRow{
		{"ROLES=* takes wider names", []string{"ROLES=*"}, "org:admin|acme.editor|a/b|a@b|a+b|editor|2nd|a b|Admin|us|x-hasura-y|eu-west-1_Pool_Okta", nil, "",
			claims("user org:admin acme.editor a/b a@b a+b editor us")},
		{"an entry of ROLES replaces the group's own name", []string{"ROLES=*,editor=writer,root=admin"}, "editor|root|viewer", nil, "", claims("user writer admin viewer")},
		{"without ROLES a wide name gives no role", nil, "org:admin|editor|x-hasura-y", nil, "", claims("user editor")},

		{"ROLE_ATTRIBUTE as a SAML list", []string{"ROLES=a=x,b=y", "ROLE_ATTRIBUTE=custom:groups"}, "", map[string]string{"custom:groups": "[a, b, c]"}, "", claims("user x y")},
		{"ROLE_ATTRIBUTE as JSON", []string{"ROLES=a=x,b=y", "ROLE_ATTRIBUTE=custom:groups"}, "b", map[string]string{"custom:groups": `["a","b"]`}, "", claims("user y x")},
		{"ROLE_ATTRIBUTE with one value", []string{"ROLES=a=x", "ROLE_ATTRIBUTE=custom:groups"}, "", map[string]string{"custom:groups": "a"}, "", claims("user x")},
		{"ROLE_ATTRIBUTE separated by commas", []string{"ROLES=a=x,b b=y", "ROLE_ATTRIBUTE=custom:groups"}, "", map[string]string{"custom:groups": "a,b b"}, "", claims("user x y")},
		{"ROLE_ATTRIBUTE counts only through an entry of ROLES", []string{"ROLES=*,a=x", "ROLE_ATTRIBUTE=custom:groups"}, "", map[string]string{"custom:groups": "admin,editor"}, "", claims("user")},
		{"ROLE_ATTRIBUTE gives no tenant", []string{"ROLES=a=x", "ROLE_ATTRIBUTE=custom:groups", tenancy[0]}, "", map[string]string{"custom:groups": "acme:a"}, "", claims("user", "tenant-ids={}")},

		{"a list of groups", []string{"SESSION_VARIABLES=x-hasura-teams=groups:team-*"}, "team-b|team-a|team-b|team-|other", nil, "", claims("user team-b team-a team- other", `teams={"b","a"}`)},
		{"a list with characters to quote", []string{"SESSION_VARIABLES=x-hasura-teams=groups:t:*"}, `t:a,b|t:{}|t:"|t:\|t:NULL`, nil, "", claims("user", `teams={"a,b","{}","\"","\\","NULL"}`)},
		{"an empty list", []string{"SESSION_VARIABLES=x-hasura-teams=groups:team-*"}, "other", nil, "", claims("user other", "teams={}")},
		{"a list of all groups leaves out those of identity providers", []string{"ROLES=x=y", "SESSION_VARIABLES=x-hasura-all=groups:*"}, "a|eu-west-1_Pool_Okta", nil, "", claims("user", `all={"a"}`)},
		{"client_id and username", []string{"SESSION_VARIABLES=x-hasura-app=client_id,x-hasura-name=username"}, "", nil, "", claims("user", "app=app", "name=jane")},

		{"the only tenant is active", tenancy, "acme:editor|acme:viewer|staff", nil, "", claims("user editor viewer staff", "tenant-id=acme", `tenant-ids={"acme"}`)},
		{"of several tenants none is active", tenancy, "acme:editor|globex:viewer", nil, "", claims("user", `tenant-ids={"acme","globex"}`)},
		{"the app chooses the tenant", tenancy, "acme:editor|globex:viewer", nil, "globex", claims("user viewer", "tenant-id=globex", `tenant-ids={"acme","globex"}`)},
		{"the app cannot choose another tenant", tenancy, "acme:editor", nil, "globex", claims("user editor", "tenant-id=acme", `tenant-ids={"acme"}`)},
		{"TENANT_ATTRIBUTE chooses the tenant", append(tenancy, "TENANT_ATTRIBUTE=custom:t"), "acme:editor|globex:viewer", map[string]string{"custom:t": "acme"}, "", claims("user editor", "tenant-id=acme", `tenant-ids={"acme","globex"}`)},
		{"the app chooses before TENANT_ATTRIBUTE", append(tenancy, "TENANT_ATTRIBUTE=custom:t"), "acme:editor|globex:viewer", map[string]string{"custom:t": "acme"}, "globex", claims("user viewer", "tenant-id=globex", `tenant-ids={"acme","globex"}`)},
		{"TENANT_ATTRIBUTE cannot add a tenant", append(tenancy, "TENANT_ATTRIBUTE=custom:t"), "acme:editor|globex:viewer", map[string]string{"custom:t": "other"}, "", claims("user", `tenant-ids={"acme","globex"}`)},
		{"an ambiguous name gives nothing", tenancy, "a:b:c|acme:editor", nil, "", claims("user editor", "tenant-id=acme", `tenant-ids={"acme"}`)},
		{"no tenant", tenancy, "staff", nil, "acme", claims("user staff", "tenant-ids={}")},
		{"a tenant's admin is no admin", tenancy, "acme:admin", nil, "", claims("user", "tenant-id=acme", `tenant-ids={"acme"}`)},
		{"a tenant's roles pass through ROLES", append(tenancy, "ROLES=admin=tenant_admin"), "acme:admin|acme:editor|admin", nil, "", claims("user tenant_admin", "tenant-id=acme", `tenant-ids={"acme"}`)},
		{"the group of an identity provider is no tenant", []string{"TENANT_GROUPS={tenant}_{role}"}, "eu-west-1_Pool_Okta|acme_editor", nil, "", claims("user editor", "tenant-id=acme", `tenant-ids={"acme"}`)},
		{"tenants without roles", []string{"TENANT_GROUPS=tenant-{tenant}"}, "tenant-acme|editor", nil, "", claims("user editor", "tenant-id=acme", `tenant-ids={"acme"}`)},
	}
	for _, row := range rows {
		attributes := map[string]string{"sub": "s", "custom:role": "admin"}
		maps.Copy(attributes, row.attributes)
		e := withMetadata(t, event(t, strings.Split(row.groups, "|"), attributes), row.metadata)
		if got := Of(e, env(t, row.env...)); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s:\n got %v\nwant %v", row.name, got, row.want)
		}
	}
}

func TestMachines(t *testing.T) {
	config := env(t, "MACHINE_ROLES=app=service,app=reader,app=service", "SESSION_VARIABLES=x-hasura-scopes=scopes,x-hasura-app=client_id,x-hasura-client-id=scopes,x-hasura-a=sub",
		"ACCESS_TOKEN_AUDIENCE=client_id", "ROLES=g=admin")
	const details = `"response":{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{%[1]s}},"accessTokenGeneration":{"claimsToAddOrOverride":{"aud":"app",%[1]s}}}}`
	claims := func(scopes string) string {
		return fmt.Sprintf(details, `"https://hasura.io/jwt/claims":`+string(encode(`{"x-hasura-allowed-roles":["service","reader"],"x-hasura-app":"app","x-hasura-client-id":"app","x-hasura-default-role":"service","x-hasura-scopes":"`+scopes+`"}`)))
	}
	rows := []struct{ name, client, request, want string }{
		{"scopes", "app", `{"scopes":["api/read","api/write"]}`, claims(`{\"api/read\",\"api/write\"}`)},
		{"no scopes", "app", `{}`, claims(`{}`)},
		{"empty attributes", "app", `{"userAttributes":{},"scopes":[]}`, claims(`{}`)},
		{"null for everything", "app", `{"userAttributes":null,"scopes":null,"groupConfiguration":null,"clientMetadata":null}`, claims(`{}`)},
		{"a sub", "app", `{"userAttributes":{"sub":"app"},"clientMetadata":{"tenant_id":"x"}}`, claims(`{}`)},
		{"another client", "other", `{"scopes":["api/read"]}`, ""},
	}
	for _, row := range rows {
		text := `{"version":"3","triggerSource":"TokenGeneration_ClientCredentials","callerContext":{"clientId":"` + row.client + `"},"request":` + row.request + `,"response":{"claimsAndScopeOverrideDetails":null}}`
		e, err := cognito.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		size, roles := SetResponse(e, config)
		want := text
		if row.want != "" {
			want = strings.Replace(text, `"response":{"claimsAndScopeOverrideDetails":null}`, row.want, 1)
		}
		if got := string(e.Bytes()); got != want || (size > 0) != (row.want != "") || row.want != "" && roles != 2 {
			t.Errorf("%s: size %d, %d roles\n got %s\nwant %s", row.name, size, roles, got, want)
		}
	}
}
