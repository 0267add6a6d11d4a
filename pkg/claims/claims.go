// Package claims decides what Hasura is told about a person: the roles they may
// take, the one they take by default, and session variables.
//
// Only what an operator controls becomes a role: the groups of the user pool,
// directly or by [Config.Roles]. Attributes never do, because people can write
// many of their own, and client metadata is not read at all. An attribute becomes
// a session variable only where [Config.Variables] names it.
package claims

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

// BaseRole is the role that everyone has who signs in.
const BaseRole = "user"

// superuser is the role that Hasura exempts from every permission.
const superuser = "admin"

// The claims that Hasura reads itself. The keys are in lower case: Hasura folds
// case, other engines that accept its tokens do not.
const (
	userID       = "x-hasura-user-id"
	allowedRoles = "x-hasura-allowed-roles"
	defaultRole  = "x-hasura-default-role"
)

// Of returns the claims of the person an event is about: the value for
// [Config.Namespace], before any stringification. Hasura refuses a whole token
// whose default role is not among its allowed roles, or that has a claim of the
// x-hasura- family which is no string (the allowed roles apart), so neither occurs.
func (c Config) Of(e *cognito.Event) map[string]any {
	roles := c.roles(e)
	claims := map[string]any{
		userID:       e.User.ID,
		allowedRoles: roles,
		defaultRole:  c.preferred(roles),
	}
	for name, attribute := range c.Variables {
		// A variable without a value is left out: Hasura would compare "" with a
		// uuid column and fail the query, but says plainly which variable is missing.
		if value := e.User.Attributes[attribute]; value != "" {
			claims[name] = value
		}
	}
	return claims
}

// roles returns the base role and those that the person's groups give, in the
// order of the groups, each once.
func (c Config) roles(e *cognito.Event) []string {
	roles := []string{BaseRole}
	have := map[string]bool{BaseRole: true}
	add := func(role string) {
		if !have[role] {
			have[role] = true
			roles = append(roles, role)
		}
	}
	for _, group := range e.Groups() {
		if c.Roles == nil {
			if isRole(group) && !providersOwn(e.PoolID, group) {
				add(group)
			}
			continue
		}
		for _, role := range c.Roles[group] {
			add(role)
		}
	}
	return roles
}

// preferred returns the first of the preferred roles that the person has.
func (c Config) preferred(roles []string) string {
	for _, want := range c.DefaultRole {
		for _, role := range roles {
			if role == want {
				return role
			}
		}
	}
	return BaseRole
}

// isRole reports whether a group's name can serve as a role's without a mapping.
// The superuser's cannot in any spelling: a group of that name is common, and
// whoever made it may not have meant all of Hasura.
func isRole(name string) bool {
	return isName(name) && !strings.EqualFold(name, superuser)
}

// isName reports whether a name has only ASCII letters, digits, '_' and '-', and
// does not begin with a digit or '-'. Hasura takes any text; these are the names
// that read the same in a header, a URL and its metadata.
func isName(name string) bool {
	for i, c := range []byte(name) {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-'):
		default:
			return false
		}
	}
	return name != ""
}

// providersOwn reports whether a group is the one that Cognito makes for all
// people of an identity provider: <pool id>_<provider>.
func providersOwn(poolID, group string) bool {
	return poolID != "" && strings.HasPrefix(group, poolID+"_")
}

// Answer sets the event's response so that its tokens carry the claims. An event
// without a sub is a machine's (client credentials) and is left alone: Answer
// then reports false.
func (c Config) Answer(e *cognito.Event) bool {
	if e.User.ID == "" {
		return false
	}
	value := encode(c.Of(e))
	if c.Format == Stringified || !e.Complex() {
		value = encode(string(value))
	}
	claims := append(encode(c.Namespace), ':')
	claims = append(claims, value...)
	id := object(claims)
	access := id
	if c.AccessTokenAudience && e.ClientID != "" {
		access = object(append([]byte(`"aud":`), encode(e.ClientID)...), claims)
	}
	e.SetClaims(id, access)
	return true
}

// object makes a JSON object of its members. json.Marshal would check and copy the
// claims once more for each level that they are deep.
func object(members ...[]byte) json.RawMessage {
	return slices.Concat([]byte("{"), bytes.Join(members, []byte(",")), []byte("}"))
}

// encode marshals what cannot fail: text, lists and maps of it.
func encode(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("claims: " + err.Error())
	}
	return data
}
