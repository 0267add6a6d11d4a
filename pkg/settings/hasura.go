package settings

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Settings that say where Hasura is and how to call it.
var (
	GraphqlDomain = Setting{
		Name: "GRAPHQL_DOMAIN", Functions: "sync, replay, reconcile, follow", Parameter: "GraphqlDomain", Required: true,
		Grammar: "Hasura's host, host:port or URL", Example: "hasura.internal",
		Description: "Where Hasura is. A name without a scheme means https. The DNS name of an Elastic Load Balancer means plain http, " +
			"unless GRAPHQL_HOST is set or the port is 443. A URL may have a path; without one it is /v1/graphql.",
	}
	GraphqlHost = Setting{
		Name: "GRAPHQL_HOST", Functions: "sync, replay, reconcile, follow", Parameter: "GraphqlHost",
		Default: "the host of GRAPHQL_DOMAIN", Grammar: "a host or host:port", Example: "api.example.com",
		Description: "The name that Hasura's certificate is for, when GRAPHQL_DOMAIN is the DNS name of a load balancer.",
	}
	GraphqlCA = Setting{
		Name: "GRAPHQL_CA", Functions: "sync, replay, reconcile, follow", Parameter: "GraphqlCa",
		Default: "the public certificate authorities", Grammar: "one or two certificates in PEM form", Example: exampleCA,
		Description: "The certificates of a private certificate authority that issued Hasura's certificate. Only they are trusted then.",
	}
	SecretsARN = Setting{
		Name: "SECRETS_ARN", Functions: "sync, replay, reconcile, follow", Parameter: "SecretsArn", Required: true,
		Grammar: "the ARN of a secret in Secrets Manager", Example: "arn:aws:secretsmanager:us-east-1:123456789012:secret:acme/prod/app-AbCdEf",
		Description: "The secret that holds Hasura's admin secret: a JSON object, or the plain text.",
	}
	SecretsKey = Setting{
		Name: "SECRETS_KEY", Functions: "sync, replay, reconcile, follow", Parameter: "SecretsKey",
		Default: "the first of HASURA_GRAPHQL_ADMIN_SECRET, HASURA_ADMIN_SECRET, ADMIN_SECRET, HASURA_GRAPHQL_ADMIN_SECRETS",
		Grammar: "the name of a key", Example: "HASURA_SECRET",
		Description: "The key of the admin secret in the secret's JSON object. With it, the secret must be a JSON object.",
	}
	HasuraRole = Setting{
		Name: "HASURA_ROLE", Functions: "sync, replay", Parameter: "HasuraRole",
		Default: "admin", Grammar: "the name of a role", Example: "cognito_sync",
		Description: "The role that the sync acts as. The role cognito_sync of the shipped metadata writes one user row and nothing else.",
	}
)

// Hasura says where Hasura is and how to call it, as [ReadHasura] returns it.
type Hasura struct {
	Endpoint  Endpoint
	SecretARN string
	SecretKey string // "" means the usual names
	Role      string // "" means admin
}

// An Endpoint is where Hasura's GraphQL API is.
type Endpoint struct {
	URL *url.URL // of the GraphQL endpoint
	// Host is the Host header and the name that the certificate must have. "" means the
	// URL's host.
	Host string
	// CA holds the only certificate authorities to trust; nil means the system's.
	CA *x509.CertPool
}

// ReadHasura reads the settings about Hasura. With a fault the result must not be used:
// without its role, or with another address, a call could have rights or show data that
// the operator did not mean.
func ReadHasura(getenv func(string) string) (Hasura, []error) {
	var faults []error
	h := Hasura{
		Endpoint: Endpoint{
			Host: read(&GraphqlHost, getenv, parseHost, "", &faults),
			CA:   read(&GraphqlCA, getenv, parseCA, nil, &faults),
		},
		SecretARN: read(&SecretsARN, getenv, parseARN, "", &faults),
		SecretKey: read(&SecretsKey, getenv, parseKey, "", &faults),
		Role:      read(&HasuraRole, getenv, parseHasuraRole, "", &faults),
	}
	if d := read(&GraphqlDomain, getenv, parseDomain, domain{}, &faults); d.url != nil {
		h.Endpoint.URL = d.url
		if !d.scheme && h.Endpoint.Host == "" && isLoadBalancer(d.url.Hostname()) && d.url.Port() != "443" {
			h.Endpoint.URL.Scheme = "http" // a load balancer's DNS name has no certificate
		}
	}
	return h, faults
}

