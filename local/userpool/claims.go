package userpool

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tokens is the claims of what one sign-in or refresh yields.
type Tokens struct {
	ID     Claims // nil for a machine
	Access Claims
}

// Claims is a token's payload.
type Claims map[string]any

// lifetime of both tokens: the default of an app client.
const lifetime = time.Hour

// Tokens builds the claims that the pool signs: its own, changed as the trigger's answer
// to the event says and as far as the rules allow. The event is taken for one of this
// pool, whatever pool it names. The error is an [*Error].
func (p *Pool) Tokens(sent, answer []byte, at time.Time) (Tokens, error) {
	e := readEvent(sent)
	c, err := readChanges(e, answer)
	if err != nil {
		return Tokens{}, err
	}
	member, err := e.groups.override(c.groups)
	if err != nil {
		return Tokens{}, err
	}

	both := p.base(e, at)
	access := accessClaims(e, both)
	access["scope"] = scope(e, c.access)
	if e.machine() {
		c.access.apply(access, e, setAccess)
		return Tokens{Access: access}, nil
	}
	id := idClaims(e, both)
	if len(member.Names) > 0 {
		id["cognito:groups"], access["cognito:groups"] = member.Names, member.Names
	}
	if len(member.Roles) > 0 {
		id["cognito:roles"] = member.Roles
	}
	if member.PreferredRole != "" {
		id["cognito:preferred_role"] = member.PreferredRole
	}
	c.id.apply(id, e, setID)
	c.access.apply(access, e, setAccess)
	return Tokens{ID: id, Access: access}, nil
}

// base is what both tokens have in common.
func (p *Pool) base(e event, at time.Time) Claims {
	return Claims{
		"iss":        p.Issuer,
		"sub":        e.attributes["sub"],
		"origin_jti": uuid(),
		"event_id":   uuid(),
		"auth_time":  at.Unix(),
		"iat":        at.Unix(),
		"exp":        at.Add(lifetime).Unix(),
	}
}

func idClaims(e event, both Claims) Claims {
	c := both.with(Claims{
		"token_use":        "id",
		"jti":              uuid(),
		"aud":              e.clientID,
		"cognito:username": e.username,
	})
	for name, value := range e.attributes {
		switch {
		case strings.HasPrefix(name, "cognito:") || name == "sub":
		case name == "email_verified" || name == "phone_number_verified":
			c[name] = value == "true"
		case name == "identities" && json.Valid([]byte(value)):
			c[name] = json.RawMessage(value)
		default:
			c[name] = value
		}
	}
	return c
}

func accessClaims(e event, both Claims) Claims {
	c := both.with(Claims{
		"token_use": "access",
		"jti":       uuid(),
		"client_id": e.clientID,
		"version":   2,
	})
	if e.machine() {
		c["sub"] = e.clientID
	} else {
		c["username"] = e.username
	}
	return c
}

func (c Claims) with(more Claims) Claims {
	all := make(Claims, len(c)+len(more))
	for _, claims := range []Claims{c, more} {
		for name, value := range claims {
			all[name] = value
		}
	}
	return all
}

// scope is the access token's. V1_0 events do not tell; a sign-in through the API has
// this one.
func scope(e event, t token) string {
	scopes := slices.Clone(e.scopes)
	if scopes == nil {
		scopes = []string{"aws.cognito.signin.user.admin"}
	}
	scopes = append(scopes, t.ScopesAdd...)
	scopes = slices.DeleteFunc(scopes, func(s string) bool { return slices.Contains(t.ScopesSuppress, s) })
	return strings.Join(scopes, " ")
}

// apply sets and suppresses claims. A claim that is both set and suppressed is suppressed.
func (t token) apply(c Claims, e event, may func(name string, value json.RawMessage, e event) bool) {
	for name, value := range t.Set {
		// Null is none of the types that a claim can have.
		if string(value) != "null" && may(name, value, e) {
			c[name] = parsed(value)
		}
	}
	for _, name := range t.Suppress {
		if name == "cognito:groups" {
			delete(c, "cognito:roles")
			delete(c, "cognito:preferred_role")
		} else if reserved(name) || name == "scope" {
			continue
		}
		delete(c, name)
	}
}

func setID(name string, value json.RawMessage, _ event) bool {
	switch name {
	case "phone_number_verified", "email_verified", "updated_at", "address":
		// The four that take no "complex objects".
		return !strings.ContainsRune("{[", rune(value[0]))
	}
	return settable(name)
}

func setAccess(name string, value json.RawMessage, e event) bool {
	if name == "aud" {
		return parsed(value) == e.clientID
	}
	return settable(name)
}

func settable(name string) bool {
	return !reserved(name) && name != "scope" && !strings.HasPrefix(name, "dev:")
}

// reserved are the claims that no answer can touch: the guide's table of what a
// trigger may add, override and suppress.
func reserved(name string) bool {
	switch name {
	case "acr", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat", "identities",
		"iss", "jti", "nbf", "nonce", "origin_jti", "sub", "token_use", "username", "version":
		return true
	}
	return strings.HasPrefix(name, "cognito:")
}

// parsed keeps the digits of numbers.
func parsed(raw json.RawMessage) any {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		panic(fmt.Sprintf("a value of valid JSON is not valid: %v", err))
	}
	return v
}

func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
