package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// claims are the claims that Hasura must find in the tokens of this event; nil means none.
func (e event) claims(c choice) map[string]any {
	if e.machine() {
		roles := unique(c.explicit("MACHINE_ROLES", e.CallerContext.ClientID))
		if len(roles) == 0 {
			return nil
		}
		claims := map[string]any{"x-hasura-client-id": e.CallerContext.ClientID, "x-hasura-allowed-roles": roles, "x-hasura-default-role": roles[0]}
		e.addVariables(claims, c, "client_id", "scopes")
		return claims
	}
	if e.attribute("sub") == "" {
		return nil
	}
	tenants, active := e.tenants(c)
	roles := e.roles(c, active)
	claims := map[string]any{"x-hasura-user-id": e.userID(c), "x-hasura-allowed-roles": roles, "x-hasura-default-role": "user"}
	for _, role := range slices.Backward(entries(c["DEFAULT_ROLE"])) {
		if slices.Contains(roles, role) {
			claims["x-hasura-default-role"] = role
		}
	}
	e.addVariables(claims, c)
	if c["TENANT_GROUPS"] != "" {
		claims["x-hasura-tenant-ids"] = arrayLiteral(tenants)
		if active != "" {
			claims["x-hasura-tenant-id"] = active
		}
	}
	return claims
}

func (e event) machine() bool { return e.TriggerSource == "TokenGeneration_ClientCredentials" }

// userID is the user's id in the application.
func (e event) userID(c choice) string { return cmp.Or(e.attribute(c["USER_ID"]), e.attribute("sub")) }

func (e event) groups() []string {
	return slices.DeleteFunc(slices.Clone(e.Request.GroupConfiguration.GroupsToOverride), func(group string) bool { return group == "" })
}

// providers reports whether Cognito made the group for the users of an identity provider.
func (e event) providers(group string) bool { return strings.HasPrefix(group, e.UserPoolID+"_") }

// roles are the role user and those of the groups. Groups of the form of TENANT_GROUPS give the roles of the active tenant.
func (e event) roles(c choice, active string) []string {
	roles := []string{"user"}
	for _, group := range e.groups() {
		switch tenant, role, form := c.tenant(group); {
		case e.providers(group):
			roles = append(roles, c.explicit("ROLES", group)...)
		case !form:
			roles = append(roles, c.given(group)...)
		case tenant != "" && tenant == active && role != "":
			roles = append(roles, c.given(role)...)
		}
	}
	if c["ROLE_ATTRIBUTE"] != "" {
		for _, name := range listed(e.attribute(c["ROLE_ATTRIBUTE"])) {
			roles = append(roles, c.explicit("ROLES", name)...)
		}
	}
	return unique(roles)
}

