package settings

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// values has valid and invalid values of each setting. Tests give the same list to
// template.yaml and the Terraform module.
func values(t *testing.T) map[string]struct{ Valid, Invalid []string } {
	t.Helper()
	data, err := os.ReadFile("testdata/values.json")
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]struct{ Valid, Invalid []string }
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCheck(t *testing.T) {
	values := values(t)
	for _, s := range All {
		v := values[s.Name]
		if len(v.Valid) == 0 || len(v.Invalid) == 0 {
			t.Errorf("testdata/values.json has no values for %s", s.Name)
		}
		delete(values, s.Name)
		for _, value := range append(v.Valid, s.Example) {
			if err := s.Check(value); err != nil {
				t.Errorf("%s=%q: %v", s.Name, value, err)
			}
		}
		for _, value := range v.Invalid {
			err := s.Check(value)
			if err == nil {
				t.Errorf("%s=%q: no error", s.Name, value)
			} else if !strings.HasPrefix(err.Error(), s.Name+": ") || !strings.Contains(err.Error(), " Example: ") {
				t.Errorf("%s=%q: the error %q does not name the setting and an example", s.Name, value, err)
			}
		}
		if err := s.Check(""); (err != nil) != s.Required {
			t.Errorf("%s: an empty value gives %v", s.Name, err)
		}
		// Like no value, a single space would give more rights: as admin, or a role for each group.
		if err := s.Check(" "); err == nil {
			t.Errorf("%s: a single space gives no error", s.Name)
		}
		if Lookup(s.Name) != s {
			t.Errorf("Lookup(%s) does not return the setting", s.Name)
		}
	}
	if len(values) > 0 {
		t.Errorf("testdata/values.json has values of unknown settings: %v", slices.Collect(maps.Keys(values)))
	}
	if Lookup("NONE") != nil {
		t.Error("Lookup finds a setting that does not exist")
	}
}

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if n, value, _ := strings.Cut(pair, "="); n == name {
				return value
			}
		}
		return ""
	}
}

func TestInvalidClaimsFallBack(t *testing.T) {
	everything := environment("ROLES=sales,emea=x", "DEFAULT_ROLE=Admin", "CLAIMS_NAMESPACE=sub", "CLAIMS_FORMAT=xml", "ACCESS_TOKEN_AUDIENCE=x",
		"SESSION_VARIABLES=x-hasura-a=one,role=x,x-hasura-b=two,x-hasura-c=three,x-hasura-C=four", "MACHINE_ROLES=a=admin", "USER_ID=a b", "TENANT_GROUPS=x",
		"ROLE_ATTRIBUTE=a b", "TENANT_ATTRIBUTE=a b")
	c, faults := ReadClaims(everything)
	if len(faults) != 11 {
		t.Errorf("%d faults, want 11: %v", len(faults), faults)
	}
	if c.Groups.Explicit == nil || len(c.Groups.Explicit) != 0 || c.Groups.Wide {
		t.Errorf("Groups = %v, want that no group gives a role", c.Groups)
	}
	if want := map[string]Variable{"x-hasura-a": {Name: "one"}, "x-hasura-b": {Name: "two"}}; !maps.Equal(c.Variables, want) {
		t.Errorf("Variables = %v, want %v", c.Variables, want)
	}
	if c.Namespace != "https://hasura.io/jwt/claims" || c.Format != Stringified || c.DefaultRole != nil || c.AccessTokenAudience ||
		c.Machines != nil || c.UserID != "" || c.Tenants != nil || c.RoleAttribute != "" || c.TenantAttribute != "" {
		t.Errorf("%+v does not have the defaults", c)
	}
}

