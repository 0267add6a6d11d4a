package jwt

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

// asymmetric lists what a published key may verify. HMAC is not in it: its key
// would be public.
var asymmetric = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512,
	jose.ES256, jose.ES384, jose.ES512,
	jose.EdDSA,
}

// keys gives the keys that may have signed, and the algorithms to accept.
func (c Config) keys(ctx context.Context) ([]any, []jose.SignatureAlgorithm, error) {
	if c.JWKURL != "" {
		keys, err := fetchKeys(ctx, c.JWKURL)
		return keys, asymmetric, err
	}
	key, err := c.verificationKey()
	return []any{key}, []jose.SignatureAlgorithm{c.algorithm()}, err
}

func (c Config) algorithm() jose.SignatureAlgorithm {
	if c.Type == "Ed25519" {
		return jose.EdDSA
	}
	return jose.SignatureAlgorithm(c.Type)
}

func (c Config) verificationKey() (any, error) {
	switch c.Type {
	case "HS256", "HS384", "HS512":
		return []byte(c.Key), nil
	case "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "Ed25519":
		return parsePublicKey(c.Key)
	case "":
		return nil, errors.New("type is required with key")
	}
	return nil, fmt.Errorf("type %q is not an algorithm that Hasura knows", c.Type)
}

func parsePublicKey(text string) (any, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("key is not PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if block.Type == "CERTIFICATE" {
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = cert.PublicKey
		}
	}
	if err != nil {
		return nil, errors.New("key is neither a public key nor a certificate")
	}
	switch key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return key, nil
	}
	return nil, fmt.Errorf("key is of an unknown kind, %T", key)
}

func fetchKeys(ctx context.Context, url string) ([]any, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch JWKs: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch JWKs: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch JWKs: %s", resp.Status)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		return nil, fmt.Errorf("parse JWKs: %w", err)
	}
	// Hasura tries every key, whatever the token's kid.
	keys := make([]any, len(set.Keys))
	for i, key := range set.Keys {
		keys[i] = key.Key
	}
	return keys, nil
}
