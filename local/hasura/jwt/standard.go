package jwt

import (
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"
)

// standardClaims checks exp, iat, nbf, iss and aud in this order, each only if
// the token has it, and returns the other claims.
func (c Config) standardClaims(payload json.RawMessage) (map[string]json.RawMessage, error) {
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, unverified(`JWTClaimsSetDecodeError "Error in $: not an object"`)
	}
	for _, name := range []string{"iss", "sub", "aud"} {
		if err := checkStringOrURI(name, claims[name]); err != nil {
			return nil, err
		}
	}
	now, skew := float64(time.Now().UnixNano())/float64(time.Second), math.Abs(float64(c.AllowedSkew))
	times := []struct {
		claim  string
		ok     func(t float64) bool
		reason string
	}{
		{"exp", func(t float64) bool { return now < t+skew }, "JWTExpired"},
		{"iat", func(t float64) bool { return t <= now+skew }, "JWTIssuedAtFuture"},
		{"nbf", func(t float64) bool { return t <= now+skew }, "JWTNotYetValid"},
	}
	for _, check := range times {
		value, present := claims[check.claim]
		if !present {
			continue
		}
		var t float64
		if kind(value) != "Number" || json.Unmarshal(value, &t) != nil {
			return nil, mistyped(check.claim, "NumericDate", "Number", value)
		}
		if !check.ok(t) {
			return nil, unverified("%s", check.reason)
		}
	}
	if iss, present := claims["iss"]; present && c.Issuer != "" && !slices.Contains(stringsOf(iss), c.Issuer) {
		return nil, unverified("JWTNotInIssuer")
	}
	// Cognito's access tokens have no aud: the check passes them.
	if aud, present := claims["aud"]; present && c.Audience != nil {
		if !slices.ContainsFunc(stringsOf(aud), func(a string) bool { return slices.Contains(c.Audience, a) }) {
			return nil, unverified("JWTNotInAudience")
		}
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"} {
		delete(claims, name)
	}
	return claims, nil
}

// checkStringOrURI holds a claim to the rule of RFC 7519 that a string with a
// colon is a URI.
func checkStringOrURI(name string, value json.RawMessage) error {
	var list []json.RawMessage
	if name != "aud" || json.Unmarshal(value, &list) != nil {
		list = []json.RawMessage{value}
	}
	for _, item := range list {
		var text string
		if item == nil {
			continue
		}
		if kind(item) != "String" || json.Unmarshal(item, &text) != nil {
			return mistyped(name, "StringOrURI", "String", item)
		}
		if _, err := url.Parse(text); err != nil && strings.Contains(text, ":") {
			return unverified(`JWTClaimsSetDecodeError "Error in $.%s: failed to parse StringOrURI"`, name)
		}
	}
	return nil
}

func mistyped(claim, parser, expected string, value json.RawMessage) error {
	return unverified(`JWTClaimsSetDecodeError "Error in $.%s: parsing %s failed, expected %s, but encountered %s"`,
		claim, parser, expected, kind(value))
}

func stringsOf(value json.RawMessage) []string {
	var a Audience
	if json.Unmarshal(value, &a) != nil {
		return nil
	}
	return a
}
