// Package userpool is a stand-in for an Amazon Cognito user pool that issues tokens. It
// applies what the pre token generation trigger returned to the claims, signs the tokens
// and publishes its keys.
//
// Cognito reports few mistakes. A reserved claim, a value of a type that the trigger's
// version does not accept, a response in the form of another version: all of these give
// tokens without the claim and without an error. A sign-in fails only if Cognito cannot read
// the response.
//
// The rules are those of "Pre token generation Lambda trigger" and "Customizing user pool
// workflows with Lambda triggers" in the Amazon Cognito Developer Guide. Where the guide
// does not say, this package chooses the stricter reading.
package userpool

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// A Pool issues tokens. Like Cognito, it signs ID tokens and access tokens with different
// keys and publishes both.
type Pool struct {
	ID string

	// Issuer is the claim iss: https://cognito-idp.<region>.amazonaws.com/<ID>.
	Issuer string

	id, access jose.JSONWebKey
}

// New makes a pool with new keys. The id of a pool begins with its Region, as in
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
		*key = jose.JSONWebKey{Key: secret, KeyID: rand.Text(), Algorithm: string(jose.RS256), Use: "sig"}
	}
	return p, nil
}

// Sign signs the tokens. The ID token of a machine is empty.
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

// Owner returns the sub of an access token that the pool has signed.
func (p *Pool) Owner(access string) (sub string, err error) {
	signed, err := jose.ParseSignedCompact(access, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return "", fmt.Errorf("parse the token: %w", err)
	}
	payload, err := signed.Verify(p.access.Public())
	if err != nil {
		return "", fmt.Errorf("verify the token: %w", err)
	}
	var claims struct{ Sub string }
	err = json.Unmarshal(payload, &claims)
	return claims.Sub, err
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
