package jwt_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

// A signer signs tokens with the right key or with another one.
type signer struct {
	t           *testing.T
	key, forged jose.SigningKey
}

// A pool signs tokens and publishes its keys, as a Cognito user pool does.
type pool struct {
	signer
	keys *httptest.Server
}

func newPool(t *testing.T) pool {
	var keys [3]*rsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	// Cognito publishes two keys (graphql-engine #2071).
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: keys[0].Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"},
		{Key: keys[1].Public(), KeyID: "2", Algorithm: "RS256", Use: "sig"},
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(set)
	}))
	t.Cleanup(server.Close)
	signing := func(key *rsa.PrivateKey) jose.SigningKey { return jose.SigningKey{Algorithm: jose.RS256, Key: key} }
	return pool{signer{t, signing(keys[1]), signing(keys[2])}, server}
}

var hasuraClaims = claims{
	"x-hasura-allowed-roles": []string{"user"}, "x-hasura-default-role": "user", "x-hasura-user-id": "1",
}

// sign makes a token of valid claims and the given ones; nil removes a claim.
func (s signer) sign(key jose.SigningKey, given claims) string {
	s.t.Helper()
	all := claims{"sub": "1", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), jwt.DefaultNamespace: hasuraClaims}
	maps.Copy(all, given)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	payload, err := json.Marshal(all)
	if err != nil {
		s.t.Fatal(err)
	}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

func TestAuthenticate(t *testing.T) {
	p := newPool(t)
	for _, row := range tokenRows {
		t.Run(row.name, func(t *testing.T) {
			row.config.JWKURL = p.keys.URL
			got, err := row.config.Authenticate(t.Context(), row.request(p.signer))
			checkError(t, err, row.code, row.message)
			if err == nil && (got.Role != "user" || got.Variables["x-hasura-user-id"] != "1") {
				t.Errorf("session = %+v, want user 1 (%s)", got, row.source)
			}
		})
	}
}

// request returns the headers with the row's token.
func (row tokenRow) request(s signer) http.Header {
	token := ""
	if row.token != nil {
		token = row.token(s)
	} else {
		token = s.sign(s.key, row.claims)
	}
	if row.header != nil {
		return row.header(token)
	}
	return bearer(token)
}

// The public key must not be accepted as the secret of an HMAC (RFC 8725, section 2.1).
func TestAuthenticateRefusesHMACWithThePublicKey(t *testing.T) {
	p := newPool(t)
	public := jose.SigningKey{Algorithm: jose.HS256, Key: x509.MarshalPKCS1PublicKey(&p.key.Key.(*rsa.PrivateKey).PublicKey)}
	_, err := jwt.Config{JWKURL: p.keys.URL}.Authenticate(t.Context(), bearer(p.sign(public, nil)))
	checkError(t, err, "invalid-jwt", "Could not verify JWT: JWSError JWSInvalidSignature")
}

func TestAuthenticateWithoutKeys(t *testing.T) {
	p := newPool(t)
	token := p.sign(p.key, nil)
	p.keys.Close()
	_, err := jwt.Config{JWKURL: p.keys.URL}.Authenticate(t.Context(), bearer(token))
	if _, refused := err.(*jwt.Error); err == nil || refused {
		t.Errorf("keys cannot be fetched: got %v, want an error that is not a *jwt.Error", err)
	}
}
