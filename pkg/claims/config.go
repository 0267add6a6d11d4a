package claims

import (
	"errors"
	"fmt"
	"strings"
)

// A Format is how the claims stand under their namespace in the token; Hasura's
// JWT configuration has to name the same one as claims_format.
type Format string

const (
	// Stringified is JSON inside a string. It is the only form that a V1_0 trigger
	// can give, and so the only one that works for every pool.
	Stringified Format = "stringified_json"
	// JSON is an object. An event of V1_0 gets a string all the same.
	JSON Format = "json"
)

// A Config says how people become claims. Its defaults are [FromEnv]'s for an
// empty environment; the zero value lacks a Namespace.
type Config struct {
	// Namespace is the claim that holds Hasura's, as claims_namespace in Hasura.
	Namespace string
	Format    Format
	// Roles maps groups to the roles they give. nil means that a group gives the
	// role of its own name, if that is one; otherwise only these groups count.
	Roles map[string][]string
	// DefaultRole is an order of preference. A person gets the first that they
	// have, and the base role if they have none of them.
	DefaultRole []string
	// Variables maps session variables, in lower case, to the attributes that fill them.
	Variables map[string]string
	// AccessTokenAudience adds the app client's ID to access tokens as aud, which
	// Cognito leaves out; without it Hasura does not check their audience at all.
	AccessTokenAudience bool
}

const defaultNamespace = "https://hasura.io/jwt/claims"

// FromEnv reads a Config from the environment variables
//
//	CLAIMS_NAMESPACE       the claim; by default https://hasura.io/jwt/claims
//	CLAIMS_FORMAT          stringified_json (default) or json
//	ROLES                  group=role,group=role: only these groups give roles
//	DEFAULT_ROLE           editor,user: the first of these that the person has
//	SESSION_VARIABLES      x-hasura-org-id=custom:org_id,…
//	ACCESS_TOKEN_AUDIENCE  client_id, to add aud to access tokens
//
// An empty variable is as good as none. The error tells every fault there is.
func FromEnv(getenv func(string) string) (Config, error) {
	c := Config{Namespace: defaultNamespace, Format: Stringified}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if namespace := getenv("CLAIMS_NAMESPACE"); namespace != "" {
		c.Namespace = namespace
		if strings.TrimSpace(namespace) != namespace || isReserved(namespace) {
			fault("CLAIMS_NAMESPACE %q is not the name of a claim of your own, such as %s", namespace, defaultNamespace)
		}
	}
	switch format := Format(getenv("CLAIMS_FORMAT")); format {
	case "":
	case Stringified, JSON:
		c.Format = format
	default:
		fault("CLAIMS_FORMAT %q is neither %s nor %s", format, Stringified, JSON)
	}
	for _, item := range list(getenv("ROLES")) {
		group, role, ok := cutLast(item)
		switch {
		case !ok:
			fault("ROLES has %q where group=role is wanted", item)
		case !isName(role):
			fault("ROLES has %q: a role's name has letters, digits, _ and -", item)
		default:
			if c.Roles == nil {
				c.Roles = make(map[string][]string)
			}
			c.Roles[group] = append(c.Roles[group], role)
		}
	}
	for _, role := range list(getenv("DEFAULT_ROLE")) {
		if !isName(role) {
			fault("DEFAULT_ROLE has %q: a role's name has letters, digits, _ and -", role)
		}
		c.DefaultRole = append(c.DefaultRole, role)
	}
	for _, item := range list(getenv("SESSION_VARIABLES")) {
		name, attribute, ok := strings.Cut(item, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		attribute = strings.TrimSpace(attribute)
		switch _, twice := c.Variables[name]; {
		case !ok || attribute == "" || !isVariable(name):
			fault("SESSION_VARIABLES has %q where x-hasura-name=attribute is wanted", item)
		case reservedVariables[name]:
			fault("SESSION_VARIABLES has %q: %s is not for an attribute to set", item, name)
		case twice:
			fault("SESSION_VARIABLES has %s twice", name)
		default:
			if c.Variables == nil {
				c.Variables = make(map[string]string)
			}
			c.Variables[name] = attribute
		}
	}
	switch audience := getenv("ACCESS_TOKEN_AUDIENCE"); audience {
	case "":
	case "client_id":
		c.AccessTokenAudience = true
	default:
		fault("ACCESS_TOKEN_AUDIENCE %q is not client_id, the only audience that Cognito accepts", audience)
	}
	return c, errors.Join(faults...)
}

// reservedVariables mean something to Hasura itself.
var reservedVariables = map[string]bool{
	userID: true, allowedRoles: true, defaultRole: true, "x-hasura-role": true,
	"x-hasura-admin-secret": true, "x-hasura-access-key": true, "x-hasura-use-backend-only-permissions": true,
}

// isVariable reports whether Hasura takes a lower-case name for a session variable's.
func isVariable(name string) bool {
	rest, ok := strings.CutPrefix(name, "x-hasura-")
	return ok && rest != "" && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// isReserved reports whether Cognito ignores attempts to set a claim ("Pre token
// generation Lambda trigger", the table of claims that can be changed): the
// person's tokens would lack Hasura's claims without an error anywhere.
func isReserved(claim string) bool {
	switch claim {
	case "acr", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat",
		"identities", "iss", "jti", "nbf", "nonce", "origin_jti", "scope", "sub", "token_use", "username", "version":
		return true
	}
	return strings.HasPrefix(claim, "cognito:") || strings.HasPrefix(claim, "dev:")
}

// list splits text at commas, without the blanks around and without empty items.
func list(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// cutLast splits at the last '=': a group's name may have one, a role's may not.
func cutLast(item string) (group, role string, ok bool) {
	i := strings.LastIndexByte(item, '=')
	if i < 0 {
		return "", "", false
	}
	group, role = strings.TrimSpace(item[:i]), strings.TrimSpace(item[i+1:])
	return group, role, group != "" && role != ""
}
