package jwt_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

var hmacKey = strings.Repeat("k", 64)

func hmacConfig() jwt.Config { return jwt.Config{Type: "HS256", Key: hmacKey, Issuer: "https://a"} }

func (s signer) hmac(algorithm jose.SignatureAlgorithm, given claims) string {
	return s.sign(jose.SigningKey{Algorithm: algorithm, Key: []byte(hmacKey)}, given)
}

func TestJudge(t *testing.T) {
	s := signer{t: t}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + ".e30."
	rows := []struct {
		name, token string
		failed      jwt.Step // if message is not empty
		message     string
	}{
		{name: "a good token", token: s.hmac(jose.HS256, nil)},
		{name: "type does not bind the algorithm", token: s.hmac(jose.HS512, nil)},
		{"a refresh token", "a.b.c.d.e", jwt.Form, "Expected 3 parts; got 5"},
		{"alg none", none, jwt.Signature, "JWSNoSignatures"},
		{"another issuer", s.hmac(jose.HS256, claims{"iss": "https://b", "exp": 1}), jwt.Issuer, "JWTNotInIssuer"},
		{"another key", s.sign(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("x", 32))}, nil), jwt.Signature, "JWSInvalidSignature"},
		{"expired", s.hmac(jose.HS256, claims{"exp": 1}), jwt.Registered, "JWTExpired"},
		{name: "an expiry that is far away", token: s.hmac(jose.HS256, claims{"exp": 1e20})},
		{"no namespace", s.hmac(jose.HS256, claims{jwt.DefaultNamespace: nil}), jwt.Namespace, "not found"},
		{"a role that is not allowed", s.hmac(jose.HS256, claims{jwt.DefaultNamespace: claims{"x-hasura-allowed-roles": []string{"a"}, "x-hasura-default-role": "b"}}),
			jwt.Roles, notInAllowed},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := jwt.Judge(row.token, hmacConfig(), "", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if row.message == "" {
				if got.Refusal != nil || got.Session.Role != "user" {
					t.Errorf("got %v, role %q; want the role user", got.Refusal, got.Session.Role)
				}
				return
			}
			if got.Refusal == nil || !strings.Contains(got.Refusal.Message, row.message) || got.Hint.Text == "" {
				t.Errorf("got %v, hint %q; want %q and a hint", got.Refusal, got.Hint.Text, row.message)
			}
			for _, r := range got.Steps {
				want := jwt.Passed
				if r.Step == row.failed {
					want = jwt.Failed
				} else if r.Step > row.failed {
					want = jwt.NotReached
				}
				if r.Result != want {
					t.Errorf("%s: got %s, want %s", r.Step, r.Result, want)
				}
			}
		})
	}
}

func TestJudgeWithPublishedKeys(t *testing.T) {
	p := newPool(t)
	config := jwt.Config{JWKURL: p.keys.URL}
	good, forged := p.sign(p.key, nil), p.sign(p.forged, nil)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Key.(*rsa.PrivateKey).Public()}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, token, keys, want string }{
		{"good", good, string(set), jwt.Passed},
		{"forged", forged, string(set), jwt.Failed},
		{"without keys", forged, "", jwt.Unchecked},
	} {
		got, err := jwt.Judge(row.token, config, row.keys, time.Now())
		if err != nil || got.Steps[jwt.Signature].Result != row.want {
			t.Errorf("%s: got %v, error %v; want the signature %s", row.name, got.Steps, err, row.want)
		}
	}
	if _, err := jwt.Judge(good, config, "no JSON", time.Now()); err == nil {
		t.Error("keys that are no JWKS: no error")
	}
}

