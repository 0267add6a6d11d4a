package claims

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

// event returns an event of a pool eu-west-1_Pool for a person with groups.
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

func env(t testing.TB, pairs ...string) Config {
	t.Helper()
	c, err := FromEnv(environ(pairs...))
	if err != nil {
		t.Fatal(err)
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
	rows := []struct {
		name     string
		config   Config
		groups   string // separated by '|'
		allowed  string
		fallback string
	}{
		{"everyone is a user", env(t), "", "user", "user"},
		{"a group gives the role of its name", env(t), "editor|staff-eu_2", "user editor staff-eu_2", "user"},
		{"the superuser is never a group's name", env(t), "admin|Admin|ADMIN|editor", "user editor", "user"},
		{"names that are no role's give none", env(t), `a b|"q"|Überprüfer|2nd|-x|a.b|a,b|x=y| |'`, "user", "user"},
		{"the provider's own group gives none", env(t), "eu-west-1_Pool_Google|eu-west-1_Pool2|editor", "user eu-west-1_Pool2 editor", "user"},
		{"no role twice", env(t), "editor|user|editor", "user editor", "user"},
		{"only mapped groups count", env(t, "ROLES=Staff EU=editor"), "editor|Staff EU|viewer", "user editor", "user"},
		{"a mapping may name the superuser", env(t, "ROLES=root=admin, boss = admin"), "boss|admin", "user admin", "user"},
		{"a group may give several roles", env(t, "ROLES=a=x,a=y,b=y"), "a|b", "user x y", "user"},
		{"a group's name may have =", env(t, "ROLES=a=b=x"), "a=b", "user x", "user"},
		{"the provider's group may be mapped", env(t, "ROLES=eu-west-1_Pool_Okta=employee"), "eu-west-1_Pool_Okta", "user employee", "user"},
		{"the first preferred role that is there", env(t, "DEFAULT_ROLE=owner, editor,user"), "viewer|editor", "user viewer editor", "editor"},
		{"none of the preferred roles", env(t, "DEFAULT_ROLE=owner"), "viewer", "user viewer", "user"},
		{"a preference grants nothing", env(t, "DEFAULT_ROLE=admin"), "", "user", "user"},
	}
	for _, row := range rows {
		claims := row.config.Of(event(t, strings.Split(row.groups, "|"), map[string]string{"sub": "s", "custom:role": "admin", "profile": "admin"}))
		want := map[string]any{userID: "s", allowedRoles: strings.Fields(row.allowed), defaultRole: row.fallback}
		if !reflect.DeepEqual(claims, want) {
			t.Errorf("%s: %v, want %v", row.name, claims, want)
		}
	}
}

func TestVariables(t *testing.T) {
	c := env(t, "SESSION_VARIABLES=X-Hasura-Org-Id=custom:org_id,x-hasura-mail = email,x-hasura-2=custom:none")
	claims := c.Of(event(t, nil, map[string]string{"sub": "s", "email": "jane@example.com", "custom:org_id": "7", "custom:other": "8"}))
	want := map[string]any{userID: "s", allowedRoles: []string{"user"}, defaultRole: "user", "x-hasura-org-id": "7", "x-hasura-mail": "jane@example.com"}
	if !reflect.DeepEqual(claims, want) {
		t.Errorf("got %v, want %v", claims, want)
	}
}

func TestFromEnvTellsEveryFault(t *testing.T) {
	_, err := FromEnv(environ(
		"CLAIMS_NAMESPACE=sub", "CLAIMS_FORMAT=yaml", "ROLES=staff,=x,y=,a=b c,ok=fine", "DEFAULT_ROLE=a b",
		"SESSION_VARIABLES=org=custom:org,x-hasura-=a,x-hasura-a=,x-hasura-b,x-hasura-User-Id=email,x-hasura-role=custom:role,x-hasura-c=1,X-Hasura-C=2",
		"ACCESS_TOKEN_AUDIENCE=hasura",
	))
	want := []string{
		`CLAIMS_NAMESPACE "sub" is not the name of a claim of your own, such as https://hasura.io/jwt/claims`,
		`CLAIMS_FORMAT "yaml" is neither stringified_json nor json`,
		`ROLES has "staff" where group=role is wanted`,
		`ROLES has "=x" where group=role is wanted`,
		`ROLES has "y=" where group=role is wanted`,
		`ROLES has "a=b c": a role's name has letters, digits, _ and -`,
		`DEFAULT_ROLE has "a b": a role's name has letters, digits, _ and -`,
		`SESSION_VARIABLES has "org=custom:org" where x-hasura-name=attribute is wanted`,
		`SESSION_VARIABLES has "x-hasura-=a" where x-hasura-name=attribute is wanted`,
		`SESSION_VARIABLES has "x-hasura-a=" where x-hasura-name=attribute is wanted`,
		`SESSION_VARIABLES has "x-hasura-b" where x-hasura-name=attribute is wanted`,
		`SESSION_VARIABLES has "x-hasura-User-Id=email": x-hasura-user-id is not for an attribute to set`,
		`SESSION_VARIABLES has "x-hasura-role=custom:role": x-hasura-role is not for an attribute to set`,
		`SESSION_VARIABLES has x-hasura-c twice`,
		`ACCESS_TOKEN_AUDIENCE "hasura" is not client_id, the only audience that Cognito accepts`,
	}
	if err == nil {
		t.Fatal("no error")
	}
	if got := strings.Split(err.Error(), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFromEnvDefaults(t *testing.T) {
	want := Config{Namespace: "https://hasura.io/jwt/claims", Format: Stringified}
	for _, pairs := range [][]string{nil, {"CLAIMS_NAMESPACE=", "CLAIMS_FORMAT=", "ROLES=", "DEFAULT_ROLE= ,", "SESSION_VARIABLES=", "ACCESS_TOKEN_AUDIENCE="}} {
		if got := env(t, pairs...); !reflect.DeepEqual(got, want) {
			t.Errorf("FromEnv(%q) = %+v, want %+v", pairs, got, want)
		}
	}
}

func TestAnswer(t *testing.T) {
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
		config Config
		event  string
		want   string
	}{
		{"version 1 gets a string", env(t), event1, v1(quoted)},
		{"version 1 gets a string whatever is set", env(t, "CLAIMS_FORMAT=json"), event1, v1(quoted)},
		{"version 3 gets a string, for one pool has one format", env(t), event3, v2(defaultNamespace, quoted, "")},
		{"version 3 gets an object on demand", env(t, "CLAIMS_FORMAT=json"), event3, v2(defaultNamespace, object, "")},
		{"another namespace", env(t, "CLAIMS_NAMESPACE=claims.jwt.hasura.io"), event3, v2("claims.jwt.hasura.io", quoted, "")},
		{"an audience in the access token", env(t, "ACCESS_TOKEN_AUDIENCE=client_id"), event3, v2(defaultNamespace, quoted, `"aud":"app",`)},
		{"no audience without a client", env(t, "ACCESS_TOKEN_AUDIENCE=client_id"), event1, v1(quoted)},
		{"a machine's token is left alone", env(t), machine, machine},
	}
	for _, row := range rows {
		e, err := cognito.Parse([]byte(row.event))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := row.config.Answer(e), row.event != machine; got != want {
			t.Errorf("%s: Answer reports %t, want %t", row.name, got, want)
		}
		if got := string(e.Bytes()); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}
