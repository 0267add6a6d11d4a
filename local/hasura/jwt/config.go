// Package jwt judges tokens as Hasura's JWT mode does: with the same checks, in the same
// order, with the same codes and messages.
//
// A [Config] is the JSON of HASURA_GRAPHQL_JWT_SECRET. The zero Config judges claims in
// the default format, but verifies no token.
//
// Hasura does not follow RFC 7519 throughout. It accepts a token without exp, and a token
// without aud although an audience is configured. It refuses a token if one x-hasura-*
// claim is not a string.
package jwt

import (
	"cmp"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// DefaultNamespace is the claim that Hasura reads by default.
const DefaultNamespace = "https://hasura.io/jwt/claims"

// The claims formats.
const (
	FormatJSON       = "json"
	FormatStringJSON = "stringified_json"
)

// A Config is the JSON of HASURA_GRAPHQL_JWT_SECRET. The page "JWT authentication" of
// Hasura's documentation describes the keys.
type Config struct {
	// Type says how Key is read: HS… as an HMAC secret, another one as a public key. It does
	// not bind the algorithm of a token.
	Type string `json:"type"`
	// Key is the HMAC secret, or a public key or certificate in PEM form.
	Key string `json:"key"`
	// JWKURL is the URL of the keys. They are fetched for every token, so that a test can
	// change them. Hasura keeps them as long as Cache-Control allows (graphql-engine #9759).
	JWKURL string `json:"jwk_url"`

	// Namespace is the claim to read; empty means DefaultNamespace.
	Namespace string `json:"claims_namespace"`
	// NamespacePath is a path such as $.hasura.claims, instead of Namespace.
	NamespacePath string `json:"claims_namespace_path"`
	// Format is FormatJSON or FormatStringJSON; empty means FormatJSON.
	Format string `json:"claims_format"`
	// Map gives every x-hasura-* claim as a literal or as {"path": …, "default": …}. With
	// Map, namespace and format have no effect.
	Map map[string]any `json:"claims_map"`

	// Audience accepts a token with any of these values, and a token without aud.
	Audience Audience `json:"audience"`
	// Issuer must equal iss if the token has iss.
	Issuer string `json:"issuer"`
	// AllowedSkew is how many seconds exp, nbf and iat may be off.
	AllowedSkew float64 `json:"allowed_skew"`
	// Header is where the token is; the zero value means Authorization.
	Header Header `json:"header"`

	// Unknown has the keys that Hasura ignores, such as misspelled ones.
	Unknown []string `json:"-"`
}

// A Header is a place of the token. Type is Authorization, Cookie or CustomHeader; the
// latter two have a name.
type Header struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// An Audience is a string or a list of strings in JSON.
type Audience []string

func (a *Audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = Audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// UnmarshalJSON decodes and checks a Config as Hasura does when it starts.
func (c *Config) UnmarshalJSON(text []byte) error {
	known, err := c.known(text)
	if err != nil {
		return fmt.Errorf("parse the JWT secret: %w", err)
	}
	type plain Config
	if err := json.Unmarshal(known, (*plain)(c)); err != nil {
		return fmt.Errorf("parse the JWT secret: %w", err)
	}
	var errs []error
	refuseIf := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuseIf(c.Key == "" && c.JWKURL == "", "key and jwk_url both cannot be empty")
	refuseIf(c.Key != "" && c.JWKURL != "", "key, jwk_url both cannot be present")
	if c.Key != "" {
		_, err := parseKey(c.Type, c.Key)
		if err != nil {
			errs = append(errs, err)
		}
	}
	named := c.Header.Type == "Cookie" || c.Header.Type == "CustomHeader"
	refuseIf(!named && c.Header.Type != "" && c.Header.Type != "Authorization", "header type %q is not known", c.Header.Type)
	refuseIf(named != (c.Header.Name != ""), "header: Cookie and CustomHeader need a name, and only they have one")
	refuseIf(c.Namespace != "" && c.NamespacePath != "", "claims_namespace and claims_namespace_path both cannot be set")
	refuseIf(!slices.Contains([]string{"", FormatJSON, FormatStringJSON}, c.Format), "claims_format %q is not known", c.Format)
	if c.NamespacePath != "" {
		_, err := parsePath(c.NamespacePath)
		refuseIf(err != nil, "claims_namespace_path: %w", err)
	}
	refuseIf(!isStringOrURI(c.Issuer), "issuer: it has a colon and is not a URI")
	for _, text := range c.Audience {
		refuseIf(!isStringOrURI(text), "audience: %q has a colon and is not a URI", text)
	}
	if c.JWKURL != "" {
		u, err := url.Parse(c.JWKURL)
		refuseIf(err != nil || u.Scheme == "", "jwk_url: not a URI")
	}
	for _, name := range []string{allowedRoles, defaultRole} {
		_, ok := c.Map[name]
		refuseIf(c.Map != nil && !ok, "%s is mandatory in claims_map", name)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Map)) {
		err := checkMapped(name, c.Map[name])
		refuseIf(err != nil, "claims_map: %s: %w", name, err)
	}
	return errors.Join(errs...)
}

// known returns the members of the configuration that Hasura reads, and names the others in
// c.Unknown. Their names must be in lower case.
func (c *Config) known(text []byte) ([]byte, error) {
	decoded, err := decode(text)
	if err != nil {
		return nil, err
	}
	object, ok := decoded.(map[string]any)
	if !ok {
		return nil, errors.New("it is not a JSON object")
	}
	c.Unknown = nil
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(keys, name) {
			c.Unknown = append(c.Unknown, name)
			delete(object, name)
		}
	}
	return json.Marshal(object)
}

