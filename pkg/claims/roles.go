package claims

import (
	"encoding/json"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// adminRole is the role that Hasura exempts from every permission.
const adminRole = "admin"

// A Grant is what a group gives to its users.
type Grant struct {
	Tenant string // "" means that the group puts users into no tenant
	Roles  []string
}

// GrantOf returns what a group of a pool gives. With a tenant, the roles count only while
// that tenant is active.
func GrantOf(group, poolID string, s settings.Claims) Grant {
	return grantOf([]string{group}, poolID, s)
}

// grantOf is GrantOf of a list of one group, which can be the list of roles too.
func grantOf(list []string, poolID string, s settings.Claims) Grant {
	group := list[0]
	if isProviderGroup(poolID, group) {
		return Grant{Roles: s.Groups.Explicit[group]}
	}
	if s.Tenants != nil {
		if tenant, role, ok := s.Tenants.Match(group); ok {
			return Grant{tenant, given([]string{role}, s.Groups)}
		}
	}
	return Grant{Roles: given(list, s.Groups)}
}

// rolesOf returns the base role and the roles that the user's groups give, in the order of
// the groups, each once. Groups of a tenant give the roles of the active tenant alone.
func rolesOf(e *cognito.Event, s settings.Claims, grants []Grant, active string) []string {
	roles := append(make([]string, 0, 1+len(grants)), BaseRole)
	have := make(map[string]bool, cap(roles))
	have[BaseRole] = true
	add := func(names ...string) {
		for _, role := range names {
			if !have[role] {
				have[role] = true
				roles = append(roles, role)
			}
		}
	}
	for _, grant := range grants {
		if grant.Tenant == "" || grant.Tenant == active {
			add(grant.Roles...)
		}
	}
	if s.RoleAttribute != "" {
		for _, name := range attributeList(e.User.Attributes[s.RoleAttribute]) {
			add(s.Groups.Explicit[name]...)
		}
	}
	return roles
}

// given returns the roles that a group gives: those that ROLES names for it, else the role
// of its name, if it can be one. The list has one group; it can be the result.
func given(list []string, g settings.GroupRoles) []string {
	name := list[0]
	if roles, ok := g.Explicit[name]; ok {
		return roles
	}
	if g.Explicit == nil && isRole(name, "") || g.Wide && isRole(name, ".:/@+") {
		return list
	}
	return nil
}

// isRole reports whether a group can give the role of the same name: the name has only ASCII
// letters, digits, '_', '-' and the further characters, and begins with a letter or '_'. A
// group named admin gives no role, in any spelling: such a group is common, and its creator
// may not have meant all of Hasura.
func isRole(name, further string) bool {
	for i, c := range []byte(name) {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || strings.IndexByte(further, c) >= 0):
		default:
			return false
		}
	}
	return name != "" && !strings.EqualFold(name, adminRole) && !strings.HasPrefix(strings.ToLower(name), "x-hasura-")
}

// isProviderGroup reports whether Cognito itself made the group, for all users of an
// identity provider. Its name is <pool id>_<provider>.
func isProviderGroup(poolID, group string) bool {
	return poolID != "" && strings.HasPrefix(group, poolID+"_")
}

// withPrefix returns the rest of the names of the groups that begin with prefix, each once,
// in the order of the groups. The groups that Cognito makes for identity providers count
// only if the prefix says so.
func withPrefix(e *cognito.Event, prefix string) []string {
	var rest []string
	var have map[string]bool // nil until there is one
	for _, group := range e.Groups() {
		name, ok := strings.CutPrefix(group, prefix)
		if !ok || name == "" || have[name] || isProviderGroup(e.PoolID, group) && !isProviderGroup(e.PoolID, prefix) {
			continue
		}
		if have == nil {
			have = make(map[string]bool)
		}
		have[name] = true
		rest = append(rest, name)
	}
	return rest
}

// attributeList reads a list out of an attribute: a JSON list, a list in brackets as Cognito
// writes the lists of SAML providers ([a, b]), or one separated by commas.
func attributeList(text string) []string {
	var list []string
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if json.Unmarshal([]byte(text), &list) == nil {
			return list
		}
		list, text = nil, strings.TrimSuffix(inner, "]")
	}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
