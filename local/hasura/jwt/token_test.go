package jwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

// A pool signs tokens and publishes its keys, as a Cognito user pool does.
type pool struct {
	t    *testing.T
	key  *rsa.PrivateKey
	keys *httptest.Server
}

func newPool(t *testing.T) pool {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	retired, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	// Cognito publishes two keys (graphql-engine #2071).
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: retired.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"},
		{Key: key.Public(), KeyID: "2", Algorithm: "RS256", Use: "sig"},
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(set)
	}))
	t.Cleanup(server.Close)
	return pool{t, key, server}
}

var hasuraClaims = map[string]any{
	"x-hasura-allowed-roles": []string{"user"}, "x-hasura-default-role": "user", "x-hasura-user-id": "1",
}

// sign makes a token of good claims and the given ones; nil takes a claim away.
func (p pool) sign(claims map[string]any) string {
	return sign(p.t, jose.SigningKey{Algorithm: jose.RS256, Key: p.key}, claims)
}

func sign(t *testing.T, key jose.SigningKey, claims map[string]any) string {
	t.Helper()
	all := map[string]any{"sub": "1", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), jwt.DefaultNamespace: hasuraClaims}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	payload, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func TestAuthenticate(t *testing.T) {
	p := newPool(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	type claims = map[string]any
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }

	rows := []struct {
		name    string
		source  string
		config  jwt.Config
		token   string
		header  http.Header
		code    string
		message string
	}{
		{name: "a good token", source: "test_jwt_valid_claims_success", token: p.sign(nil)},
		{name: "expired a minute ago", source: "test_jwt_expired", token: p.sign(claims{"exp": ago(time.Minute)}),
			code: "invalid-jwt", message: "Could not verify JWT: JWTExpired"},
		{name: "expired within the skew", source: "test_jwt_expiry_leeway", config: jwt.Config{AllowedSkew: 3600},
			token: p.sign(claims{"exp": ago(30 * time.Second)})},
		{name: "no exp", source: "hs-jose Crypto.JWT: absent claims are not checked", token: p.sign(claims{"exp": nil})},
		{name: "issued in the future", source: "hs-jose Crypto.JWT checkIssuedAt", token: p.sign(claims{"iat": ago(-time.Hour)}),
			code: "invalid-jwt", message: "Could not verify JWT: JWTIssuedAtFuture"},
		{name: "not valid yet", source: "hs-jose Crypto.JWT", token: p.sign(claims{"nbf": ago(-time.Hour)}),
			code: "invalid-jwt", message: "Could not verify JWT: JWTNotYetValid"},
		{name: "exp is checked before nbf", source: "hs-jose Crypto.JWT", token: p.sign(claims{"nbf": ago(-time.Hour), "exp": ago(time.Hour)}),
			code: "invalid-jwt", message: "Could not verify JWT: JWTExpired"},
		{name: "exp is a string", source: "#5558 of sub", token: p.sign(claims{"exp": "soon"}),
			code: "invalid-jwt", message: `Could not verify JWT: JWTClaimsSetDecodeError "Error in $.exp: parsing NumericDate failed, expected Number, but encountered String"`},
		{name: "sub is a number", source: "#5558", token: p.sign(claims{"sub": 1}),
			code: "invalid-jwt", message: `Could not verify JWT: JWTClaimsSetDecodeError "Error in $.sub: parsing StringOrURI failed, expected String, but encountered Number"`},
		{name: "signed by another", source: "test_jwt_invalid_signature",
			token: sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: other}, nil),
			code:  "invalid-jwt", message: "Could not verify JWT: JWSError JWSInvalidSignature"},
		{name: "signed by HMAC with the public key", source: "RFC 8725 section 2.1",
			token: sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: x509.MarshalPKCS1PublicKey(&p.key.PublicKey)}, nil),
			code:  "invalid-jwt", message: "Could not verify JWT: JWSError JWSInvalidSignature"},
		{name: "a refresh token", source: "#5724", token: "a.b.c.d.e",
			code: "invalid-jwt", message: "Could not verify JWT: JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got 5)"},
		{name: "aud without an audience to check", source: "test_jwt_no_audience_in_conf", token: p.sign(claims{"aud": "hasura-test-suite"})},
		{name: "the right audience", source: "test_jwt_valid_audience", config: jwt.Config{Audience: jwt.Audience{"a", "b"}}, token: p.sign(claims{"aud": []string{"b"}})},
		{name: "the wrong audience", source: "test_jwt_invalid_audience", config: jwt.Config{Audience: jwt.Audience{"a"}}, token: p.sign(claims{"aud": "b"}),
			code: "invalid-jwt", message: "Could not verify JWT: JWTNotInAudience"},
		{name: "no aud though there is an audience to check", source: "hs-jose Crypto.JWT validateAudClaim", config: jwt.Config{Audience: jwt.Audience{"a"}}, token: p.sign(nil)},
		{name: "iss without an issuer to check", source: "test_jwt_no_issuer_in_conf", token: p.sign(claims{"iss": "rubbish-issuer"})},
		{name: "the right issuer", source: "test_jwt_valid_issuer", config: jwt.Config{Issuer: "https://a"}, token: p.sign(claims{"iss": "https://a"})},
		{name: "the issuer with a slash too many", source: "test_jwt_invalid_issuer", config: jwt.Config{Issuer: "https://a"}, token: p.sign(claims{"iss": "https://a/"}),
			code: "invalid-jwt", message: "Could not verify JWT: JWTNotInIssuer"},
		{name: "no iss though there is an issuer to check", source: "Hasura's documentation, Issuer Notes", config: jwt.Config{Issuer: "https://a"}, token: p.sign(nil)},

		{name: "no namespace", source: "AuthSpec", token: p.sign(claims{jwt.DefaultNamespace: nil}),
			code: "jwt-invalid-claims", message: "claims key: 'https://hasura.io/jwt/claims' not found"},
		{name: "a namespace of one's own", source: "test_jwt", config: jwt.Config{Namespace: "claims.jwt.hasura.io"},
			token: p.sign(claims{jwt.DefaultNamespace: nil, "claims.jwt.hasura.io": hasuraClaims})},
		{name: "a namespace path", source: "test_jwt", config: jwt.Config{NamespacePath: "$.hasura['claims']"},
			token: p.sign(claims{"hasura": claims{"claims": hasuraClaims}})},
		{name: "the claims beside the others", source: "test_jwt", config: jwt.Config{NamespacePath: "$"}, token: p.sign(hasuraClaims)},
		{name: "nothing at the namespace path", source: "test_jwt", config: jwt.Config{NamespacePath: "$.x"}, token: p.sign(nil),
			code: "jwt-invalid-claims", message: "claims not found at claims_namespace_path: '$.x'"},
		{name: "claims from a map", source: "test_jwt_claims_map", config: jwt.Config{Map: claimsMap},
			token: p.sign(claims{"cognito:groups": []string{"user", "editor"}})},
		{name: "claims from a map, by default", source: "test_jwt_claims_map", config: jwt.Config{Map: claimsMap}, token: p.sign(nil)},
		{name: "a claim that the map does not find", source: "test_jwt_claims_map_claim_not_found", config: jwt.Config{Map: claimsMap}, token: p.sign(claims{"sub": nil}),
			code: "jwt-invalid-claims", message: "JWT claim from claims_map, x-hasura-user-id not found"},

		{name: "no token", source: "Hasura's documentation", header: http.Header{}, code: "invalid-headers"},
		{name: "the scheme in lower case", source: "JWT.hs", header: http.Header{"Authorization": {"bearer " + p.sign(nil)}},
			code: "invalid-headers", message: "Malformed Authorization header"},
		{name: "a word too many", source: "JWT.hs", header: http.Header{"Authorization": {"Bearer a b"}},
			code: "invalid-headers", message: "Malformed Authorization header"},
		{name: "a token in a cookie", source: "Hasura's documentation", config: jwt.Config{Header: jwt.Header{Type: "Cookie", Name: "id"}},
			header: http.Header{"Cookie": {"id=" + p.sign(nil)}}},
		{name: "no cookie", source: "Hasura's documentation", config: jwt.Config{Header: jwt.Header{Type: "Cookie", Name: "id"}},
			token: p.sign(nil), code: "invalid-headers"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			row.config.JWKURL = p.keys.URL
			if row.header == nil {
				row.header = bearer(row.token)
			}
			got, err := row.config.Authenticate(t.Context(), row.header)
			checkError(t, err, row.code, row.message)
			if err == nil && (got.Role != "user" || got.Variables["x-hasura-user-id"] != "1") {
				t.Errorf("session = %+v, want user 1 (%s)", got, row.source)
			}
		})
	}
}

