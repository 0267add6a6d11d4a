package hasura

import (
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	const balancer = "internal-app-1234567890.eu-west-1.elb.amazonaws.com"
	rows := []struct {
		name, domain, host string
		url, sentHost      string
		warning            string // what the warning has in it
	}{
		{"a host means https", "hasura.internal", "", "https://hasura.internal/v1/graphql", "", ""},
		{"so does one with a port", "hasura.internal:8443", "", "https://hasura.internal:8443/v1/graphql", "", ""},
		{"an address", "[::1]:8080", "", "https://[::1]:8080/v1/graphql", "", ""},
		{"a URL says it itself", "http://127.0.0.1:8080", "", "http://127.0.0.1:8080/v1/graphql", "", ""},
		{"a URL with a slash", "https://api.example.com/", "", "https://api.example.com/v1/graphql", "", ""},
		{"a URL with a path keeps it", "https://api.example.com/hasura/v1/graphql", "", "https://api.example.com/hasura/v1/graphql", "", ""},
		{"a load balancer's name means http", balancer, "", "http://" + balancer + "/v1/graphql", "", "without TLS"},
		{"in any case, and in China", "X.CN-NORTH-1.ELB.AMAZONAWS.COM.CN", "", "http://X.CN-NORTH-1.ELB.AMAZONAWS.COM.CN/v1/graphql", "", "without TLS"},
		{"its port stays", balancer + ":8080", "", "http://" + balancer + ":8080/v1/graphql", "", "without TLS"},
		{"its path stays", balancer + "/x", "", "http://" + balancer + "/x", "", "without TLS"},
		{"with the certificate's name it means https", balancer, "api.example.com", "https://" + balancer + "/v1/graphql", "api.example.com", ""},
		{"https to it cannot work", "https://" + balancer, "", "https://" + balancer + "/v1/graphql", "", "TLS will fail"},
		{"http to it works", "http://" + balancer, "", "http://" + balancer + "/v1/graphql", "", "without TLS"},
		{"a name that only looks like one", "elb.amazonaws.com.example.com", "", "https://elb.amazonaws.com.example.com/v1/graphql", "", ""},
		{"another name over http", "http://10.0.0.1", "api.example.com:8080", "http://10.0.0.1/v1/graphql", "api.example.com:8080", ""},
	}
	for _, row := range rows {
		e, err := ParseEndpoint(row.domain, row.host)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if got := e.URL.String(); got != row.url || e.Host != row.sentHost {
			t.Errorf("%s: %s as %q, want %s as %q", row.name, got, e.Host, row.url, row.sentHost)
		}
		if (e.Warning == "") != (row.warning == "") || !strings.Contains(e.Warning, row.warning) {
			t.Errorf("%s: the warning is %q, want one with %q", row.name, e.Warning, row.warning)
		}
		if row.warning != "" && !strings.Contains(e.Warning, "set GRAPHQL_HOST") {
			t.Errorf("%s: the warning %q names no cure", row.name, e.Warning)
		}
	}
}

func TestParseEndpointRefuses(t *testing.T) {
	rows := []struct{ domain, host, want string }{
		{"https://", "", "GRAPHQL_DOMAIN is not a host, such as hasura.internal, or a URL"},
		{":8080", "", "GRAPHQL_DOMAIN is not a host, such as hasura.internal, or a URL"},
		{"https://a b", "", "GRAPHQL_DOMAIN is not a host, such as hasura.internal, or a URL"},
		{"a,b", "", `GRAPHQL_DOMAIN has "a,b" where a host is wanted`},
		{"ws://a", "", `GRAPHQL_DOMAIN has the scheme "ws" where https or http is wanted`},
		{"https://canary:canary@a", "", "GRAPHQL_DOMAIN has a user or password in it; the admin secret comes from SECRETS_ARN"},
		{"canary:canary@a:x", "", "GRAPHQL_DOMAIN is not a host, such as hasura.internal, or a URL"},
		{"https://a/?secret=canary", "", "GRAPHQL_DOMAIN has a query or fragment in it"},
		{"a", "https://b", `GRAPHQL_HOST "https://b" is not a host, such as api.example.com`},
		{"a", "b/c", `GRAPHQL_HOST "b/c" is not a host, such as api.example.com`},
	}
	for _, row := range rows {
		_, err := ParseEndpoint(row.domain, row.host)
		if err == nil || err.Error() != row.want {
			t.Errorf("ParseEndpoint(%q, %q): %v, want %s", row.domain, row.host, err, row.want)
		}
	}
}
