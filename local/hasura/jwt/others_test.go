package jwt_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

// raw signs a header and a payload as they are, with HS256.
func raw(header, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	mac := hmac.New(sha256.New, []byte(hmacKey))
	mac.Write([]byte(input))
	return input + "." + encode(mac.Sum(nil))
}

// hs256 signs a payload. The text HASURA stands for valid claims of Hasura.
func hs256(payload string) string {
	return raw(`{"alg":"HS256"}`, strings.ReplaceAll(payload, "HASURA", `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user"}`))
}

// What Hasura's own code does with tokens that Cognito never issues, beside those of tokenRows. It is in graphql-engine at a8d1002 (Hasura/Server/Auth/JWT.hs,
// Data/Parser/JSONPath.hs) and hs-jose 0.10 (Crypto/JWT.hs, Crypto/JOSE/JWS.hs, Crypto/JOSE/Header.hs).
func TestTokensOfOthers(t *testing.T) {
	const (
		good    = `{"https://hasura.io/jwt/claims":HASURA}`
		claims  = "https://hasura.io/jwt/claims"
		jws     = `Could not verify JWT: JWSError (JSONDecodeError "%s")`
		payload = `Could not verify JWT: JWTClaimsSetDecodeError "Error in $%s"`
		missing = "JWT claim does not contain x-hasura-allowed-roles"
	)
	mapped := func(member string) string {
		return `"claims_map":{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user",` + member + `}`
	}
	rows := []struct {
		name, config  string // further members of the configuration
		token         string
		code, message string // empty means that Hasura accepts the token
	}{
		{"a good token", ``, hs256(good), "", ""},

		// The order of the checks.
		{"the issuer comes before the expiry", `"issuer":"https://a"`, hs256(`{"iss":"https://b","exp":1}`), "invalid-jwt", "Could not verify JWT: JWTNotInIssuer"},
		{"the issuer comes before a missing signature", `"issuer":"https://a"`, raw(`{"alg":"none"}`, `{"iss":"https://b"}`), "invalid-jwt", "Could not verify JWT: JWTNotInIssuer"},
		{"types come before the issuer", `"issuer":"https://a"`, hs256(`{"iss":"https://b","jti":1}`), "invalid-jwt", fmt.Sprintf(payload, ".jti: parsing Text failed, expected String, but encountered Number")},
		{"types come before the signature", ``, hs256(`{"sub":2}`) + "xxxx", "invalid-jwt", fmt.Sprintf(payload, ".sub: parsing StringOrURI failed, expected String, but encountered Number")},
		{"types come before a missing signature", ``, raw(`{"alg":"none"}`, `{"sub":2}`), "invalid-jwt", fmt.Sprintf(payload, ".sub: parsing StringOrURI failed, expected String, but encountered Number")},
		{"the type of sub comes before that of jti", ``, hs256(`{"jti":1,"sub":2}`), "invalid-jwt", fmt.Sprintf(payload, ".sub: parsing StringOrURI failed, expected String, but encountered Number")},
		{"the issuer comes before the signature", `"issuer":"https://a"`, hs256(`{"iss":"https://b"}`) + "xxxx", "invalid-jwt", "Could not verify JWT: JWTNotInIssuer"},
		{"the issuer comes before the header", `"issuer":"https://a"`, raw(`{}`, `{"iss":"https://b"}`), "invalid-jwt", "Could not verify JWT: JWTNotInIssuer"},
		{"the signature comes before the expiry", ``, hs256(`{"exp":1}`) + "xxxx", "invalid-jwt", "Could not verify JWT: JWSError JWSInvalidSignature"},

		// Registered claims.
		{"iss with a colon is not a URI", ``, hs256(`{"iss":":a"}`), "invalid-jwt", fmt.Sprintf(payload, ".iss: failed to parse StringOrURI")},
		{"iss with a colon has no scheme", ``, hs256(`{"iss":"a/b:c"}`), "invalid-jwt", fmt.Sprintf(payload, ".iss: failed to parse StringOrURI")},
		{"aud with a colon is not ASCII", ``, hs256(`{"aud":"a:é"}`), "invalid-jwt", fmt.Sprintf(payload, ".aud: failed to parse StringOrURI")},
		{"a list as aud has a number", ``, hs256(`{"aud":["a",1]}`), "invalid-jwt", fmt.Sprintf(payload, ".aud: parsing StringOrURI failed, expected String, but encountered Array")},
		{"exp is out of range", ``, hs256(`{"exp":1e400,"` + claims + `":HASURA}`), "", ""},
		{"aud with a colon is a URI", ``, hs256(`{"aud":"urn:a","` + claims + `":HASURA}`), "", ""},
		{"allowed_skew may be a fraction", `"allowed_skew":86400.5`, hs256(fmt.Sprintf(`{"exp":%d,"%s":HASURA}`, time.Now().Add(-time.Hour).Unix(), claims)), "", ""},

		// JSON.
		{"of two members with one name the first counts", ``, hs256(`{"` + claims + `":HASURA,"` + claims + `":7}`), "", ""},
		{"the same in the claims", ``, hs256(`{"` + claims + `":{"x-hasura-default-role":"a","x-hasura-default-role":"user","x-hasura-allowed-roles":["user"]}}`), "access-denied", notInAllowed},
		{"the same in the header", ``, raw(`{"alg":"HS256","alg":"none"}`, strings.ReplaceAll(good, "HASURA", `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user"}`)), "", ""},
		{"the same in a text", `"claims_format":"stringified_json"`,
			hs256(`{"` + claims + `":"{\"x-hasura-default-role\":\"user\",\"x-hasura-default-role\":\"a\",\"x-hasura-allowed-roles\":[\"user\"]}"}`), "", ""},
		{"a surrogate without its pair", ``, hs256(`{"a":"\ud800","` + claims + `":HASURA}`), "invalid-jwt", ""},
		{"a surrogate without its pair in a text", `"claims_format":"stringified_json"`, hs256(`{"` + claims + `":"{\"a\":\"\\ud800\"}"}`), "jwt-invalid-claims", ""},
		{"a surrogate without its pair in the header", ``, raw(`{"alg":"HS256","kid":"\ud800"}`, good), "invalid-jwt", fmt.Sprintf(jws, "protected header contains invalid JSON")},
		{"the payload is not JSON", ``, hs256(`{`), "invalid-jwt", fmt.Sprintf(payload, ": …")},
		{"two JSON values", ``, hs256(`{}{}`), "invalid-jwt", ""},
		{"a bracket after the JSON value", ``, hs256(`{}]`), "invalid-jwt", ""},
		{"payload null", ``, hs256(`null`), "invalid-jwt", fmt.Sprintf(payload, ": parsing JWT Claims Set failed, expected Object, but encountered Null")},
		{"the payload is a list", ``, hs256(`[]`), "invalid-jwt", fmt.Sprintf(payload, ": parsing JWT Claims Set failed, expected Object, but encountered Array")},

		// The form of the token.
		{"two parts", ``, "a.b", "invalid-jwt", "Could not verify JWT: JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got 2)"},
		{"no base64url", ``, "e30.?.a", "invalid-jwt", fmt.Sprintf(jws, "Not valid base64url")},
		{"the header is not JSON", ``, raw(`{`, good), "invalid-jwt", fmt.Sprintf(jws, "protected header contains invalid JSON")},
		{"the header is a list", ``, raw(`[]`, good), "invalid-jwt", fmt.Sprintf(jws, "protected header contains invalid JSON")},
		{"the header has no alg", ``, raw(`{}`, good), "invalid-jwt", fmt.Sprintf(jws, `missing required header \"alg\"`)},
		{"an unknown alg", ``, raw(`{"alg":"XS256"}`, good), "invalid-jwt", fmt.Sprintf(jws, `unrecognised value; expected: [\"HS256\",\"HS384\",\"HS512\",\"RS256\",`+
			`\"RS384\",\"RS512\",\"ES256\",\"ES384\",\"ES512\",\"ES256K\",\"PS256\",\"PS384\",\"PS512\",\"none\",\"EdDSA\"]`)},
		{"kid is a number", ``, raw(`{"alg":"HS256","kid":1}`, good), "invalid-jwt", fmt.Sprintf(jws, "parsing Text failed, expected String, but encountered Number")},
		{"typ is null", ``, raw(`{"alg":"HS256","typ":null}`, good), "invalid-jwt", fmt.Sprintf(jws, "parsing Text failed, expected String, but encountered Null")},
		{"crit has a registered name", ``, raw(`{"alg":"HS256","crit":["alg"]}`, good), "invalid-jwt", fmt.Sprintf(jws, "crit key is reserved")},
		{"crit has another name", ``, raw(`{"alg":"HS256","crit":["b64"],"b64":true}`, good), "invalid-jwt", fmt.Sprintf(jws, "crit key is not understood")},
		{"alg none", ``, raw(`{"alg":"none"}`, `{}`), "invalid-jwt", "Could not verify JWT: JWSError JWSNoSignatures"},
		{"an algorithm that hs-jose does not take", ``, raw(`{"alg":"ES256K"}`, `{}`), "invalid-jwt", "Could not verify JWT: JWSError JWSNoSignatures"},
		{"another signature", ``, hs256(good)[:20] + "A" + hs256(good)[21:], "invalid-jwt", ""},
		{"a signature with padding", ``, hs256(good) + "=", "", ""},

		// claims_namespace_path.
		{"a path without a dollar", `"claims_namespace_path":"x"`, hs256(`{"x":HASURA}`), "", ""},
		{"a path without a dot", `"claims_namespace_path":"$hasura"`, hs256(`{"hasura":HASURA}`), "", ""},
		{"a path with a dot before a bracket", `"claims_namespace_path":"$.['x']"`, hs256(`{"x":HASURA}`), "", ""},
		{"a path with an index and a name in quotes", `"claims_namespace_path":"$.a[1][\"x y\"]"`, hs256(`{"a":[0,{"x y":HASURA}]}`), "", ""},
		{"a path with quotes in quotes", `"claims_namespace_path":"$['\\\"b']['\"\\'']"`, hs256(`{"\"b":{"\"'":HASURA}}`), "", ""},
		{"messages write the path in its usual form", `"claims_namespace_path":"a[0]['b c']"`, hs256(`{}`), "jwt-invalid-claims", `claims not found at claims_namespace_path: '$.a[0]["b c"]'`},
		{"the path of a text that is not JSON", `"claims_namespace_path":"['x']","claims_format":"stringified_json"`, hs256(`{"x":"a"}`),
			"jwt-invalid-claims", "expecting stringified json at: 'claims_namespace_path $.x', but found: a"},

		// claims_map.
		{"a path without a value for the roles", `"claims_map":{"x-hasura-allowed-roles":{"path":"$.none"},"x-hasura-default-role":"user"}`, hs256(`{}`), "jwt-missing-role-claims", missing},
		{"the roles come before other claims", `"claims_map":{"x-hasura-a":{"path":"$.none"},"x-hasura-allowed-roles":{"path":"$.none"},"x-hasura-default-role":"user"}`, hs256(`{}`),
			"jwt-missing-role-claims", missing},
		{"the types of the roles come before other claims", `"claims_map":{"x-hasura-a":{"path":"$.none"},"x-hasura-allowed-roles":{"path":"$.r"},"x-hasura-default-role":"user"}`, hs256(`{"r":1}`),
			"jwt-invalid-claims", "invalid x-hasura-allowed-roles; should be a list of roles: parsing [] failed, expected Array, but encountered Number"},
		{"a default that is null", mapped(`"x-hasura-a":{"path":"$.none","default":null}`), hs256(`{}`), "jwt-invalid-claims", "JWT claim from claims_map, x-hasura-a not found"},
		{"a registered claim", mapped(`"x-hasura-user-id":{"path":"$.sub"}`), hs256(`{"sub":"1"}`), "", ""},
		{"the default role is a number", `"claims_map":{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":{"path":"$.r"}}`, hs256(`{"r":1}`),
			"jwt-invalid-claims", "invalid x-hasura-default-role; should be a role: parsing String failed, expected String, but encountered Number"},

		// Claims.
		{"the admin secret among the claims is dropped", ``, hs256(`{"` + claims + `":{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","x-hasura-admin-secret":1,"x-hasura-access-key":2}}`), "", ""},

		// The configuration.
		{"unknown keys of the configuration are ignored", `"claims_fromat":"stringified_json","Issuer":"https://a"`, hs256(good), "", ""},
		{"of two keys with one name the first counts", `"issuer":"https://a","issuer":"https://b"`, hs256(`{"iss":"https://a","` + claims + `":HASURA}`), "", ""},
		{"null members of the configuration", `"issuer":null,"audience":null,"claims_map":null,"header":null,"allowed_skew":null`, hs256(good), "", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			secret := fmt.Sprintf(`{"type":"HS256","key":%q`, hmacKey)
			if row.config != "" {
				secret += "," + row.config
			}
			config, err := jwt.ParseConfig(secret + "}")
			if err != nil {
				t.Fatal(err)
			}
			got, err := jwt.Judge(row.token, config, "", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if row.code == "" {
				if got.Refusal != nil || got.Session.Role != "user" {
					t.Errorf("got %v, role %q; want the role user", got.Refusal, got.Session.Role)
				}
				return
			}
			if got.Refusal == nil || got.Refusal.Code != row.code || row.message != "" && got.Refusal.Message != row.message {
				t.Errorf("got  %v\nwant %s: %s", got.Refusal, row.code, row.message)
			}
			if got.Hint.Text == "" {
				t.Error("no hint")
			}
		})
	}
}
