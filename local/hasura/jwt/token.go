package jwt

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"regexp"
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
// takes. So an RSA key also verifies PS256, PS384 and PS512, which type cannot name. Neither
// type nor a token's kid chooses an algorithm: the kind of the key does.
var algorithms = []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// hmacBytes are the shortest keys of HMAC.
var hmacBytes = map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}

// verify checks a token and returns its payload. The order is Hasura's: the issuer comes
// first, if the claims set can be read, then the form of the token, then the signature.
func (c *checker) verify(token string) (map[string]any, error) {
	parts := strings.Split(token, ".")
	var payload map[string]any
	var unread error
	if len(parts) > 2 {
		payload, unread = claimsSet(parts[1])
		if iss := payload["iss"]; iss != nil && c.Issuer != "" && iss != c.Issuer {
			c.reached = Issuer
			return nil, unverified("JWTNotInIssuer")
		}
	}
	c.reached = Form
	algorithm, err := checkForm(parts)
	switch {
	case err != nil:
		return nil, err
	case unread != nil:
		return nil, unread
	}
	c.reached = Signature
	if !slices.Contains(algorithms, algorithm) {
		return nil, unverified("JWSError JWSNoSignatures")
	}
	if c.keys != nil {
		keys, err := c.keys()
		if err != nil {
			return nil, fmt.Errorf("fetch JWKs: %w", err)
		}
		// Hasura tries every key and ignores the token's kid.
		if !slices.ContainsFunc(keys, func(key any) bool { return verifies(parts, algorithm, key, c.JWKURL != "") }) {
			return nil, unverified("JWSError JWSInvalidSignature")
		}
	}
	c.reached = Registered
	return payload, c.checkRegistered(payload)
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

// registered are the registered claims in the order in which hs-jose 0.10 reads them.
var registered = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}

// claimsSet decodes a payload and checks the types of the registered claims. A claim that is
// null counts as absent.
func claimsSet(part string) (map[string]any, error) {
	text, err := base64URL(part)
	if err != nil {
		return nil, err
	}
	decoded, err := decode(text)
	payload, ok := decoded.(map[string]any)
	switch {
	case err != nil: // instead of …, Hasura has a text of its JSON library, which depends on the place
		return nil, unverified(`JWTClaimsSetDecodeError "Error in $: …"`)
	case !ok:
		return nil, unverified(`JWTClaimsSetDecodeError "Error in $: parsing JWT Claims Set failed, expected Object, but encountered %s"`, kind(decoded))
	}
	for _, name := range registered {
		value := payload[name]
		if value == nil {
			continue
		}
		switch name {
		case "exp", "iat", "nbf":
			if kind(value) != "Number" {
				return nil, mistyped(name, "NumericDate", "Number", value)
			}
		case "jti":
			if kind(value) != "String" {
				return nil, mistyped(name, "Text", "String", value)
			}
		default:
			if list, ok := value.([]any); ok && name == "aud" && !slices.ContainsFunc(list, isNotStringOrURI) {
				continue
			}
			text, ok := value.(string)
			if !ok { // also a list of audiences with a wrong member
				return nil, mistyped(name, "StringOrURI", "String", value)
			}
			if !isStringOrURI(text) {
				return nil, unverified(`JWTClaimsSetDecodeError "Error in $.%s: failed to parse StringOrURI"`, name)
			}
		}
	}
	return payload, nil
}

// checkRegistered checks the times, then the audience. A claim that is absent or null is not
// checked.
func (c *checker) checkRegistered(payload map[string]any) error {
	now, skew := c.now, time.Duration(math.Abs(c.AllowedSkew)*float64(time.Second))
	if exp, ok := numericDate(payload["exp"]); ok && !now.Before(exp.Add(skew)) {
		return unverified("JWTExpired")
	}
	if iat, ok := numericDate(payload["iat"]); ok && iat.After(now.Add(skew)) {
		return unverified("JWTIssuedAtFuture")
	}
	if nbf, ok := numericDate(payload["nbf"]); ok && nbf.After(now.Add(skew)) {
		return unverified("JWTNotYetValid")
	}
	// Cognito's access tokens have no aud, so this check accepts them.
	if aud := payload["aud"]; aud != nil && !c.inAudience(aud) {
		return unverified("JWTNotInAudience")
	}
	return nil
}

// numericDate returns a time of a claim, and false if value is not a number.
func numericDate(value any) (time.Time, bool) {
	number, ok := value.(json.Number)
	seconds, _ := number.Float64() // infinite if it is out of range
	const far = 1e11               // seconds; a larger number would overflow
	return time.UnixMicro(int64(max(-far, min(far, seconds)) * 1e6)), ok
}

// uri has the characters of RFC 3986 in their places; url.Parse checks the rest.
var uri = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:(//[\[\]A-Za-z0-9._~!$&'()*+,;=:@%-]*)?` +
	`([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*(#([A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$`)

// isStringOrURI reports whether a text is what RFC 7519 calls StringOrURI: a text with a
// colon must be a URI.
func isStringOrURI(text string) bool {
	_, err := url.Parse(text)
	return !strings.Contains(text, ":") || err == nil && uri.MatchString(text)
}

func isNotStringOrURI(value any) bool {
	text, ok := value.(string)
	return !ok || !isStringOrURI(text)
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
