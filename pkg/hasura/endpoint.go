package hasura

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// An Endpoint is where Hasura is and by what name.
type Endpoint struct {
	URL *url.URL // of the GraphQL endpoint, on the host that is connected to
	// Host is what is sent as Host and what the certificate has to be for; "" means
	// the URL's host.
	Host string
	// Warning says in a sentence what is doubtful and how to mend it; "" means nothing is.
	Warning string
}

// ParseEndpoint reads the two settings that name Hasura.
//
// domain is a host, host:port or URL. The path is /v1/graphql unless the URL has
// one. Without a scheme it means https, except for a load balancer's own name:
// that can never have a certificate, so without host it means plain http, as is
// common inside a VPC.
//
// host is Hasura's public name, for a domain that is not what the certificate is
// for; "" if it is.
func ParseEndpoint(domain, host string) (Endpoint, error) {
	text := domain
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Opaque != "" {
		return Endpoint{}, errors.New("GRAPHQL_DOMAIN is not a host, such as hasura.internal, or a URL") // may hold a password
	}
	switch {
	case u.User != nil:
		return Endpoint{}, errors.New("GRAPHQL_DOMAIN has a user or password in it; the admin secret comes from SECRETS_ARN")
	case u.Scheme != "https" && u.Scheme != "http":
		return Endpoint{}, fmt.Errorf("GRAPHQL_DOMAIN has the scheme %q where https or http is wanted", u.Scheme)
	case u.RawQuery != "" || u.Fragment != "":
		return Endpoint{}, errors.New("GRAPHQL_DOMAIN has a query or fragment in it")
	case strings.ContainsAny(u.Hostname(), " \t\n,;"):
		return Endpoint{}, fmt.Errorf("GRAPHQL_DOMAIN has %q where a host is wanted", u.Hostname())
	}
	if h, err := url.Parse("https://" + host); host != "" && (err != nil || h.Host != host) {
		return Endpoint{}, fmt.Errorf("GRAPHQL_HOST %q is not a host, such as api.example.com", host)
	}
	e := Endpoint{URL: u, Host: host}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/graphql"
	}
	if host == "" && isLoadBalancer(u.Hostname()) {
		if text != domain {
			u.Scheme = "http"
		}
		if u.Scheme == "http" {
			e.Warning = "GRAPHQL_DOMAIN is a load balancer's own name, which can have no certificate, so Hasura is called without TLS; set GRAPHQL_HOST to the name on the load balancer's certificate to have it"
		} else {
			e.Warning = "GRAPHQL_DOMAIN is a load balancer's own name, which can have no certificate, so TLS will fail; set GRAPHQL_HOST to the name on the load balancer's certificate"
		}
	}
	return e, nil
}

// isLoadBalancer reports whether a name is one that Elastic Load Balancing made.
func isLoadBalancer(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return strings.HasSuffix(host, ".elb.amazonaws.com") || strings.HasSuffix(host, ".elb.amazonaws.com.cn")
}

// health is the URL of Hasura's health check, which needs no secret.
func (e Endpoint) health() string {
	return (&url.URL{Scheme: e.URL.Scheme, Host: e.URL.Host, Path: "/healthz"}).String()
}

// HTTPClient returns a client for this Hasura alone: it verifies the certificate
// against Host, and follows no redirect.
func (e Endpoint) HTTPClient() *http.Client { return newHTTPClient(e) }
