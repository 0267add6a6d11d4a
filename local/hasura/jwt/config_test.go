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
		{"of the wrong type", `{"jwk_url": 1}`, "parse JWT secret"},
		{"neither key nor URL", `{"type": "RS256"}`, "key and jwk_url both cannot be empty"},
		{"key and URL", `{"type": "HS256", "key": "k", "jwk_url": "http://a"}`, "key, jwk_url both cannot be present"},
		{"a key without a type", `{"key": "k"}`, "type is required"},
		{"an unknown type", `{"type": "none", "key": "k"}`, `type "none"`},
		{"a key that is no PEM", `{"type": "RS256", "key": "k"}`, "key is not PEM"},
		{"a PEM that is no key", `{"type": "RS256", "key": "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----"}`, "neither a public key nor a certificate"},
		{"namespace and path", `{"jwk_url": "http://a", "claims_namespace": "n", "claims_namespace_path": "$"}`, "both cannot be set"},
		{"a path that is none", `{"jwk_url": "http://a", "claims_namespace_path": "$..x"}`, "not a JSON path"},
		{"a path that does not start at the root", `{"jwk_url": "http://a", "claims_namespace_path": "x"}`, "starts with $"},
		{"an unknown format", `{"jwk_url": "http://a", "claims_format": "xml"}`, `claims_format "xml"`},
		{"a map without the roles", `{"jwk_url": "http://a", "claims_map": {}}`, "x-hasura-default-role is mandatory"},
		{"a cookie without a name", `{"jwk_url": "http://a", "header": {"type": "Cookie"}}`, "needs a name"},
		{"an unknown header", `{"jwk_url": "http://a", "header": {"type": "Query"}}`, `header type "Query"`},
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
