package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"math/big"
	"strings"
)

// verifies checks the signature of a token's three parts. go-jose is not used here because it
// refuses a header with two equal keys. A published key is never one of HMAC: it would not
// be a secret.
func verifies(parts []string, algorithm string, key any, published bool) bool {
	signature, err := base64URL(parts[2])
	if err != nil {
		return false
	}
	input := []byte(parts[0] + "." + strings.TrimRight(parts[1], "="))
	if key, ok := key.(ed25519.PublicKey); ok {
		return algorithm == "EdDSA" && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, input, signature)
	}
	hash, ok := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[algorithm[2:]]
	if !ok {
		return false
	}
	digest := hash.New()
	digest.Write(input)
	sum := digest.Sum(nil)
	switch key := key.(type) {
	case []byte:
		if published || len(key) < hmacBytes[algorithm] || algorithm[:2] != "HS" {
			return false
		}
		mac := hmac.New(hash.New, key)
		mac.Write(input)
		return hmac.Equal(mac.Sum(nil), signature)
	case *rsa.PublicKey:
		switch algorithm[:2] {
		case "RS":
			return rsa.VerifyPKCS1v15(key, hash, sum, signature) == nil
		case "PS":
			return rsa.VerifyPSS(key, hash, sum, signature, nil) == nil
		}
	case *ecdsa.PublicKey:
		size := (key.Params().BitSize + 7) / 8
		curve := map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]
		if key.Params().Name != curve || len(signature) != 2*size {
			return false
		}
		return ecdsa.Verify(key, sum, new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:]))
	}
	return false
}
