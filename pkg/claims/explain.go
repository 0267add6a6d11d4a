package claims

import (
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// WhyNoRole says why the group of a pool gives no role, for operators. It is "" if the group
// gives one. ambiguous reports a name that TENANT_GROUPS can split in more than one way.
func WhyNoRole(group, poolID string, s settings.Claims) (why string, ambiguous bool) {
	if len(GrantOf(group, poolID, s).Roles) > 0 {
		return "", false
	}
	name := group
	if isProviderGroup(poolID, group) {
		return "Cognito made the group for an identity provider", false
	}
	if s.Tenants != nil {
		tenant, role, ok := s.Tenants.Match(group)
		switch {
		case ok && tenant == "":
			return "the name can be split into a tenant and a role in more than one way", true
		case ok && role == "":
			return "TENANT_GROUPS has no role", false
		case ok:
			name = role
		}
	}
	switch {
	case s.Groups.Explicit != nil && !s.Groups.Wide:
		return "ROLES does not name " + name, false
	case strings.EqualFold(name, adminRole):
		return "only an entry of ROLES gives the role admin", false
	}
	return name + " cannot be a role without an entry of ROLES", false
}