// The kind of the key chooses the algorithms, not type. go-jose signs the tokens.
func TestPEMKeys(t *testing.T) {
	key := newPool(t).key.Key.(*rsa.PrivateKey)
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)})
	rsaAlgorithms := []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}
	type row struct {
		name       string
		key        crypto.Signer
		pem        []byte
		algorithms []jose.SignatureAlgorithm
	}
	rows := []row{
		{"RSA, PKCS#1", key, pkcs1, rsaAlgorithms},
		{"RSA", key, publicPEM(t, key), rsaAlgorithms},
	}
	for curve, algorithm := range map[elliptic.Curve]jose.SignatureAlgorithm{elliptic.P256(): jose.ES256, elliptic.P384(): jose.ES384, elliptic.P521(): jose.ES512} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row{curve.Params().Name, key, publicPEM(t, key), []jose.SignatureAlgorithm{algorithm}})
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rows = append(rows, row{"Ed25519", edwards, publicPEM(t, edwards), []jose.SignatureAlgorithm{jose.EdDSA}})
	for _, row := range rows {
		c := jwt.Config{Type: "RS512", Key: string(row.pem)}
		for _, algorithm := range row.algorithms {
			token := signer{t: t}.sign(jose.SigningKey{Algorithm: algorithm, Key: row.key}, nil)
			got, err := jwt.Judge(token, c, "", time.Now())
			if err != nil || got.Refusal != nil {
				t.Errorf("%s, %s: got %v, error %v", row.name, algorithm, got.Refusal, err)
			}
			// Another payload under the same signature.
			parts := strings.Split(token, ".")
			parts[1] = base64.RawURLEncoding.EncodeToString([]byte("{}"))
			got, err = jwt.Judge(strings.Join(parts, "."), c, "", time.Now())
			checkError(t, got.Refusal, "invalid-jwt", "Could not verify JWT: JWSError JWSInvalidSignature")
			if err != nil {
				t.Error(err)
			}
		}
		got, err := jwt.Judge(signer{t: t}.hmac(jose.HS256, nil), c, "", time.Now())
		if err != nil || got.Refusal == nil {
			t.Errorf("%s, HS256: got %v, error %v; want a refusal", row.name, got.Refusal, err)
		}
	}
}

func publicPEM(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	bytes, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: bytes})
}

func TestPlacesOfTheToken(t *testing.T) {
	token := signer{t: t}.hmac(jose.HS256, nil)
	for _, row := range []struct {
		name   string
		place  jwt.Header
		header http.Header
		want   string
	}{
		{"a cookie, percent-encoded", jwt.Header{Type: "Cookie", Name: "t"}, http.Header{"Cookie": {"t=" + strings.ReplaceAll(token, ".", "%2E")}}, ""},
		{"two cookies", jwt.Header{Type: "Cookie", Name: "t"}, http.Header{"Cookie": {"t=a; t=b"}}, "Multiple JWTs found"},
		{"a header of its own", jwt.Header{Type: "CustomHeader", Name: "X-Token"}, http.Header{"X-Token": {token}}, ""},
		{"two headers", jwt.Header{}, http.Header{"Authorization": {"Bearer a", "Bearer b"}}, "Multiple JWTs found"},
	} {
		c := hmacConfig()
		c.Header = row.place
		_, err := c.Authenticate(t.Context(), row.header)
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
	}
}

// Judge never panics, and agrees with Authenticate, which the local Hasura asks.
func FuzzJudge(f *testing.F) {
	for _, payload := range []string{`{}`, `null`, `{"exp":1}`, `{"https://hasura.io/jwt/claims":{"x-hasura-allowed-roles":["a"],"x-hasura-default-role":"a"}}`} {
		f.Add(payload)
	}
	signing, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(hmacKey)}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		signed, err := signing.Sign([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		token, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		judged, err := jwt.Judge(token, hmacConfig(), "", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		session, err := hmacConfig().Authenticate(t.Context(), http.Header{"Authorization": {"Bearer " + token}})
		if (judged.Refusal == nil) != (err == nil) || err != nil && err.Error() != judged.Refusal.Error() || !cmp.Equal(session, judged.Session) {
			t.Errorf("%s: got %v, %v; Authenticate %v, %v", payload, judged.Session, judged.Refusal, session, err)
		}
	})
}
