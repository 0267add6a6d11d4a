package jwt

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
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
	token, err := c.tokenOf(header)
	if err != nil {
		return Session{}, err
	}
	check := checker{Config: c, now: time.Now(), keys: func() ([]any, error) { return c.fetch(ctx) }}
	return check.session(token, header.Get(roleVariable))
}

// tokenOf returns the token. Hasura accepts the scheme only as Bearer, in this case.
func (c Config) tokenOf(header http.Header) (string, error) {
	values := header.Values(cmp.Or(c.Header.Name, "Authorization"))
	if c.Header.Type == "Cookie" {
		values = nil
		for _, cookie := range (&http.Request{Header: header}).CookiesNamed(c.Header.Name) {
			value, err := url.PathUnescape(cookie.Value)
			if err != nil {
				value = cookie.Value
			}
			values = append(values, value)
		}
	}
	switch {
	case len(values) == 0:
		return "", refuse(InvalidHeaders, "Missing 'Authorization' or 'Cookie' header in JWT authentication mode")
	case len(values) > 1:
		return "", refuse(InvalidHeaders, "Multiple JWTs found")
	case c.Header.Name != "":
		return values[0], nil
	}
	words := strings.Fields(values[0])
	if len(words) != 2 || words[0] != "Bearer" {
		return "", refuse(InvalidHeaders, "Malformed Authorization header")
	}
	return words[1], nil
}

// A checker makes Hasura's checks of one token.
type checker struct {
	Config
	now     time.Time
	keys    func() ([]any, error) // nil: the signature is not checked
	reached Step                  // the check that runs, or that failed
}

func (c *checker) session(token, role string) (Session, error) {
	payload, err := c.verify(token)
	if err != nil {
		return Session{}, err
	}
	c.reached = Namespace
	if c.Map != nil {
		claims, err := c.mapped(payload)
		if err != nil {
			return Session{}, err
		}
		c.reached = Roles
		return session(claims, role)
	}
	for _, name := range registered {
		delete(payload, name)
	}
	value, err := c.find(payload)
	if err != nil {
		return Session{}, err
	}
	claims, err := c.object(value)
	if err != nil {
		return Session{}, err
	}
	c.reached = Roles
	return session(claims, role)
}

// algorithms are the default ones of hs-jose 0.10 (defaultValidationSettings), which Hasura
// takes. Neither type nor a token's kid chooses one: the kind of the key does.
var algorithms = []jose.SignatureAlgorithm{
	jose.HS256, jose.HS384, jose.HS512,
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// hmacBytes are the shortest keys of HMAC.
var hmacBytes = map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}

// verify checks a token and returns its payload. The issuer comes before the signature,
// as in Hasura.
func (c *checker) verify(token string) (map[string]any, error) {
	c.reached = Form
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		// Cognito's refresh tokens are encrypted and have 5 parts (graphql-engine #5724).
		return nil, unverified("JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got %d)", len(parts))
	}
	algorithm, err := checkForm(parts)
	if err != nil {
		return nil, err
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil, err // checkForm has decoded it
	}
	decoded, err := decode(text)
	payload, ok := decoded.(map[string]any)
	switch {
	case err != nil: // Hasura also says where
		return nil, unverified(`JWTClaimsSetDecodeError "Error in $: Failed reading: not a valid json value"`)
	case !ok:
		return nil, unverified(`JWTClaimsSetDecodeError "Error in $: parsing JWT Claims Set failed, expected Object, but encountered %s"`, kind(decoded))
	}
	c.reached = Issuer
	if iss := payload["iss"]; iss != nil && c.Issuer != "" && iss != c.Issuer {
		return nil, unverified("JWTNotInIssuer")
	}
	c.reached = Signature
	if !slices.Contains(algorithms, jose.SignatureAlgorithm(algorithm)) {
		return nil, unverified("JWSError JWSNoSignatures")
	}
	if c.keys != nil {
		signed, err := jose.ParseSignedCompact(token, algorithms)
		if err != nil {
			return nil, unverified("JWSError JWSInvalidSignature")
		}
		keys, err := c.keys()
		if err != nil {
			return nil, fmt.Errorf("fetch JWKs: %w", err)
		}
		// Hasura tries every key and ignores the token's kid.
		if !slices.ContainsFunc(keys, func(key any) bool { return verifies(signed, key, c.JWKURL != "") }) {
			return nil, unverified("JWSError JWSInvalidSignature")
		}
	}
	c.reached = Registered
	return payload, c.checkRegistered(payload)
}

// verifies checks the signature. A published key is never one of HMAC: it would not be a secret.
func verifies(signed *jose.JSONWebSignature, key any, published bool) bool {
	secret, hmac := key.([]byte)
	if hmac && (published || len(secret) < hmacBytes[signed.Signatures[0].Header.Algorithm]) {
		return false
	}
	_, err := signed.Verify(key)
	return err == nil
}

// fetch returns the keys of the configuration.
func (c Config) fetch(ctx context.Context) ([]any, error) {
	if c.JWKURL != "" {
		return fetchKeys(ctx, c.JWKURL)
	}
	key, err := parseKey(c.Type, c.Key)
	return []any{key}, err
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
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	return parseKeys(text)
}

// parseKeys reads a JWKS.
func parseKeys(text []byte) (keys []any, err error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil {
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
func (c *checker) checkRegistered(payload map[string]any) error {
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
			const far = 1e11 // seconds; a larger number would overflow
			times[name] = time.UnixMicro(int64(max(-far, min(far, seconds)) * 1e6))
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
				if !isStringOrURI(text) {
					return unverified(`JWTClaimsSetDecodeError "Error in $.%s: failed to parse StringOrURI"`, name)
				}
			}
		}
	}
	now, skew := c.now, time.Duration(c.AllowedSkew*float64(time.Second))
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

// isStringOrURI reports whether a text is what RFC 7519 calls StringOrURI: a text with a
// colon must be a URI.
func isStringOrURI(text string) bool {
	u, err := url.Parse(text)
	return !strings.Contains(text, ":") || err == nil && u.Scheme != "" && !strings.ContainsAny(text, " \"<>\\^`{|}")
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
