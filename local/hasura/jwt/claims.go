package jwt

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
)

const (
	allowedRoles = "x-hasura-allowed-roles"
	defaultRole  = "x-hasura-default-role"
	roleVariable = "x-hasura-role"
)

// A Session is what a token is worth: a role, and session variables by their
// lower-case names, x-hasura-role among them.
type Session struct {
	Role      string
	Variables map[string]string
}

// Claims judges the value of the claims namespace alone, as if it came in a
// token with a good signature. A requestedRole stands for the header
// x-hasura-role; "" asks for the default role.
func (c Config) Claims(value json.RawMessage, requestedRole string) (Session, error) {
	text := value
	if c.Format == FormatStringJSON {
		var s string
		if kind(value) != "String" || json.Unmarshal(value, &s) != nil {
			return Session{}, refuse(InvalidClaims, "expecting a string when claims_format is stringified_json")
		}
		text = json.RawMessage(s)
	}
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(text, &claims); err != nil || claims == nil {
		if c.Format == FormatStringJSON {
			return Session{}, refuse(InvalidClaims, "expecting stringified json at: '%s', but found: %s", c.place(), text)
		}
		return Session{}, refuse(InvalidClaims, "expecting a json object when claims_format is json")
	}
	return session(claims, requestedRole)
}

// session makes a session of claims by name. Names are compared ignoring case.
// Of two that are equal then, the one that sorts last wins here; in Hasura it
// is not defined which.
func session(claims map[string]json.RawMessage, requestedRole string) (Session, error) {
	hasura := map[string]json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if IsSessionVariable(name) {
			hasura[strings.ToLower(name)] = claims[name]
		}
	}

	allowed, err := allowedRolesOf(hasura)
	if err != nil {
		return Session{}, err
	}
	role, err := defaultRoleOf(hasura)
	if err != nil {
		return Session{}, err
	}
	if requestedRole != "" {
		role = requestedRole
	}
	if !slices.Contains(allowed, role) {
		return Session{}, refuse(AccessDenied, "Your requested role is not in allowed roles")
	}

	delete(hasura, allowedRoles)
	delete(hasura, defaultRole)
	s := Session{Role: role, Variables: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(hasura)) {
		text, err := parseText(hasura[name])
		if err != nil {
			return Session{}, refuse(InvalidClaims, "x-hasura-* claims: %v", err)
		}
		s.Variables[name] = text
	}
	s.Variables[roleVariable] = role
	return s, nil
}

func allowedRolesOf(claims map[string]json.RawMessage) ([]string, error) {
	value, ok := claims[allowedRoles]
	if !ok {
		return nil, refuse(MissingRoleClaims, "JWT claim does not contain %s", allowedRoles)
	}
	invalid := func(cause string) error {
		return refuse(InvalidClaims, "invalid %s; should be a list of roles: %s", allowedRoles, cause)
	}
	var list []json.RawMessage
	if kind(value) != "Array" || json.Unmarshal(value, &list) != nil {
		return nil, invalid("parsing [] failed, expected Array, but encountered " + kind(value))
	}
	roles := make([]string, len(list))
	for i, value := range list {
		role, err := parseRole(value)
		if err != nil {
			return nil, invalid(err.Error())
		}
		roles[i] = role
	}
	return roles, nil
}

func defaultRoleOf(claims map[string]json.RawMessage) (string, error) {
	value, ok := claims[defaultRole]
	if !ok {
		return "", refuse(MissingRoleClaims, "JWT claim does not contain %s", defaultRole)
	}
	role, err := parseRole(value)
	if err != nil {
		return "", refuse(InvalidClaims, "invalid %s; should be a single role name: %v", defaultRole, err)
	}
	return role, nil
}

func parseRole(value json.RawMessage) (string, error) {
	role, err := parseText(value)
	if err == nil && role == "" {
		return "", errors.New("empty string not allowed")
	}
	return role, err
}

// parseText says what Hasura's JSON library says of a value that is no string.
func parseText(value json.RawMessage) (string, error) {
	var text string
	if kind(value) != "String" || json.Unmarshal(value, &text) != nil {
		return "", errors.New("parsing Text failed, expected String, but encountered " + kind(value))
	}
	return text, nil
}

// kind is the type of a JSON value in the words of Hasura's JSON library.
func kind(value json.RawMessage) string {
	trimmed := strings.TrimLeft(string(value), " \t\r\n")
	if trimmed == "" {
		return "Null"
	}
	switch trimmed[0] {
	case '"':
		return "String"
	case '[':
		return "Array"
	case '{':
		return "Object"
	case 't', 'f':
		return "Boolean"
	case 'n':
		return "Null"
	}
	return "Number"
}