var claimsMap = map[string]json.RawMessage{
	"x-hasura-allowed-roles": json.RawMessage(`{"path": "$['cognito:groups']", "default": ["user"]}`),
	"x-hasura-default-role":  json.RawMessage(`"user"`),
	"x-hasura-user-id":       json.RawMessage(`{"path": "$.sub"}`),
}

func TestAuthenticateWithoutKeysIsNoRefusal(t *testing.T) {
	p := newPool(t)
	token := p.sign(nil)
	p.keys.Close()
	_, err := jwt.Config{JWKURL: p.keys.URL}.Authenticate(t.Context(), bearer(token))
	if _, refused := err.(*jwt.Error); err == nil || refused {
		t.Errorf("with the keys out of reach: got %v, want an error that is no *jwt.Error", err)
	}
}

func TestAuthenticateWithAKey(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	secret := "01234567890123456789012345678901"

	rows := []struct {
		name   string
		config jwt.Config
		key    jose.SigningKey
	}{
		{"HMAC", jwt.Config{Type: "HS256", Key: secret}, jose.SigningKey{Algorithm: jose.HS256, Key: []byte(secret)}},
		{"elliptic curve", jwt.Config{Type: "ES256", Key: public}, jose.SigningKey{Algorithm: jose.ES256, Key: private}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if _, err := row.config.Authenticate(t.Context(), bearer(sign(t, row.key, nil))); err != nil {
				t.Error(err)
			}
		})
	}
}
