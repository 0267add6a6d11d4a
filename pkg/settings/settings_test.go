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
		if err := s.Check(" "); (err != nil) != s.Required {
			t.Errorf("%s: a blank value gives %v", s.Name, err)
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
		"SESSION_VARIABLES=x-hasura-a=one,role=x,x-hasura-b=two,x-hasura-c=three,x-hasura-C=four")
	c, faults := ReadClaims(everything)
	if len(faults) != 6 {
		t.Errorf("%d faults, want 6: %v", len(faults), faults)
	}
	if c.Roles == nil || len(c.Roles) != 0 {
		t.Errorf("Roles = %v, want an empty map: no group gives a role", c.Roles)
	}
	if want := map[string]string{"x-hasura-a": "one", "x-hasura-b": "two"}; !maps.Equal(c.Variables, want) {
		t.Errorf("Variables = %v, want %v", c.Variables, want)
	}
	if c.Namespace != "https://hasura.io/jwt/claims" || c.Format != Stringified || c.DefaultRole != nil || c.AccessTokenAudience {
		t.Errorf("%+v does not have the defaults", c)
	}
}

func TestReadClaims(t *testing.T) {
	c, faults := ReadClaims(environment())
	if len(faults) != 0 || c.Roles != nil || c.Namespace != ClaimsNamespace.Default || string(c.Format) != ClaimsFormat.Default {
		t.Errorf("without settings: %+v, %v", c, faults)
	}
	c, faults = ReadClaims(environment("ROLES=a=x, a=b=y ,a=z", "DEFAULT_ROLE= editor,user", "CLAIMS_FORMAT=json", "ACCESS_TOKEN_AUDIENCE=client_id",
		"CLAIMS_NAMESPACE=claims.jwt.hasura.io", "SESSION_VARIABLES=X-Hasura-Org = custom:org"))
	if len(faults) != 0 || !slices.Equal(c.Roles["a"], []string{"x", "z"}) || !slices.Equal(c.Roles["a=b"], []string{"y"}) ||
		!slices.Equal(c.DefaultRole, []string{"editor", "user"}) || c.Format != JSON || !c.AccessTokenAudience ||
		c.Namespace != "claims.jwt.hasura.io" || c.Variables["x-hasura-org"] != "custom:org" {
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
