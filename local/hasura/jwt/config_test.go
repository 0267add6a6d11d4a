package jwt_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

func TestConfigOfACognitoPool(t *testing.T) {
	var got jwt.Config
	err := json.Unmarshal([]byte(`{
		"type": "RS256",
		"jwk_url": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example/.well-known/jwks.json",
		"issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example",
		"audience": "client", "claims_format": "stringified_json"}`), &got)
	want := jwt.Config{
		Type:     "RS256",
		JWKURL:   "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example/.well-known/jwks.json",
		Issuer:   "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example",
		Audience: jwt.Audience{"client"},
		Format:   jwt.FormatStringJSON,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v; config (-want +got):\n%s", err, diff)
	}
}

func TestBadConfigs(t *testing.T) {
	rows := []struct{ name, config, want string }{
		{"not JSON", `{`, "unexpected end"},
		{"a value of the wrong type", `{"jwk_url": 1}`, "parse the JWT secret"},
		{"neither key nor jwk_url", `{"type": "RS256"}`, "key and jwk_url both cannot be empty"},
		{"key and jwk_url", `{"type": "HS256", "key": "k", "jwk_url": "http://a"}`, "key, jwk_url both cannot be present"},
		{"a key without a type", `{"key": "k"}`, `type ""`},
		{"a public key that is not PEM", `{"type": "RS256", "key": "k"}`, "PEM"},
		{"an unknown type", `{"type": "XS256", "key": "k"}`, `type "XS256"`},
		{"a cookie without a name", `{"jwk_url": "http://a", "header": {"type": "Cookie"}}`, "need a name"},
		{"a short key", `{"type": "HS256", "key": "k"}`, "at least 32 bytes"},
		{"a short key for HS384", `{"type": "HS384", "key": "` + hmacKey[:47] + `"}`, "at least 48 bytes"},
		{"a short key for HS512", `{"type": "HS512", "key": "` + hmacKey[:63] + `"}`, "at least 64 bytes"},
		{"a type that hs-jose can verify and Hasura cannot read", `{"type": "PS256", "key": "k"}`, `type "PS256"`},
		{"a surrogate without its pair", `{"jwk_url": "http://a", "issuer": "\ud800"}`, "surrogate"},
		{"an audience that is not a URI", `{"jwk_url": "http://a", "audience": ["a", "a:b c"]}`, "audience: "},
		{"a path with a wildcard", `{"jwk_url": "http://a", "claims_namespace_path": "$.*"}`, "claims_namespace_path"},
		{"a map with an invalid path", `{"jwk_url": "http://a", "claims_map": {"x-hasura-allowed-roles": ["a"], "x-hasura-default-role": {"path": "$.*"}}}`, "x-hasura-default-role: path"},
		{"a list", `[]`, "not a JSON object"},
		{"a URL without a scheme", `{"jwk_url": "a"}`, "jwk_url: not a URI"},
		{"an issuer that is not a URI", `{"jwk_url": "http://a", "issuer": "a:b c"}`, "issuer: "},
		{"namespace and path", `{"jwk_url": "http://a", "claims_namespace": "n", "claims_namespace_path": "$"}`, "both cannot be set"},
		{"an invalid path", `{"jwk_url": "http://a", "claims_namespace_path": "$["}`, "claims_namespace_path"},
		{"an unknown format", `{"jwk_url": "http://a", "claims_format": "xml"}`, `claims_format "xml"`},
		{"an empty name in the path", `{"jwk_url": "http://a", "claims_namespace_path": "$."}`, "claims_namespace_path"},
		{"a name with a space in the path", `{"jwk_url": "http://a", "claims_namespace_path": "$.a b"}`, "claims_namespace_path"},
		{"an index that is not a number", `{"jwk_url": "http://a", "claims_namespace_path": "$[a]"}`, "claims_namespace_path"},
		{"a path with an open quote", `{"jwk_url": "http://a", "claims_namespace_path": "$['a]"}`, "claims_namespace_path"},
		{"a map without the roles", `{"jwk_url": "http://a", "claims_map": {}}`, "x-hasura-default-role is mandatory"},
		{"a map with a number as the default role", `{"jwk_url": "http://a", "claims_map": {"x-hasura-allowed-roles": ["a"], "x-hasura-default-role": 1}}`, "expected String, but encountered Number"},
		{"a map with a text as the roles", `{"jwk_url": "http://a", "claims_map": {"x-hasura-allowed-roles": "a", "x-hasura-default-role": "a"}}`, "should be a list of roles"},
		{"a map with a number as a variable", `{"jwk_url": "http://a", "claims_map": {"x-hasura-allowed-roles": ["a"], "x-hasura-default-role": "a", "x-hasura-b": 1}}`, "x-hasura-b: parsing Text failed"},
		{"a map with a number as a default", `{"jwk_url": "http://a", "claims_map": {"x-hasura-allowed-roles": ["a"], "x-hasura-default-role": "a", "x-hasura-b": {"path": "$.b", "default": 1}}}`, "x-hasura-b: parsing Text failed"},
		{"a map with an object without a path", `{"jwk_url": "http://a", "claims_map": {"x-hasura-allowed-roles": ["a"], "x-hasura-default-role": {}}}`, "it has no path"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var config jwt.Config
			err := json.Unmarshal([]byte(row.config), &config)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%s: got %v, want an error with %q", row.config, err, row.want)
			}
		})
	}
}
