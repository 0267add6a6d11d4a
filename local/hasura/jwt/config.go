// Package jwt decides about tokens as Hasura's JWT mode does: the same checks,
// in the same order, with the same codes and messages.
//
// A Config is what stands in HASURA_GRAPHQL_JWT_SECRET; decode it with
// encoding/json and it says what Hasura would say about a bad one. The zero
// Config judges claims in the default format, but verifies no token.
//
// Being right by RFC 7519 does not make a token right for Hasura, and the other
// way round: a token without exp is accepted, and so is one without aud when an
// audience is configured, while one claim x-hasura-… that is no string refuses
// the whole token.
package jwt

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// DefaultNamespace is the claim that Hasura reads unless told otherwise.
const DefaultNamespace = "https://hasura.io/jwt/claims"

// The claims formats.
const (
	FormatJSON       = "json"
	FormatStringJSON = "stringified_json"
)

// A Config is the JSON of HASURA_GRAPHQL_JWT_SECRET. Hasura's documentation
// describes the keys on its page "JWT authentication".
type Config struct {
	// Type is the algorithm of Key, such as RS256. JWKs name their own.
	Type string `json:"type"`
	// Key is the HMAC secret, or a public key or certificate in PEM.
	Key string `json:"key"`
	// JWKURL is where the keys are. They are fetched for every token, so that
	// a test may change them; Hasura keeps them as long as Cache-Control says,
	// and without it until it restarts (graphql-engine #9759).
	JWKURL string `json:"jwk_url"`

	// Namespace is the claim to read, "" for DefaultNamespace.
	Namespace string `json:"claims_namespace"`
	// NamespacePath is a JSON path such as $.hasura.claims, instead of Namespace.
	NamespacePath string `json:"claims_namespace_path"`
	// Format is FormatJSON or FormatStringJSON, "" for FormatJSON.
	Format string `json:"claims_format"`
	// Map gives every x-hasura-* claim as a literal or as
	// {"path": …, "default": …}. It overrules namespace and format.
	Map map[string]json.RawMessage `json:"claims_map"`

	// Audience accepts a token with any of these, and a token without aud.
	Audience Audience `json:"audience"`
	// Issuer must equal iss, where the token has one.
	Issuer string `json:"issuer"`
	// AllowedSkew is how many seconds exp, nbf and iat may be off.
	AllowedSkew int `json:"allowed_skew"`
	// Header says where the token is; zero for Authorization.
	Header Header `json:"header"`
}

// An Audience is one string or a list of them in JSON.
type Audience []string

func (a *Audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = Audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// A Header is where the token stands: "Authorization", or a "Cookie" by name.
type Header struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// UnmarshalJSON decodes and checks a Config as Hasura does when it starts.
func (c *Config) UnmarshalJSON(text []byte) error {
	type plain Config
	if err := json.Unmarshal(text, (*plain)(c)); err != nil {
		return fmt.Errorf("parse JWT secret: %w", err)
	}
	return errors.Join(c.faults()...)
}

func (c *Config) faults() (faults []error) {
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(c.Key == "" && c.JWKURL == "", "key and jwk_url both cannot be empty")
	fault(c.Key != "" && c.JWKURL != "", "key, jwk_url both cannot be present")
	fault(c.Namespace != "" && c.NamespacePath != "",
		"claims_namespace and claims_namespace_path both cannot be set")
	fault(!slices.Contains([]string{"", FormatJSON, FormatStringJSON}, c.Format), "claims_format %q is not known", c.Format)
	if c.Key != "" {
		_, err := c.verificationKey()
		fault(err != nil, "%w", err)
	}
	if c.Map != nil {
		for _, name := range []string{allowedRoles, defaultRole} {
			_, ok := c.Map[name]
			fault(!ok, "%s is mandatory in claims_map", name)
		}
	}
	switch c.Header.Type {
	case "", "Authorization":
	case "Cookie":
		fault(c.Header.Name == "", "header of type Cookie needs a name")
	default:
		fault(true, "header type %q is neither Authorization nor Cookie", c.Header.Type)
	}
	if c.NamespacePath != "" {
		_, err := parsePath(c.NamespacePath)
		fault(err != nil, "claims_namespace_path: %w", err)
	}
	return faults
}

// place names where the claims were looked for, as Hasura's messages do.
func (c Config) place() string {
	if c.NamespacePath != "" {
		return "claims_namespace_path " + c.NamespacePath
	}
	return "claims_namespace " + c.namespace()
}

func (c Config) namespace() string {
	if c.Namespace == "" {
		return DefaultNamespace
	}
	return c.Namespace
}

// IsSessionVariable reports whether a claim or header name is one of Hasura's.
func IsSessionVariable(name string) bool {
	return strings.HasPrefix(strings.ToLower(name), "x-hasura-")
}