// Some settings are valid alone and not together.
func TestClaimsThatDoNotGoTogether(t *testing.T) {
	rows := []struct {
		name   string
		env    []string
		faults int
		check  func(Claims) bool
	}{
		{"ROLE_ATTRIBUTE without ROLES", []string{"ROLE_ATTRIBUTE=custom:groups"}, 1, func(c Claims) bool { return c.RoleAttribute == "" && c.Groups.Explicit == nil }},
		{"ROLE_ATTRIBUTE with ROLES=* alone", []string{"ROLE_ATTRIBUTE=custom:groups", "ROLES=*"}, 1, func(c Claims) bool { return c.RoleAttribute == "" && c.Groups.Wide }},
		{"ROLE_ATTRIBUTE with ROLES", []string{"ROLE_ATTRIBUTE=custom:groups", "ROLES=a=b"}, 0, func(c Claims) bool { return c.RoleAttribute == "custom:groups" }},
		{"TENANT_ATTRIBUTE without TENANT_GROUPS", []string{"TENANT_ATTRIBUTE=custom:tenant"}, 1, func(c Claims) bool { return c.TenantAttribute == "" }},
		{"invalid TENANT_GROUPS take every role", []string{"TENANT_GROUPS={role}", "ROLES=a=b"}, 1, func(c Claims) bool {
			return c.Tenants == nil && c.Groups.Explicit != nil && len(c.Groups.Explicit) == 0
		}},
		{"a variable that TENANT_GROUPS sets", []string{"TENANT_GROUPS={tenant}", "SESSION_VARIABLES=x-hasura-tenant-id=custom:t,x-hasura-a=b"}, 1, func(c Claims) bool { return len(c.Variables) == 1 && c.Tenants != nil }},
		{"the same variable without TENANT_GROUPS", []string{"SESSION_VARIABLES=x-hasura-tenant-id=custom:t"}, 0, func(c Claims) bool { return len(c.Variables) == 1 }},
	}
	for _, row := range rows {
		if c, faults := ReadClaims(environment(row.env...)); len(faults) != row.faults || !row.check(c) {
			t.Errorf("%s: %+v, %v", row.name, c, faults)
		}
	}
}