// NewEndpoint returns the endpoint of a GRAPHQL_DOMAIN and a GRAPHQL_HOST ("" for none).
func NewEndpoint(domain, host string) (Endpoint, error) {
	value := map[string]string{
		GraphqlDomain.Name: domain, GraphqlHost.Name: host, SecretsARN.Name: SecretsARN.Example,
	}
	h, faults := ReadHasura(func(name string) string { return value[name] })
	if len(faults) > 0 {
		return Endpoint{}, faults[0]
	}
	return h.Endpoint, nil
}

// Health is the URL of Hasura's health check, which needs no secret. A path in front of
// /v1/graphql stands in front of /healthz too.
func (e Endpoint) Health() string {
	prefix, ok := strings.CutSuffix(e.URL.Path, defaultPath)
	if !ok {
		prefix = ""
	}
	return (&url.URL{Scheme: e.URL.Scheme, Host: e.URL.Host, Path: prefix + "/healthz"}).String()
}

// IsPlainHTTP reports whether the admin secret goes over a network without TLS.
func (e Endpoint) IsPlainHTTP() bool {
	host := e.URL.Hostname()
	ip := net.ParseIP(host)
	return e.URL.Scheme == "http" && host != "localhost" && (ip == nil || !ip.IsLoopback())
}

const defaultPath = "/v1/graphql"

type domain struct {
	url    *url.URL
	scheme bool // the setting has a scheme
}

func parseDomain(text string) (domain, error) {
	d := domain{scheme: strings.Contains(text, "://")}
	whole := text
	if !d.scheme {
		whole = "https://" + text
	}
	u, err := url.Parse(whole)
	switch {
	case err != nil || strings.ContainsAny(text, " \t\r\n"):
		return d, GraphqlDomain.fault("it is not a host or a URL.") // not quoted: it can hold a password
	case u.User != nil:
		return d, GraphqlDomain.fault("it has a user or a password. The admin secret comes from SECRETS_ARN.")
	case u.Scheme != "https" && u.Scheme != "http":
		return d, GraphqlDomain.fault("the scheme must be https or http.")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return d, GraphqlDomain.fault("it has a query or a fragment.")
	case !isHost(u.Host):
		return d, GraphqlDomain.fault("it does not have the form of a host, host:port or URL.")
	}
	// With a slash at the end of the path, a server answers 404.
	if u.Path = strings.TrimRight(u.Path, "/"); u.Path == "" {
		u.Path = defaultPath
	}
	u.RawPath = ""
	d.url = u
	return d, nil
}

func parseHost(text string) (string, error) {
	if !isHost(text) || strings.HasPrefix(text, "[") {
		return "", GraphqlHost.fault("it does not have the form of a host or host:port.")
	}
	return text, nil
}

