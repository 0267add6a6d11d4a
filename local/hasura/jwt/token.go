package jwt

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Authenticate gives the session of a request from the token in its headers.
// An error that is no *Error means that the keys could not be had.
func (c Config) Authenticate(ctx context.Context, header http.Header) (Session, error) {
	token, err := c.token(header)
	if err != nil {
		return Session{}, err
	}
	payload, err := c.verify(ctx, token)
	if err != nil {
		return Session{}, err
	}
	claims, err := c.standardClaims(payload)
	if err != nil {
		return Session{}, err
	}
	requestedRole := header.Get(roleVariable)
	if c.Map != nil {
		mapped, err := c.mapClaims(payload)
		if err != nil {
			return Session{}, err
		}
		return session(mapped, requestedRole)
	}
	value, err := c.find(claims)
	if err != nil {
		return Session{}, err
	}
	return c.Claims(value, requestedRole)
}

// token finds the token. The scheme is exactly Bearer, in this case.
func (c Config) token(header http.Header) (string, error) {
	if c.Header.Type == "Cookie" {
		request := http.Request{Header: header}
		if cookie, err := request.Cookie(c.Header.Name); err == nil {
			return cookie.Value, nil
		}
		return "", missingToken()
	}
	value := header.Get("Authorization")
	if value == "" {
		return "", missingToken()
	}
	words := strings.Fields(value)
	if len(words) != 2 || words[0] != "Bearer" {
		return "", refuse(InvalidHeaders, "Malformed Authorization header")
	}
	return words[1], nil
}

func missingToken() error {
	return refuse(InvalidHeaders, "Missing 'Authorization' or 'Cookie' header in JWT authentication mode")
}

// verify checks the signature and gives the payload.
func (c Config) verify(ctx context.Context, token string) (json.RawMessage, error) {
	if parts := strings.Count(token, ".") + 1; parts != 3 {
		// A Cognito refresh token, which is encrypted, has 5 (graphql-engine #5724).
		return nil, unverified("JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got %d)", parts)
	}
	keys, algorithms, err := c.keys(ctx)
	if err != nil {
		return nil, err
	}
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, unverified("JWSError JWSInvalidSignature")
	}
	for _, key := range keys {
		if payload, err := signed.Verify(key); err == nil {
			return payload, nil
		}
	}
	return nil, unverified("JWSError JWSInvalidSignature")
}

// HasToken reports whether the place of the token holds anything. Without it,
// Hasura falls back to its unauthorized role.
func (c Config) HasToken(header http.Header) bool {
	_, err := c.token(header)
	return err == nil || header.Get("Authorization") != "" && c.Header.Type != "Cookie"
}
