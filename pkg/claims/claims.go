// Package claims makes Hasura's claims for a user: the allowed roles, the default role
// and the session variables.
//
// Only what an operator controls gives a role: the groups of the user pool, directly or
// through ROLES. Attributes never give a role, because users can write many of their own
// attributes. Client metadata is not read. An attribute becomes a session variable only
// where SESSION_VARIABLES names it.
package claims

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// BaseRole is the role that every user has.
const BaseRole = "user"

// adminRole is the role that Hasura exempts from every permission.
const adminRole = "admin"

// The claims that Hasura itself reads. The names are in lower case: Hasura ignores case,
// but other engines that accept its tokens do not.
const (
	userID       = "x-hasura-user-id"
	allowedRoles = "x-hasura-allowed-roles"
	defaultRole  = "x-hasura-default-role"
)

// SetResponse puts the user's claims into the event's response, for the tokens that the
// event's trigger version allows. An event without a sub is about a machine (client
// credentials): its response stays as it is, and SetResponse returns false.
func SetResponse(e *cognito.Event, s settings.Claims) bool {
	if e.User.ID == "" {
		return false
	}
	value := encode(Of(e, s))
	if s.Format == settings.Stringified || !e.IsV2() {
		value = encode(string(value))
	}
	claims := append(encode(s.Namespace), ':')
	claims = append(claims, value...)
	id := object(claims)
	access := id
	if s.AccessTokenAudience && e.ClientID != "" {
		access = object(append([]byte(`"aud":`), encode(e.ClientID)...), claims)
	}
	e.SetClaims(id, access)
	return true
}

// Of returns Hasura's claims for the event's user, as an object. Hasura refuses a token
// whose default role is not an allowed role, and one that has an x-hasura- claim, other
// than the allowed roles, that is not a string. Neither occurs here.
func Of(e *cognito.Event, s settings.Claims) map[string]any {
	roles := rolesOf(e, s)
	claims := map[string]any{
		userID:       idOf(e, s),
		allowedRoles: roles,
		defaultRole:  firstOf(s.DefaultRole, roles),
	}
	for name, attribute := range s.Variables {
		// A variable without a value is left out. Hasura would compare "" with a uuid
		// column and fail; for a missing variable its error names the variable.
		if value := e.User.Attributes[attribute]; value != "" {
			claims[name] = value
		}
	}
	return claims
}

// idOf returns the value of the attribute that USER_ID names, or the sub.
func idOf(e *cognito.Event, s settings.Claims) string {
	if id := e.User.Attributes[s.UserID]; id != "" {
		return id
	}
	return e.User.ID
}

// rolesOf returns the base role and the roles that the user's groups give, in the order of
// the groups, each once.
func rolesOf(e *cognito.Event, s settings.Claims) []string {
	roles := []string{BaseRole}
	have := map[string]bool{BaseRole: true}
	add := func(role string) {
		if !have[role] {
			have[role] = true
			roles = append(roles, role)
		}
	}
	for _, group := range e.Groups() {
		switch {
		case s.Roles != nil:
			for _, role := range s.Roles[group] {
				add(role)
			}
		case isRole(group) && !isProviderGroup(e.PoolID, group):
			add(group)
		}
	}
	return roles
}

// firstOf returns the first of the wanted roles that the user has, or the base role.
func firstOf(wanted, roles []string) string {
	for _, role := range wanted {
		if slices.Contains(roles, role) {
			return role
		}
	}
	return BaseRole
}

// isRole reports whether a group gives the role of its name when ROLES is not set: the
// name has only ASCII letters, digits, '_' and '-', and does not begin with a digit or
// '-'. Such a name needs no quoting in a header, in a URL or in metadata. A group named
// admin gives no role, in any spelling: such a group is common, and its creator may not
// have meant all of Hasura.
func isRole(name string) bool {
	for i, c := range []byte(name) {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-'):
		default:
			return false
		}
	}
	return name != "" && !strings.EqualFold(name, adminRole)
}

// isProviderGroup reports whether Cognito itself made the group, for all users of an
// identity provider. Its name is <pool id>_<provider>.
func isProviderGroup(poolID, group string) bool {
	return poolID != "" && strings.HasPrefix(group, poolID+"_")
}

// object makes a JSON object of encoded members. json.Marshal would check and copy the
// claims again at each level of nesting.
func object(members ...[]byte) json.RawMessage {
	return slices.Concat([]byte("{"), bytes.Join(members, []byte(",")), []byte("}"))
}

// encode marshals text, lists and maps of text, for which json.Marshal has no error.
func encode(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic("claims: " + err.Error())
	}
	return data
}
