package claims

import (
	"encoding/json"
	"fmt"
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
		"version": "2", "triggerSource": "TokenGeneration_Authentication", "userPoolId": "eu-west-1_Pool",
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
		allowed  string // separated by blanks, or by '/'
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
		{"DEFAULT_ROLE: the user has none of them", env(t, "DEFAULT_ROLE=owner"), "viewer", "user viewer", "user"},
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
		if got, want := SetResponse(e, row.config), row.event != machine; got != want {
			t.Errorf("%s: SetResponse reports %t, want %t", row.name, got, want)
		}
		if got := string(e.Bytes()); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}