// isHost reports whether text is a host name or an IP address, with or without a port.
// (Package regexp would make every cold start slower.)
func isHost(text string) bool {
	host, port := text, ""
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, ']') {
		host, port = text[:i], text[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	if ip, ok := strings.CutPrefix(host, "["); ok {
		ip, ok = strings.CutSuffix(ip, "]")
		return ok && strings.Contains(ip, ":") && net.ParseIP(ip) != nil
	}
	ends := strings.TrimSuffix(host, ".")
	return ends != "" && only(host, lettersDigits+"._-") && !strings.ContainsAny(ends[:1]+ends[len(ends)-1:], ".-")
}

const lettersDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// only reports whether text has no characters but these.
func only(text, characters string) bool { return strings.Trim(text, characters) == "" }

// isLoadBalancer reports whether Elastic Load Balancing made the name.
func isLoadBalancer(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return strings.HasSuffix(host, ".elb.amazonaws.com") || strings.HasSuffix(host, ".elb.amazonaws.com.cn")
}

// parseCA also accepts a backslash and an n for a line break, as files of variables have it.
func parseCA(text string) (*x509.CertPool, error) {
	rest := []byte(strings.ReplaceAll(text, `\n`, "\n"))
	pool, n := x509.NewCertPool(), 0
	for len(strings.TrimSpace(string(rest))) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return nil, GraphqlCA.fault("it is not a certificate in PEM form.")
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, GraphqlCA.fault("a certificate cannot be read.")
		}
		pool.AddCert(certificate)
		n++
	}
	if n == 0 || n > 2 {
		return nil, GraphqlCA.fault(fmt.Sprintf("it has %d certificates. One or two are possible.", n))
	}
	return pool, nil
}

// isARN reports whether text is the whole ARN of a secret, in any partition.
func isARN(text string) bool {
	part := strings.Split(text, ":")
	if len(part) != 7 || part[0] != "arn" || !strings.HasPrefix(part[1], "aws") || part[2] != "secretsmanager" || part[5] != "secret" {
		return false
	}
	name, suffix := part[6], ""
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name, suffix = name[:i], name[i+1:]
	}
	const lower = "abcdefghijklmnopqrstuvwxyz-"
	return only(part[1], lower) && part[3] != "" && only(part[3], lower+"0123456789") && len(part[4]) == 12 && only(part[4], "0123456789") &&
		only(name, lettersDigits+"/_+=.@!-") && len(suffix) == 6 && only(suffix, lettersDigits)
}

// parseARN never quotes the text: a secret may have been put here by mistake.
func parseARN(text string) (string, error) {
	if isARN(text) {
		return text, nil
	}
	if arn, _, ok := strings.Cut(text, "::"); ok && strings.HasPrefix(arn, "arn:") {
		return "", SecretsARN.fault("it ends in a key, as in Amazon ECS. Put the key into SECRETS_KEY.")
	}
	return "", SecretsARN.fault("it is not the whole ARN of a secret, which ends in a hyphen and six characters.")
}

func parseKey(text string) (string, error) {
	if strings.ContainsFunc(text, isControl) || strings.TrimSpace(text) != text {
		return "", SecretsKey.fault("a space at either end, or a control character, is not possible.")
	}
	return text, nil
}

func parseHasuraRole(text string) (string, error) {
	if strings.TrimSpace(text) != text || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", HasuraRole.fault("a role here has printable ASCII characters only, and no space at either end.")
	}
	return text, nil
}

// exampleCA is a certificate whose private key was not kept.
const exampleCA = `-----BEGIN CERTIFICATE-----
MIIBSzCB86ADAgECAgEBMAoGCCqGSM49BAMCMBUxEzARBgNVBAMTCkV4YW1wbGUg
Q0EwIBcNMjYwMTAxMDAwMDAwWhgPMjEyNjAxMDEwMDAwMDBaMBUxEzARBgNVBAMT
CkV4YW1wbGUgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASCN4/RflPBF3Qm
JaPDNHrMKfQJ9dS/w9kEA3OfGDyzPZAx9B0UxzoMH5Q4dn+KUb695IjHd698HMgC
WLCE4ujGozIwMDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBSCEw6YF5V/MFAx
LZhXYdXXVJkQujAKBggqhkjOPQQDAgNHADBEAiAhCDrQD9x+0qMYGWuAqu09WUqK
5VLDZEVKIisx66xTeQIgGktYxf3wx4RR0CnR4I60CLMsOzLf843ZxhV22uRCtHQ=
-----END CERTIFICATE-----`