func TestTenantPattern(t *testing.T) {
	rows := []struct {
		pattern, group, tenant, role string
		ok                           bool
	}{
		{"{tenant}:{role}", "acme:admin", "acme", "admin", true},
		{"{tenant}:{role}", "a:b:c", "", "", true},
		{"{tenant}:{role}", "acme:", "", "", false},
		{"{tenant}:{role}", ":admin", "", "", false},
		{"{tenant}:{role}", "editor", "", "", false},
		{"{tenant}::{role}", "a:::b", "", "", true},
		{"{role}@{tenant}", "admin@acme", "acme", "admin", true},
		{"tenant-{tenant}-{role}", "tenant-acme-admin", "acme", "admin", true},
		{"tenant-{tenant}-{role}", "tenant-acme-corp-admin", "", "", true},
		{"tenant-{tenant}-{role}", "tenant-acme", "", "", false},
		{"tenant-{tenant}", "tenant-acme-corp", "acme-corp", "", true},
		{"tenant-{tenant}", "tenant-", "", "", false},
		{"{tenant}", "acme", "acme", "", true},
		{"<{tenant}:{role}>", "<acme:admin>", "acme", "admin", true},
		{"<{tenant}:{role}>", "<acme:admin", "", "", false},
		{"aa{tenant}aa", "aaa", "", "", false},
	}
	for _, row := range rows {
		p, err := parseTenantGroups(row.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if tenant, role, ok := p.Match(row.group); tenant != row.tenant || role != row.role || ok != row.ok {
			t.Errorf("%s matches %s: %q, %q, %t; want %q, %q, %t", row.pattern, row.group, tenant, role, ok, row.tenant, row.role, row.ok)
		}
	}
}

func TestReadClaims(t *testing.T) {
	c, faults := ReadClaims(environment())
	if len(faults) != 0 || c.Groups.Explicit != nil || c.Groups.Wide || c.Namespace != ClaimsNamespace.Default || string(c.Format) != ClaimsFormat.Default {
		t.Errorf("without settings: %+v, %v", c, faults)
	}
	c, faults = ReadClaims(environment("ROLES=a=x, a=b=y ,a=z,*", "DEFAULT_ROLE= editor,user", "CLAIMS_FORMAT=json", "ACCESS_TOKEN_AUDIENCE=client_id",
		"CLAIMS_NAMESPACE=claims.jwt.hasura.io", "SESSION_VARIABLES=X-Hasura-Org = custom:org,x-hasura-teams=groups:team-*"))
	if len(faults) != 0 || !slices.Equal(c.Groups.Explicit["a"], []string{"x", "z"}) || !slices.Equal(c.Groups.Explicit["a=b"], []string{"y"}) || !c.Groups.Wide ||
		!slices.Equal(c.DefaultRole, []string{"editor", "user"}) || c.Format != JSON || !c.AccessTokenAudience ||
		c.Namespace != "claims.jwt.hasura.io" || c.Variables["x-hasura-org"] != (Variable{Name: "custom:org"}) || c.Variables["x-hasura-teams"] != (Variable{Kind: FromGroups, Name: "team-"}) {
		t.Errorf("%+v, %v", c, faults)
	}
}

func TestReadSync(t *testing.T) {
	rows := []struct {
		name   string
		env    []string
		want   Sync
		faults int
	}{
		{"nothing set", nil, Sync{Budget: 3500 * time.Millisecond}, 0},
		{"everything set", []string{"SYNC_BUDGET=900ms", "SYNC_ON_FAILURE=refuse", "SYNC_QUEUE_URL=http://127.0.0.1/q"},
			Sync{Budget: 900 * time.Millisecond, QueueURL: "http://127.0.0.1/q", Refuse: true}, 0},
		{"everything invalid", []string{"SYNC_BUDGET=9s", "SYNC_ON_FAILURE=deny", "SYNC_QUEUE_URL=q"}, Sync{Budget: 3500 * time.Millisecond}, 3},
	}
	for _, row := range rows {
		got, faults := ReadSync(environment(row.env...))
		if got != row.want || len(faults) != row.faults {
			t.Errorf("%s: %+v, %v; want %+v and %d faults", row.name, got, faults, row.want, row.faults)
		}
	}
}

func TestReadHasura(t *testing.T) {
	const arn = "SECRETS_ARN=arn:aws:secretsmanager:us-east-1:123456789012:secret:app-AbCdEf"
	h, faults := ReadHasura(environment("GRAPHQL_DOMAIN=hasura.internal", "GRAPHQL_HOST=api.example.com", arn, "SECRETS_KEY=K", "HASURA_ROLE=r", "GRAPHQL_CA="+exampleCA))
	if len(faults) != 0 || h.Endpoint.URL.String() != "https://hasura.internal/v1/graphql" || h.Endpoint.Host != "api.example.com" ||
		h.SecretARN != arn[len("SECRETS_ARN="):] || h.SecretKey != "K" || h.Role != "r" || h.Endpoint.CA == nil {
		t.Errorf("%+v, %v", h, faults)
	}
	if _, faults := ReadHasura(environment()); len(faults) != 2 {
		t.Errorf("without settings: %v, want two faults", faults)
	}
	if _, faults := ReadHasura(environment("GRAPHQL_DOMAIN=a b", "GRAPHQL_HOST=a/b", "SECRETS_ARN=app", "SECRETS_KEY= k", "HASURA_ROLE=r\n", "GRAPHQL_CA=x")); len(faults) != 6 {
		t.Errorf("with all settings invalid: %v, want six faults", faults)
	}
}

// GRAPHQL_DOMAIN or SECRETS_ARN can hold a secret by mistake.
func TestErrorsDoNotQuoteSecrets(t *testing.T) {
	for _, s := range []*Setting{&GraphqlDomain, &SecretsARN, &SecretsKey, &SyncQueueURL, &GraphqlCA} {
		for _, value := range []string{"canary canary", "https://jane:canary@hasura", "arn:canary::", " canary", "https://x/?canary#canary", "canary://x"} {
			if err := s.Check(value); err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
}

func TestEndpoint(t *testing.T) {
	const elb = "internal-hasura-1.us-east-1.elb.amazonaws.com"
	rows := []struct {
		domain, host, url, health string
		plain                     bool
	}{
		{"hasura.internal", "", "https://hasura.internal/v1/graphql", "https://hasura.internal/healthz", false},
		{"hasura.internal:8080", "", "https://hasura.internal:8080/v1/graphql", "https://hasura.internal:8080/healthz", false},
		{"http://hasura.internal", "", "http://hasura.internal/v1/graphql", "http://hasura.internal/healthz", true},
		{"HTTP://localhost:8080/", "", "http://localhost:8080/v1/graphql", "http://localhost:8080/healthz", false},
		{"http://127.0.0.1:8080", "", "http://127.0.0.1:8080/v1/graphql", "http://127.0.0.1:8080/healthz", false},
		{"http://[::1]:8080", "", "http://[::1]:8080/v1/graphql", "http://[::1]:8080/healthz", false},
		{elb, "", "http://" + elb + "/v1/graphql", "http://" + elb + "/healthz", true},
		{elb + ":80", "", "http://" + elb + ":80/v1/graphql", "http://" + elb + ":80/healthz", true},
		{elb + ":443", "", "https://" + elb + ":443/v1/graphql", "https://" + elb + ":443/healthz", false},
		{"Internal-x.cn-north-1.ELB.amazonaws.com.cn.", "", "http://Internal-x.cn-north-1.ELB.amazonaws.com.cn./v1/graphql", "http://Internal-x.cn-north-1.ELB.amazonaws.com.cn./healthz", true},
		{elb, "api.example.com", "https://" + elb + "/v1/graphql", "https://" + elb + "/healthz", false},
		{"https://" + elb, "", "https://" + elb + "/v1/graphql", "https://" + elb + "/healthz", false},
		{"https://x.example/hasura/v1/graphql/", "", "https://x.example/hasura/v1/graphql", "https://x.example/hasura/healthz", false},
		{"https://x.example/api", "", "https://x.example/api", "https://x.example/healthz", false},
	}
	for _, row := range rows {
		e, err := NewEndpoint(row.domain, row.host)
		if err != nil {
			t.Errorf("%s: %v", row.domain, err)
			continue
		}
		if e.URL.String() != row.url || e.Host != row.host || e.Health() != row.health || e.IsPlainHTTP() != row.plain {
			t.Errorf("%s: %s, host %q, health %s, plain %t; want %+v", row.domain, e.URL, e.Host, e.Health(), e.IsPlainHTTP(), row)
		}
	}
	if _, err := NewEndpoint("a b", ""); err == nil {
		t.Error("NewEndpoint takes an invalid domain")
	}
}

// Whatever the environment holds, the settings that are read are valid.
func FuzzRead(f *testing.F) {
	f.Add("hasura.internal", "a=b", "3s")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, s := range All {
			_ = s.Check(a)
		}
		claims, _ := ReadClaims(environment("ROLES="+a, "DEFAULT_ROLE="+b, "SESSION_VARIABLES="+c, "CLAIMS_NAMESPACE="+a))
		if claims.Namespace == "" || claims.Format == "" {
			t.Errorf("%+v", claims)
		}
		if sync, _ := ReadSync(environment("SYNC_BUDGET=" + a)); sync.Budget < minBudget || sync.Budget > maxBudget {
			t.Errorf("budget %v", sync.Budget)
		}
		if h, faults := ReadHasura(environment("GRAPHQL_DOMAIN=" + a)); h.Endpoint.URL == nil && len(faults) < 2 {
			t.Errorf("GRAPHQL_DOMAIN=%q has neither a URL nor a fault", a)
		}
	})
}

func TestReadReconcile(t *testing.T) {
	hasura := []string{"GRAPHQL_DOMAIN=hasura.internal", "SECRETS_ARN=" + SecretsARN.Example, "USER_POOL_ID=us-east-1_A"}
	rows := []struct {
		name   string
		env    []string
		want   Reconcile
		role   string
		faults int
	}{
		{"the defaults; the role of the sync does not count", []string{"HASURA_ROLE=cognito_sync"}, Reconcile{UserPoolID: "us-east-1_A", OnDelete: Report, MaxGone: 0.05}, "", 0},
		{"everything", []string{"RECONCILE_HASURA_ROLE=r", "RECONCILE_ON_DELETE=anonymize", "RECONCILE_MAX_GONE=0%", "USER_ID=custom:id"},
			Reconcile{UserPoolID: "us-east-1_A", UserID: "custom:id", OnDelete: Anonymize}, "r", 0},
		{"invalid: the least", []string{"RECONCILE_HASURA_ROLE= r", "RECONCILE_ON_DELETE=x", "RECONCILE_MAX_GONE=x"},
			Reconcile{UserPoolID: "us-east-1_A", OnDelete: Report}, "", 3},
	}
	for _, row := range rows {
		got, h, faults := ReadReconcile(environment(append(row.env, hasura...)...))
		if got != row.want || h.Role != row.role || len(faults) != row.faults {
			t.Errorf("%s: %+v, role %q, %v; want %+v, role %q and %d faults", row.name, got, h.Role, faults, row.want, row.role, row.faults)
		}
	}
	if _, _, faults := ReadReconcile(environment()); len(faults) != 3 {
		t.Errorf("without settings: %v, want three faults", faults)
	}
	if url, faults := ReadReconcileQueue(environment()); url != "" || len(faults) != 1 {
		t.Errorf("without settings: %q, %v", url, faults)
	}
}
