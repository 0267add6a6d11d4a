// Package userpool does what an Amazon Cognito user pool does with the answer of its
// pre token generation trigger: it builds the claims of the ID token and of the access
// token by the documented rules, signs them, and publishes its keys.
//
// Cognito is silent about most mistakes. A claim that may not be set, a value of a type
// that the trigger's version does not take, an answer of another version's shape: all
// of these yield tokens without the claim, and no error. Only what cannot be read as
// an answer at all fails the sign-in.
//
// The rules are those of "Pre token generation Lambda trigger" and "Customizing user
// pool workflows with Lambda triggers" in the Amazon Cognito Developer Guide. Where
// they are silent, the reading chosen here is the one that our functions must not
// depend on: the less forgiving.
package userpool

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// A Pool issues tokens. As a real one, it signs ID tokens and access tokens with a key
// each and publishes both.
type Pool struct {
	ID string

	// Issuer is the tokens' iss: https://cognito-idp.<region>.amazonaws.com/<ID>. The
	// keys are at /.well-known/jwks.json below it on AWS, and below /<ID> here.
	Issuer string

	id, access jose.JSONWebKey
}

// New makes a pool with fresh keys. A pool's id begins with its region, as in
// us-east-1_ExaMPle01.
func New(id string) (*Pool, error) {
	region, _, ok := strings.Cut(id, "_")
	if !ok {
		return nil, fmt.Errorf("%q is not the id of a user pool, such as us-east-1_ExaMPle01", id)
	}
	p := &Pool{ID: id, Issuer: "https://cognito-idp." + region + ".amazonaws.com/" + id}
	for _, key := range []*jose.JSONWebKey{&p.id, &p.access} {
		secret, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		var kid [32]byte
		_, _ = rand.Read(kid[:]) // never fails: crypto/rand
		*key = jose.JSONWebKey{
			Key:       secret,
			KeyID:     base64.StdEncoding.EncodeToString(kid[:]),
			Algorithm: string(jose.RS256),
			Use:       "sig",
		}
	}
	return p, nil
}

// Sign turns claims into the tokens that an app gets. A machine has no ID token; its
// text is then empty.
func (p *Pool) Sign(t Tokens) (id, access string, err error) {
	if t.ID != nil {
		if id, err = sign(p.id, t.ID); err != nil {
			return "", "", fmt.Errorf("sign the ID token: %w", err)
		}
	}
	if access, err = sign(p.access, t.Access); err != nil {
		return "", "", fmt.Errorf("sign the access token: %w", err)
	}
	return id, access, nil
}

func sign(key jose.JSONWebKey, claims Claims) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, nil)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// ServeHTTP publishes the keys at /<ID>/.well-known/jwks.json.
func (p *Pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.URL.Path != "/"+p.ID+"/.well-known/jwks.json" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{p.id.Public(), p.access.Public()}})
}
