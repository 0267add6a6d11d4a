package jwt_test

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

type claims = map[string]any

// A tokenRow is a token and Hasura's response. The sources are those of claimsRows. hs-jose
// is the library with which Hasura checks tokens.
type tokenRow struct {
	name    string
	source  string
	config  jwt.Config                     // without keys
	claims  claims                         // these replace valid claims; nil removes one
	token   func(signer) string            // nil means a token with the claims
	header  func(token string) http.Header // nil means Authorization: Bearer
	code    string                         // empty means that Hasura accepts the token
	message string                         // empty means not checked
}

func ago(d time.Duration) int64 { return time.Now().Add(-d).Unix() }

var tokenRows = []tokenRow{
	{name: "a valid token", source: "test_jwt_valid_claims_success"},
	{name: "expired a minute ago", source: "test_jwt_expired", claims: claims{"exp": ago(time.Minute)},
		code: "invalid-jwt", message: "Could not verify JWT: JWTExpired"},
	{name: "expired within the skew", source: "test_jwt_expiry_leeway", config: jwt.Config{AllowedSkew: 3600},
		claims: claims{"exp": ago(30 * time.Second)}},
	{name: "no exp", source: "hs-jose Crypto.JWT: absent claims are not checked", claims: claims{"exp": nil}},
	{name: "issued in the future", source: "hs-jose Crypto.JWT checkIssuedAt", claims: claims{"iat": ago(-time.Hour)},
		code: "invalid-jwt", message: "Could not verify JWT: JWTIssuedAtFuture"},
	{name: "nbf in the future", source: "hs-jose Crypto.JWT", claims: claims{"nbf": ago(-time.Hour)},
		code: "invalid-jwt", message: "Could not verify JWT: JWTNotYetValid"},
	{name: "exp is checked before nbf", source: "hs-jose Crypto.JWT", claims: claims{"nbf": ago(-time.Hour), "exp": ago(time.Hour)},
		code: "invalid-jwt", message: "Could not verify JWT: JWTExpired"},
	{name: "registered claims that are null", source: "Hasura's JWT code, compiled", config: jwt.Config{Issuer: "https://a"},
		claims: claims{"exp": json.RawMessage("null"), "iat": json.RawMessage("null"), "nbf": json.RawMessage("null"), "iss": json.RawMessage("null"),
			"sub": json.RawMessage("null"), "aud": json.RawMessage("null")}},
	{name: "jti is a number, exp has passed", source: "Hasura's JWT code, compiled: types before times", claims: claims{"jti": 1, "exp": ago(time.Hour)},
		code: "invalid-jwt"},
	{name: "sub has a colon and is not a URI", source: "Hasura's JWT code, compiled", claims: claims{"sub": "a:b c"}, code: "invalid-jwt"},
	{name: "an empty list as aud", source: "Hasura's JWT code, compiled", claims: claims{"aud": []string{}},
		code: "invalid-jwt", message: "Could not verify JWT: JWTNotInAudience"},
	{name: "exp is a string", source: "#5558 of sub", claims: claims{"exp": "soon"},
		code: "invalid-jwt", message: `Could not verify JWT: JWTClaimsSetDecodeError "Error in $.exp: parsing NumericDate failed, expected Number, but encountered String"`},
	{name: "sub is a number", source: "#5558", claims: claims{"sub": 1},
		code: "invalid-jwt", message: `Could not verify JWT: JWTClaimsSetDecodeError "Error in $.sub: parsing StringOrURI failed, expected String, but encountered Number"`},
	{name: "a signature of another key", source: "test_jwt_invalid_signature",
		token: func(s signer) string { return s.sign(s.forged, nil) },
		code:  "invalid-jwt", message: "Could not verify JWT: JWSError JWSInvalidSignature"},
	{name: "a refresh token", source: "#5724", token: func(signer) string { return "a.b.c.d.e" },
		code: "invalid-jwt", message: "Could not verify JWT: JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got 5)"},
	{name: "aud without a configured audience", source: "test_jwt_no_audience_in_conf", claims: claims{"aud": "hasura-test-suite"}},
	{name: "the right audience", source: "test_jwt_valid_audience", config: jwt.Config{Audience: jwt.Audience{"a", "b"}}, claims: claims{"aud": []string{"b"}}},
	{name: "the wrong audience", source: "test_jwt_invalid_audience", config: jwt.Config{Audience: jwt.Audience{"a", "b"}}, claims: claims{"aud": "c"},
		code: "invalid-jwt", message: "Could not verify JWT: JWTNotInAudience"},
	{name: "no aud with a configured audience", source: "hs-jose Crypto.JWT validateAudClaim", config: jwt.Config{Audience: jwt.Audience{"a", "b"}}},
	{name: "iss without a configured issuer", source: "test_jwt_no_issuer_in_conf", claims: claims{"iss": "rubbish-issuer"}},
	{name: "the right issuer", source: "test_jwt_valid_issuer", config: jwt.Config{Issuer: "https://a"}, claims: claims{"iss": "https://a"}},
	{name: "an issuer with one slash more", source: "test_jwt_invalid_issuer", config: jwt.Config{Issuer: "https://a"}, claims: claims{"iss": "https://a/"},
		code: "invalid-jwt", message: "Could not verify JWT: JWTNotInIssuer"},
	{name: "the issuer is checked before signature and exp", source: "Hasura's JWT code, compiled", config: jwt.Config{Issuer: "https://a"},
		token: func(s signer) string { return s.sign(s.forged, claims{"iss": "https://b", "exp": ago(time.Hour)}) },
		code:  "invalid-jwt", message: "Could not verify JWT: JWTNotInIssuer"},
	{name: "no iss with a configured issuer", source: "Hasura's documentation, Issuer Notes", config: jwt.Config{Issuer: "https://a"}},

	{name: "no namespace", source: "AuthSpec", claims: claims{jwt.DefaultNamespace: nil},
		code: "jwt-invalid-claims", message: "claims key: 'https://hasura.io/jwt/claims' not found"},
	{name: "a custom namespace", source: "test_jwt", config: jwt.Config{Namespace: "claims.jwt.hasura.io"},
		claims: claims{jwt.DefaultNamespace: nil, "claims.jwt.hasura.io": hasuraClaims}},
	{name: "a namespace path", source: "test_jwt", config: jwt.Config{NamespacePath: "$.hasura['claims']"},
		claims: claims{"hasura": claims{"claims": hasuraClaims}}},
	{name: "Hasura's claims at the top level", source: "test_jwt", config: jwt.Config{NamespacePath: "$"}, claims: hasuraClaims},
	{name: "nothing at the namespace path", source: "test_jwt", config: jwt.Config{NamespacePath: "$.x"},
		code: "jwt-invalid-claims", message: "claims not found at claims_namespace_path: '$.x'"},
	{name: "claims from a map", source: "test_jwt_claims_map", config: jwt.Config{Map: claimsMap},
		claims: claims{"cognito:groups": []string{"user", "editor"}}},
	{name: "claims from a map with defaults", source: "test_jwt_claims_map", config: jwt.Config{Map: claimsMap}},
	{name: "a claim that the map does not find", source: "test_jwt_claims_map_claim_not_found", config: jwt.Config{Map: claimsMap}, claims: claims{"sub": nil},
		code: "jwt-invalid-claims", message: "JWT claim from claims_map, x-hasura-user-id not found"},

	{name: "no token", source: "Hasura's documentation", header: func(string) http.Header { return http.Header{} }, code: "invalid-headers"},
	{name: "an empty header", source: "Hasura's JWT code, compiled", header: func(string) http.Header { return http.Header{"Authorization": {""}} },
		code: "invalid-headers", message: "Malformed Authorization header"},
	{name: "the scheme in lower case", source: "JWT.hs", header: func(token string) http.Header { return http.Header{"Authorization": {"bearer " + token}} },
		code: "invalid-headers", message: "Malformed Authorization header"},
	{name: "three words in the header", source: "JWT.hs", header: func(string) http.Header { return http.Header{"Authorization": {"Bearer a b"}} },
		code: "invalid-headers", message: "Malformed Authorization header"},
}

var claimsMap = map[string]any{
	"x-hasura-allowed-roles": claims{"path": "$['cognito:groups']", "default": []any{"user"}},
	"x-hasura-default-role":  "user",
	"x-hasura-user-id":       claims{"path": "$.sub"},
}
