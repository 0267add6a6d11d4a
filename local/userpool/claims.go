package userpool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Tokens has the claims of the tokens of a sign-in or a refresh.
type Tokens struct {
	ID     Claims // nil for a machine
	Access Claims
}

// Claims is a token's payload.
type Claims map[string]any

// lifetime of both tokens is the default of an app client.
const lifetime = time.Hour

// Tokens returns the claims that the pool signs: its own ones, changed by what the trigger
// returned as far as the rules allow. It does not check the event's userPoolId. The error is
// an [*Error].
func (p *Pool) Tokens(sent, returned []byte, at time.Time) (Tokens, error) {
	e := readEvent(sent)
	changes, err := e.changes(returned)
	if err != nil {
		return Tokens{}, err
	}
	member, err := e.groups.override(changes.Groups)
	if err != nil {
		return Tokens{}, err
	}
	common := Claims{
		"iss":        p.Issuer,
		"sub":        e.attributes["sub"],
		"origin_jti": uuid.NewString(),
		"event_id":   uuid.NewString(),
		"auth_time":  at.Unix(),
		"iat":        at.Unix(),
		"exp":        at.Add(lifetime).Unix(),
	}
	access := maps.Clone(common)
	maps.Copy(access, Claims{"token_use": "access", "jti": uuid.NewString(), "client_id": e.clientID, "version": 2, "scope": e.scope(changes.Access)})
	if e.machine() {
		access["sub"] = e.clientID
		changes.Access.apply(access, e.maySetAccess)
		return Tokens{Access: access}, nil
	}
	access["username"] = e.username
	id := maps.Clone(common)
	maps.Copy(id, Claims{"token_use": "id", "jti": uuid.NewString(), "aud": e.clientID, "cognito:username": e.username})
	for name, value := range e.attributes {
		switch {
		case strings.HasPrefix(name, "cognito:"):
		case name == "email_verified" || name == "phone_number_verified":
			id[name] = value == "true"
		case name == "identities" && json.Valid([]byte(value)):
			id[name] = json.RawMessage(value)
		default:
			id[name] = value
		}
	}
	if len(member.Names) > 0 {
		id["cognito:groups"], access["cognito:groups"] = member.Names, member.Names
	}
	if len(member.Roles) > 0 {
		id["cognito:roles"] = member.Roles
	}
	if member.PreferredRole != "" {
		id["cognito:preferred_role"] = member.PreferredRole
	}
	changes.ID.apply(id, maySetID)
	changes.Access.apply(access, e.maySetAccess)
	return Tokens{ID: id, Access: access}, nil
}

// scope is that of the access token. V1_0 events do not contain it; a sign-in through the
// API has this one.
func (e event) scope(c change) string {
	scopes := slices.Clone(e.scopes)
	if scopes == nil {
		scopes = []string{"aws.cognito.signin.user.admin"}
	}
	scopes = append(scopes, c.ScopesAdd...)
	scopes = slices.DeleteFunc(scopes, func(s string) bool { return slices.Contains(c.ScopesSuppress, s) })
	return strings.Join(scopes, " ")
}

// apply sets and suppresses claims. A claim that is both set and suppressed is suppressed.
func (c change) apply(claims Claims, maySet func(name string, value any) bool) {
	for name, raw := range c.Set {
		// A claim cannot be null.
		if value := parse(raw); value != nil && maySet(name, value) {
			claims[name] = value
		}
	}
	for _, name := range c.Suppress {
		switch {
		case name == "cognito:groups":
			delete(claims, "cognito:roles")
			delete(claims, "cognito:preferred_role")
			delete(claims, name)
		case !reserved(name) && name != "scope":
			delete(claims, name)
		}
	}
}

func maySetID(name string, value any) bool {
	switch name {
	case "phone_number_verified", "email_verified", "updated_at", "address":
		// These four accept no "complex objects".
		_, object := value.(map[string]any)
		_, list := value.([]any)
		return !object && !list
	}
	return maySet(name)
}

func (e event) maySetAccess(name string, value any) bool {
	if name == "aud" {
		return value == e.clientID
	}
	return maySet(name)
}

func maySet(name string) bool {
	return !reserved(name) && name != "scope" && !strings.HasPrefix(name, "dev:")
}

// reserved reports whether a trigger cannot change a claim, by the guide's table of claims.
func reserved(name string) bool {
	switch name {
	case "acr", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat", "identities",
		"iss", "jti", "nbf", "nonce", "origin_jti", "sub", "token_use", "username", "version":
		return true
	}
	return strings.HasPrefix(name, "cognito:")
}

// parse decodes valid JSON. Numbers keep their digits.
func parse(raw json.RawMessage) (value any) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		panic(fmt.Sprintf("valid JSON cannot be decoded: %v", err))
	}
	return value
}
