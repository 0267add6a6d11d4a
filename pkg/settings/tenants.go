package settings

import "strings"

// A TenantPattern is the form of the groups that put a user into a tenant, such as
// {tenant}:{role}.
type TenantPattern struct {
	before, between, after string // the text around the placeholders
	order                  [2]string
	hasRole                bool
}

const tenantPlace, rolePlace = "{tenant}", "{role}"

func parseTenantGroups(text string) (*TenantPattern, error) {
	if strings.Count(text, tenantPlace) != 1 || strings.Count(text, rolePlace) > 1 {
		return nil, TenantGroups.fault("it needs {tenant} once, and {role} at most once.")
	}
	p := &TenantPattern{hasRole: strings.Contains(text, rolePlace), order: [2]string{tenantPlace, rolePlace}}
	if p.hasRole && strings.Index(text, rolePlace) < strings.Index(text, tenantPlace) {
		p.order = [2]string{rolePlace, tenantPlace}
	}
	before, rest, _ := strings.Cut(text, p.order[0])
	p.before, p.after = before, rest
	if p.hasRole {
		p.between, p.after, _ = strings.Cut(rest, p.order[1])
		if p.between == "" {
			return nil, TenantGroups.fault("it needs a text between {tenant} and {role}.")
		}
	}
	if strings.ContainsAny(p.before+p.between+p.after, "{}") || strings.ContainsFunc(text, isControl) || strings.Contains(text, " ") {
		return nil, TenantGroups.fault("it has another placeholder, a space or a control character.")
	}
	return p, nil
}

// Match splits the name of a group. ok is false if the name does not have the form. If it
// can be split in more than one way, tenant is "" and ok is true: such a group gives neither
// a tenant nor a role.
func (p *TenantPattern) Match(group string) (tenant, role string, ok bool) {
	inner, ok := strings.CutPrefix(group, p.before)
	if !ok {
		return "", "", false
	}
	if inner, ok = strings.CutSuffix(inner, p.after); !ok || inner == "" {
		return "", "", false
	}
	if !p.hasRole {
		return inner, "", true
	}
	found := 0
	var first, second string
	for i := 1; i+len(p.between) < len(inner); i++ {
		if strings.HasPrefix(inner[i:], p.between) {
			found++
			first, second = inner[:i], inner[i+len(p.between):]
		}
	}
	switch {
	case found == 0:
		return "", "", false
	case found > 1:
		return "", "", true
	case p.order[0] == rolePlace:
		return second, first, true
	}
	return first, second, true
}