// Names of groups that give the role of their name, without ROLES and with its entry *.
var (
	narrow = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	wide   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:/@+-]*$`)
	never  = regexp.MustCompile(`^(?i)(admin$|x-hasura-)`)
)

// given returns the roles that a name gives: those of ROLES, else the role of that name.
func (c choice) given(name string) []string {
	if roles := c.explicit("ROLES", name); roles != nil {
		return roles
	}
	form := narrow
	if slices.Contains(entries(c["ROLES"]), "*") {
		form = wide
	} else if c["ROLES"] != "" {
		return nil
	}
	if form.MatchString(name) && !never.MatchString(name) {
		return []string{name}
	}
	return nil
}

// explicit returns the roles that a setting of the form name=role,name=role gives to a name.
func (c choice) explicit(setting, name string) (roles []string) {
	for _, entry := range entries(c[setting]) {
		if last := strings.LastIndex(entry, "="); last >= 0 && strings.TrimSpace(entry[:last]) == name {
			roles = append(roles, strings.TrimSpace(entry[last+1:]))
		}
	}
	return roles
}

// tenant splits a group of the form of TENANT_GROUPS. The longest and the shortest match differ if there is more than one
// way; then there is no tenant.
func (c choice) tenant(group string) (tenant, role string, form bool) {
	if c["TENANT_GROUPS"] == "" {
		return "", "", false
	}
	var names [2][]string
	for i, some := range []string{"+", "+?"} {
		pattern := regexp.QuoteMeta(c["TENANT_GROUPS"])
		pattern = strings.Replace(pattern, `\{tenant\}`, "(?P<tenant>."+some+")", 1)
		pattern = strings.Replace(pattern, `\{role\}`, "(?P<role>."+some+")", 1)
		re := regexp.MustCompile("(?s)^" + pattern + "$")
		names[i] = re.FindStringSubmatch(group)
		if names[i] == nil {
			return "", "", false
		}
		tenant = names[i][re.SubexpIndex("tenant")]
		if at := re.SubexpIndex("role"); at >= 0 {
			role = names[i][at]
		}
	}
	if !slices.Equal(names[0], names[1]) {
		return "", "", true
	}
	return tenant, role, true
}

// tenants are the user's tenants, and the active one: what the app sends, else the attribute's, else the only one.
func (e event) tenants(c choice) (all []string, active string) {
	for _, group := range e.groups() {
		if tenant, _, _ := c.tenant(group); tenant != "" && !strings.ContainsRune(tenant, 0) && !e.providers(group) {
			all = append(all, tenant)
		}
	}
	all = unique(all)
	sent, _ := e.Request.ClientMetadata["tenant_id"].(string)
	for _, tenant := range []string{sent, e.attribute(c["TENANT_ATTRIBUTE"])} {
		if slices.Contains(all, tenant) {
			return all, tenant
		}
	}
	if len(all) == 1 {
		active = all[0]
	}
	return all, active
}

// addVariables adds the session variables that have a value. only names the sources that count; nothing means all.
func (e event) addVariables(claims map[string]any, c choice, only ...string) {
	for _, entry := range entries(c["SESSION_VARIABLES"]) {
		name, source, _ := strings.Cut(entry, "=")
		name, source = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(source)
		value := ""
		switch prefix, groups := strings.CutPrefix(source, "groups:"); {
		case only != nil && !slices.Contains(only, source):
		case groups:
			value = arrayLiteral(e.withPrefix(strings.TrimSuffix(prefix, "*")))
		case source == "client_id":
			value = e.CallerContext.ClientID
		case source == "username":
			value = e.UserName
		case source == "scopes":
			value = arrayLiteral(e.Request.Scopes)
		default:
			value = e.variable(source)
		}
		if value != "" {
			claims[name] = value
		}
	}
}

// withPrefix is the rest of the names of the groups that begin with a prefix.
func (e event) withPrefix(prefix string) (rest []string) {
	for _, group := range e.groups() {
		if name, ok := strings.CutPrefix(group, prefix); ok && name != "" && (!e.providers(group) || e.providers(prefix)) {
			rest = append(rest, name)
		}
	}
	return unique(rest)
}

// variable is an attribute's value as a session variable. Some emulators send booleans.
func (e event) variable(attribute string) string {
	if flag, ok := e.Request.UserAttributes[attribute].(bool); ok {
		return fmt.Sprint(flag)
	}
	return e.attribute(attribute)
}

// listed reads a JSON list, a list in brackets as Cognito writes those of SAML, or one separated by commas.
func listed(text string) (list []string) {
	if json.Unmarshal([]byte(text), &list) == nil {
		return list
	}
	return entries(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
}

// arrayLiteral is a list as PostgreSQL reads it. PostgreSQL cannot store U+0000.
func arrayLiteral(list []string) string {
	var quoted []string
	for _, text := range list {
		if !strings.ContainsRune(text, 0) {
			quoted = append(quoted, `"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)+`"`)
		}
	}
	return "{" + strings.Join(quoted, ",") + "}"
}

func unique(list []string) (each []string) {
	for _, text := range list {
		if !slices.Contains(each, text) {
			each = append(each, text)
		}
	}
	return each
}

func entries(list string) (entries []string) {
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}
