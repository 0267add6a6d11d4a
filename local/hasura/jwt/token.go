package jwt

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// unverified is the refusal of a token before its Hasura claims are read.
func unverified(format string, args ...any) *Error {
	return refuse(InvalidJWT, "Could not verify JWT: "+format, args...)
}

// Authenticate returns the session of a request by the token in its headers. An error that
// is not an [*Error] means that the keys could not be fetched.
func (c Config) Authenticate(ctx context.Context, header http.Header) (Session, error) {
	token, err := bearer(header)
	if err != nil {
		return Session{}, err
	}
	payload, err := c.verify(ctx, token)
	if err != nil {
		return Session{}, err
	}
	role := header.Get(roleVariable)
	if c.Map != nil {
		claims, err := c.mapped(payload)
		if err != nil {
			return Session{}, err
		}
		return session(claims, role)
	}
	for _, name := range registered {
		delete(payload, name)
	}
	value, err := c.find(payload)
	if err != nil {
		return Session{}, err
	}
	return c.claims(value, role)
}

// bearer returns the token. Hasura accepts the scheme only as Bearer, in this case.
func bearer(header http.Header) (string, error) {
	values := header.Values("Authorization")
	if len(values) == 0 {
		return "", refuse(InvalidHeaders, "Missing 'Authorization' or 'Cookie' header in JWT authentication mode")
	}
	words := strings.Fields(values[0])
	if len(words) != 2 || words[0] != "Bearer" {
		return "", refuse(InvalidHeaders, "Malformed Authorization header")
	}
	return words[1], nil
}

// asymmetric are the algorithms of published keys. HMAC is not one of them: its key would
// be public.
var asymmetric = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// verify checks a token and returns its payload. The issuer comes before the signature,
// as in Hasura.
func (c Config) verify(ctx context.Context, token string) (map[string]any, error) {
	if parts := strings.Count(token, ".") + 1; parts != 3 {
		// Cognito's refresh tokens are encrypted and have 5 parts (graphql-engine #5724).
		return nil, unverified("JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got %d)", parts)
	}
	keys, algorithms := []any{[]byte(c.Key)}, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(c.Type)}
	if c.JWKURL != "" {
		var err error
		if keys, err = fetchKeys(ctx, c.JWKURL); err != nil {
			return nil, fmt.Errorf("fetch JWKs: %w", err)
		}
		algorithms = asymmetric
	}
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, unverified("JWSError JWSInvalidSignature")
	}
	decoded, err := decode(signed.UnsafePayloadWithoutVerification())
	payload, ok := decoded.(map[string]any)
	if err != nil || !ok {
		return nil, unverified(`JWTClaimsSetDecodeError "Error in $: not an object"`)
	}
	if iss := payload["iss"]; iss != nil && c.Issuer != "" && iss != c.Issuer {
		return nil, unverified("JWTNotInIssuer")
	}
	// Hasura tries every key and ignores the token's kid.
	if !slices.ContainsFunc(keys, func(key any) bool { _, err := signed.Verify(key); return err == nil }) {
		return nil, unverified("JWSError JWSInvalidSignature")
	}
	return payload, c.checkRegistered(payload)
}

func fetchKeys(ctx context.Context, url string) (keys []any, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", resp.Status)
	}
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		return nil, err
	}
	for _, key := range set.Keys {
		keys = append(keys, key.Key)
	}
	return keys, nil
}

var registered = []string{"iss", "sub", "aud", "jti", "exp", "iat", "nbf"}

// checkRegistered checks the registered claims: first the types of all, then the times,
// then the audience. A claim that is absent or null is not checked.
func (c Config) checkRegistered(payload map[string]any) error {
	times := map[string]time.Time{}
	for _, name := range registered {
		value := payload[name]
		if value == nil {
			continue
		}
		switch name {
		case "exp", "iat", "nbf":
			number, ok := value.(json.Number)
			seconds, err := number.Float64()
			if !ok || err != nil {
				return mistyped(name, "NumericDate", "Number", value)
			}
			times[name] = time.UnixMicro(int64(seconds * 1e6))
		case "jti":
			if _, ok := value.(string); !ok {
				return mistyped(name, "Text", "String", value)
			}
		default:
			texts, ok := value.([]any)
			if name != "aud" || !ok {
				texts = []any{value}
			}
			for _, item := range texts {
				text, ok := item.(string)
				if !ok {
					return mistyped(name, "StringOrURI", "String", item)
				}
				// RFC 7519: a string with a colon must be a URI.
				_, err := url.Parse(text)
				if strings.Contains(text, ":") && (err != nil || strings.ContainsAny(text, " \"<>\\^`{|}")) {
					return unverified(`JWTClaimsSetDecodeError "Error in $.%s: failed to parse StringOrURI"`, name)
				}
			}
		}
	}
	now, skew := time.Now(), time.Duration(c.AllowedSkew)*time.Second
	if exp, ok := times["exp"]; ok && !now.Before(exp.Add(skew)) {
		return unverified("JWTExpired")
	}
	if iat, ok := times["iat"]; ok && iat.After(now.Add(skew)) {
		return unverified("JWTIssuedAtFuture")
	}
	if nbf, ok := times["nbf"]; ok && nbf.After(now.Add(skew)) {
		return unverified("JWTNotYetValid")
	}
	// Cognito's access tokens have no aud, so this check accepts them.
	if aud := payload["aud"]; aud != nil && !c.inAudience(aud) {
		return unverified("JWTNotInAudience")
	}
	return nil
}

func (c Config) inAudience(aud any) bool {
	list, ok := aud.([]any)
	if !ok {
		list = []any{aud}
	}
	return slices.ContainsFunc(list, func(item any) bool {
		text, _ := item.(string)
		return c.Audience == nil || slices.Contains(c.Audience, text)
	})
}

func mistyped(claim, parser, expected string, value any) error {
	return unverified(`JWTClaimsSetDecodeError "Error in $.%s: parsing %s failed, expected %s, but encountered %s"`,
		claim, parser, expected, kind(value))
}
