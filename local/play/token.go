package main

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
)

// signed has the tokens that an app got.
type signed struct {
	Subject string // the user's sub, or the machine's client id
	List    []token
	refresh string
}

// A token is an ID token or an access token.
type token struct {
	Use string // id or access
	Raw string

	claims map[string]any
}

// newSigned decodes the tokens. A refresh gives no new refresh token, so the old one stays.
func newSigned(subject string, t cognitoidp.Tokens, refresh string) *signed {
	s := &signed{Subject: subject, refresh: cmp.Or(t.Refresh, refresh)}
	for use, raw := range map[string]string{"id": t.ID, "access": t.Access} {
		if raw != "" { // a machine gets no ID token
			s.List = append(s.List, token{use, raw, payload(raw)})
		}
	}
	slices.SortFunc(s.List, func(a, b token) int { return strings.Compare(b.Use, a.Use) })
	return s
}

// payload decodes a token of the pool.
func payload(token string) (claims map[string]any) {
	if parts := strings.Split(token, "."); len(parts) == 3 {
		text, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err == nil {
			decoder := json.NewDecoder(bytes.NewReader(text))
			decoder.UseNumber()
			_ = decoder.Decode(&claims) // the pool signs objects
		}
	}
	return claims
}

// Name is the token's in sentences.
func (t token) Name() string {
	return map[string]string{"id": "ID token", "access": "Access token"}[t.Use]
}

// Payload is the decoded token.
func (t token) Payload() string {
	text, err := json.Marshal(t.claims)
	if err != nil {
		return err.Error()
	}
	return indent(text)
}

// Namespace is the claim with Hasura's claims: the one that holds x-hasura-allowed-roles. It is empty if there is none.
func (t token) Namespace() string {
	for name := range t.claims {
		if t.hasura(name)["x-hasura-allowed-roles"] != nil {
			return name
		}
	}
	return ""
}

// hasura returns the members of a claim, which can be an object or a text that holds one.
func (t token) hasura(name string) (claims map[string]any) {
	text, isText := t.claims[name].(string)
	if !isText {
		encoded, err := json.Marshal(t.claims[name])
		if err != nil {
			return nil
		}
		text = string(encoded)
	}
	_ = json.Unmarshal([]byte(text), &claims) // another claim is not an object
	return claims
}

// A claim is one of Hasura's, with its value as JSON.
type claim struct{ Name, Value string }

// Hasura has what Hasura reads from the token, in the order of the names.
func (t token) Hasura() (list []claim) {
	claims := t.hasura(t.Namespace())
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		value, err := json.Marshal(claims[name])
		if err != nil {
			value = []byte(err.Error())
		}
		list = append(list, claim{name, string(value)})
	}
	return list
}

// Stringified reports whether the claims are JSON in a text: claims_format is stringified_json.
func (t token) Stringified() bool {
	_, isText := t.claims[t.Namespace()].(string)
	return isText
}

// Roles are the allowed roles, the default role first.
func (t token) Roles() (roles []string) {
	claims := t.hasura(t.Namespace())
	list, _ := claims["x-hasura-allowed-roles"].([]any)
	for _, role := range list {
		if role == claims["x-hasura-default-role"] {
			roles = slices.Insert(roles, 0, fmt.Sprint(role))
		} else {
			roles = append(roles, fmt.Sprint(role))
		}
	}
	return roles
}
