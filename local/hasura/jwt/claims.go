package jwt

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An Error is Hasura's refusal of a token. Message is Hasura's text and can quote claims.
type Error struct {
	Code    string // extensions.code, such as jwt-invalid-claims
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// The codes.
const (
	InvalidHeaders    = "invalid-headers"
	InvalidJWT        = "invalid-jwt"
	InvalidClaims     = "jwt-invalid-claims"
	MissingRoleClaims = "jwt-missing-role-claims"
	AccessDenied      = "access-denied"
)

func refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

const (
	allowedRoles = "x-hasura-allowed-roles"
	defaultRole  = "x-hasura-default-role"
	roleVariable = "x-hasura-role"
)

// A Session is the role and the session variables that a token gives. The names of the
// variables are in lower case; x-hasura-role is one of them.
type Session struct {
	Role      string
	Variables map[string]string
}

// Claims judges the value of the claims namespace, as if it came in a token with a valid
// signature. The requested role is the header x-hasura-role; empty means the default role.
func (c Config) Claims(value json.RawMessage, requestedRole string) (Session, error) {
	decoded, err := decode(value)
	if err != nil {
		return Session{}, fmt.Errorf("decode the claims: %w", err)
	}
	return c.claims(decoded, requestedRole)
}

func (c Config) claims(value any, requestedRole string) (Session, error) {
	claims, err := c.object(value)
	if err != nil {
		return Session{}, err
	}
	return session(claims, requestedRole)
}

// object returns the claims in the namespace's value, by the claims format.
func (c Config) object(value any) (map[string]any, error) {
	if c.Format != FormatStringJSON {
		claims, ok := value.(map[string]any)
		if !ok {
			return nil, refuse(InvalidClaims, "expecting a json object when claims_format is json")
		}
		return claims, nil
	}
	text, ok := value.(string)
	if !ok {
		return nil, refuse(InvalidClaims, "expecting a string when claims_format is stringified_json")
	}
	decoded, err := decode([]byte(text))
	claims, ok := decoded.(map[string]any)
	if err != nil || !ok {
		return nil, refuse(InvalidClaims, "expecting stringified json at: '%s', but found: %s", c.place(), text)
	}
	return claims, nil
}

// session makes a session of claims. Names are compared in lower case. If two are equal
// then, the last one in sort order wins; Hasura does not define which one wins.
func session(claims map[string]any, requestedRole string) (Session, error) {
	hasura := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if IsSessionVariable(name) {
			hasura[strings.ToLower(name)] = claims[name]
		}
	}
	allowed, err := rolesOf(hasura)
	if err != nil {
		return Session{}, err
	}
	value, ok := hasura[defaultRole]
	if !ok {
		return Session{}, refuse(MissingRoleClaims, "JWT claim does not contain %s", defaultRole)
	}
	role, err := roleOf(value)
	if err != nil {
		return Session{}, refuse(InvalidClaims, "invalid %s; should be a single role name: %v", defaultRole, err)
	}
	if requestedRole != "" {
		role = requestedRole
	}
	if !slices.Contains(allowed, role) {
		return Session{}, refuse(AccessDenied, "Your requested role is not in allowed roles")
	}
	for _, name := range []string{allowedRoles, defaultRole, "x-hasura-admin-secret", "x-hasura-access-key"} {
		delete(hasura, name)
	}
	s := Session{Role: role, Variables: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(hasura)) {
		text, ok := hasura[name].(string)
		if !ok {
			return Session{}, refuse(InvalidClaims, "x-hasura-* claims: parsing Text failed, expected String, but encountered %s", kind(hasura[name]))
		}
		s.Variables[name] = text
	}
	s.Variables[roleVariable] = role
	return s, nil
}

func rolesOf(claims map[string]any) (roles []string, err error) {
	value, ok := claims[allowedRoles]
	if !ok {
		return nil, refuse(MissingRoleClaims, "JWT claim does not contain %s", allowedRoles)
	}
	const invalid = "invalid " + allowedRoles + "; should be a list of roles: %v"
	list, ok := value.([]any)
	if !ok {
		return nil, refuse(InvalidClaims, invalid, "parsing [] failed, expected Array, but encountered "+kind(value))
	}
	for _, value := range list {
		role, err := roleOf(value)
		if err != nil {
			return nil, refuse(InvalidClaims, invalid, err)
		}
		roles = append(roles, role)
	}
	return roles, nil
}

func roleOf(value any) (string, error) {
	role, ok := value.(string)
	switch {
	case !ok:
		return "", errors.New("parsing String failed, expected String, but encountered " + kind(value))
	case role == "":
		return "", errors.New("empty string not allowed")
	}
	return role, nil
}

// kind names the type of a JSON value as Hasura's JSON library does.
func kind(value any) string {
	switch value.(type) {
	case nil:
		return "Null"
	case bool:
		return "Boolean"
	case string:
		return "String"
	case []any:
		return "Array"
	case map[string]any:
		return "Object"
	}
	return "Number"
}

// find returns the value of the claims namespace.
func (c Config) find(claims map[string]any) (any, error) {
	if c.NamespacePath != "" {
		path, err := parsePath(c.NamespacePath)
		if err != nil {
			return nil, fmt.Errorf("claims_namespace_path: %w", err)
		}
		if value, ok := path.in(claims); ok {
			return value, nil
		}
		return nil, refuse(InvalidClaims, "claims not found at claims_namespace_path: '%v'", path)
	}
	if value, ok := claims[c.namespace()]; ok {
		return value, nil
	}
	return nil, refuse(InvalidClaims, "claims key: '%s' not found", c.namespace())
}

// mapped makes the claims that claims_map describes. Its paths also reach the registered
// claims, such as sub.
func (c Config) mapped(payload map[string]any) (map[string]any, error) {
	mapped := map[string]any{}
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(c.Map)), isRoles)
	for _, name := range append([]string{allowedRoles, defaultRole}, others...) {
		value := c.Map[name]
		if from, ok := value.(map[string]any); ok {
			text, _ := from["path"].(string)
			path, err := parsePath(text)
			if err != nil {
				return nil, fmt.Errorf("claims_map: %s: %w", name, err)
			}
			if value, ok = path.in(payload); !ok {
				value = from["default"]
				ok = value != nil
			}
			if !ok && isRoles(name) {
				return nil, refuse(MissingRoleClaims, "JWT claim does not contain %s", name)
			}
			if !ok {
				return nil, refuse(InvalidClaims, "JWT claim from claims_map, %s not found", name)
			}
			if _, err := rolesOf(map[string]any{name: value}); name == allowedRoles && err != nil {
				return nil, err
			}
			if _, err := roleOf(value); name == defaultRole && err != nil {
				return nil, refuse(InvalidClaims, "invalid %s; should be a role: %v", name, err)
			}
		}
		mapped[name] = value
	}
	return mapped, nil
}

// isRoles reports whether a claim of the map has roles, not a session variable.
func isRoles(name string) bool { return name == allowedRoles || name == defaultRole }
