// Package claims makes Hasura's claims for a user or a machine: the allowed roles, the
// default role and the session variables. It is a function of the event and the settings.
//
// Only what an operator controls gives a role or a tenant: the groups of the user pool, and
// the attribute of ROLE_ATTRIBUTE through ROLES. No other attribute does, because users can
// write many of their own attributes. Client metadata only chooses among the tenants that
// the groups give.
package claims

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// BaseRole is the role that every user has. Machines do not have it.
const BaseRole = "user"

// The claims that Hasura itself reads, and those of tenants and machines. The names are in
// lower case: Hasura ignores case, but other engines that accept its tokens do not.
const (
	userID       = "x-hasura-user-id"
	allowedRoles = "x-hasura-allowed-roles"
	defaultRole  = "x-hasura-default-role"
	tenantID     = "x-hasura-tenant-id"
	tenantIDs    = "x-hasura-tenant-ids"
	clientID     = "x-hasura-client-id"
)

// SetResponse puts claims into the event's response, for the tokens that the event's trigger
// version allows. It returns how many bytes the claims have and how many roles. An event
// without a sub, or of a machine that has no roles, stays as it is: all results are zero.
func SetResponse(e *cognito.Event, s settings.Claims) (size, roles int) {
	claims := Of(e, s)
	if claims == nil {
		return 0, 0
	}
	value := encode(claims)
	if s.Format == settings.Stringified || !e.IsV2() {
		value = encode(string(value))
	}
	member := append(encode(s.Namespace), ':')
	member = append(member, value...)
	id := object(member)
	access := id
	if s.AccessTokenAudience && e.ClientID != "" {
		access = object(append([]byte(`"aud":`), encode(e.ClientID)...), member)
	}
	e.SetClaims(id, access)
	return len(value), len(claims[allowedRoles].([]string))
}

// Of returns Hasura's claims for the event, as an object, or nil if there are none. Hasura
// refuses a token whose default role is not an allowed role, and one that has an x-hasura-
// claim, other than the allowed roles, that is not a string. Neither occurs here.
func Of(e *cognito.Event, s settings.Claims) map[string]any {
	switch {
	case e.IsMachine():
		return ofMachine(e, s)
	case e.User.ID == "":
		return nil
	}
	groups := e.Groups()
	grants := make([]Grant, len(groups))
	for i := range groups {
		grants[i] = grantOf(groups[i:i+1:i+1], e.PoolID, s)
	}
	tenants := tenantsOf(e, s, grants)
	roles := rolesOf(e, s, grants, tenants.active)
	claims := map[string]any{
		userID:       idOf(e, s),
		allowedRoles: roles,
		defaultRole:  firstOf(s.DefaultRole, roles),
	}
	addVariables(claims, e, s)
	if s.Tenants != nil {
		claims[tenantIDs] = arrayLiteral(tenants.all)
		if tenants.active != "" {
			claims[tenantID] = tenants.active
		}
	}
	return claims
}

// ofMachine returns the claims of an app client that MACHINE_ROLES names.
func ofMachine(e *cognito.Event, s settings.Claims) map[string]any {
	var roles []string
	for _, role := range s.Machines[e.ClientID] {
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	if len(roles) == 0 {
		return nil
	}
	claims := map[string]any{clientID: e.ClientID, allowedRoles: roles, defaultRole: roles[0]}
	for name, v := range s.Variables {
		switch {
		case name == clientID: // is set already
		case v.Kind == settings.FromClientID:
			claims[name] = e.ClientID
		case v.Kind == settings.FromScopes:
			claims[name] = arrayLiteral(e.Scopes())
		}
	}
	return claims
}

// addVariables adds the session variables of a user. A variable without a value is left out:
// Hasura would compare "" with a uuid column and fail, while for a missing variable its
// error names the variable. An empty list is a value.
func addVariables(claims map[string]any, e *cognito.Event, s settings.Claims) {
	for name, v := range s.Variables {
		var value string
		switch v.Kind {
		case settings.FromAttribute:
			value = e.User.Attributes[v.Name]
		case settings.FromClientID:
			value = e.ClientID
		case settings.FromUsername:
			value = e.User.Username
		case settings.FromScopes:
			value = arrayLiteral(e.Scopes())
		case settings.FromGroups:
			value = arrayLiteral(withPrefix(e, v.Name))
		}
		if value != "" {
			claims[name] = value
		}
	}
}

// idOf returns the value of the attribute that USER_ID names, or the sub.
func idOf(e *cognito.Event, s settings.Claims) string {
	if id := e.User.Attributes[s.UserID]; id != "" {
		return id
	}
	return e.User.ID
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