var keys = []string{"type", "key", "jwk_url", "claims_namespace", "claims_namespace_path", "claims_format", "claims_map",
	"audience", "issuer", "allowed_skew", "header"}

// checkMapped checks an entry of claims_map: a literal, or a path with a default.
func checkMapped(name string, value any) error {
	if from, ok := value.(map[string]any); ok {
		text, ok := from["path"].(string)
		if !ok {
			return errors.New("it has no path")
		}
		if _, err := parsePath(text); err != nil {
			return fmt.Errorf("path: %w", err)
		}
		if value = from["default"]; value == nil {
			return nil
		}
	}
	switch name {
	case allowedRoles:
		_, err := rolesOf(map[string]any{allowedRoles: value})
		if refusal, ok := errors.AsType[*Error](err); ok {
			return errors.New(refusal.Message)
		}
		return nil
	case defaultRole:
		_, err := roleOf(value)
		return err
	}
	if _, ok := value.(string); !ok {
		return errors.New("parsing Text failed, expected String, but encountered " + kind(value))
	}
	return nil
}

func (c Config) namespace() string { return cmp.Or(c.Namespace, DefaultNamespace) }

// place names where the claims were looked for, as Hasura's messages do.
func (c Config) place() string {
	if c.NamespacePath != "" {
		path, _ := parsePath(c.NamespacePath) // find has read it before
		return "claims_namespace_path " + path.String()
	}
	return "claims_namespace " + c.namespace()
}

// parseKey reads a key of the configuration. A PEM text is a public key in PKIX or PKCS#1
// form, or a certificate.
func parseKey(algorithm, text string) (any, error) {
	if minimum, hmac := hmacBytes[algorithm]; hmac {
		if len(text) < minimum {
			return nil, fmt.Errorf("key: %s needs at least %d bytes", algorithm, minimum)
		}
		return []byte(text), nil
	}
	if !slices.Contains([]string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "Ed25519"}, algorithm) {
		return nil, fmt.Errorf("type %q is not known", algorithm)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("key: not a public key or certificate in PEM form")
	}
	switch block.Type {
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		return certificate.PublicKey, nil
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	}
	return x509.ParsePKIXPublicKey(block.Bytes)
}

// IsSessionVariable reports whether the name of a claim or header begins with x-hasura-.
func IsSessionVariable(name string) bool {
	return strings.HasPrefix(strings.ToLower(name), "x-hasura-")
}
