package settings

import (
	"fmt"
	"strings"
)

// Settings of the claims function.
var (
	Roles = Setting{
		Name: "ROLES", Functions: "claims", Parameter: "Roles",
		Default: "each group gives the role of its name", Grammar: "group=role,group=role, or *", Example: "admins=admin,staff=editor",
		Description: "Which group gives which role, beside the role user. Only the groups named here then give roles. " +
			"A role is any name that Hasura takes, without a comma or an equals sign. " +
			"An entry * lets every other group give the role of its name, also with the characters . : / @ +.",
	}
	RoleAttribute = Setting{
		Name: "ROLE_ATTRIBUTE", Functions: "claims", Parameter: "RoleAttribute",
		Default: "none", Grammar: "the name of a user attribute", Example: "custom:groups",
		Description: "The attribute with the groups that a SAML or OIDC provider asserts, as a list. Each gives the roles that ROLES " +
			"names for it. Users must not be able to write the attribute.",
	}
	DefaultRole = Setting{
		Name: "DEFAULT_ROLE", Functions: "claims", Parameter: "DefaultRole",
		Default: "user", Grammar: "role,role", Example: "editor,user",
		Description: "The default role: the first of these roles that the user has.",
	}
	SessionVariables = Setting{
		Name: "SESSION_VARIABLES", Functions: "claims", Parameter: "SessionVariables",
		Default: "none", Grammar: "x-hasura-name=source,x-hasura-name=source", Example: "x-hasura-org-id=custom:org_id",
		Description: "Session variables and their sources: a user attribute, groups:team-* for a list, client_id, username, or scopes. " +
			"Do not name an attribute that an app client lets users write.",
	}
	TenantGroups = Setting{
		Name: "TENANT_GROUPS", Functions: "claims", Parameter: "TenantGroups",
		Default: "none", Grammar: "a group name with {tenant}, and {role} if groups have roles", Example: "{tenant}:{role}",
		Description: "The form of the groups that put a user into a tenant. The roles are those of the active tenant alone.",
	}
	TenantAttribute = Setting{
		Name: "TENANT_ATTRIBUTE", Functions: "claims", Parameter: "TenantAttribute",
		Default: "none", Grammar: "the name of a user attribute", Example: "custom:tenant",
		Description: "The attribute that names the active tenant of a user in several tenants, unless the app sends one.",
	}
	MachineRoles = Setting{
		Name: "MACHINE_ROLES", Functions: "claims", Parameter: "MachineRoles",
		Default: "machines get no claims", Grammar: "client id=role,client id=role", Example: "1example23456789example012=service",
		Description: "The roles of app clients that get tokens by client credentials, with a trigger of version V3_0. " +
			"The first role of a client is its default role.",
	}
	ClaimsNamespace = Setting{
		Name: "CLAIMS_NAMESPACE", Functions: "claims", Parameter: "ClaimsNamespace",
		Default: "https://hasura.io/jwt/claims", Grammar: "the name of a claim", Example: "claims.jwt.hasura.io",
		Description: "The claim that holds Hasura's claims, as claims_namespace in Hasura's JWT configuration.",
	}
	ClaimsFormat = Setting{
		Name: "CLAIMS_FORMAT", Functions: "claims", Parameter: "ClaimsFormat",
		Default: "stringified_json", Grammar: "stringified_json or json", Example: "json",
		Description: "The form of Hasura's claims, as claims_format in Hasura's JWT configuration. " +
			"json needs a trigger of version V2_0 or V3_0.",
	}
	AccessTokenAudience = Setting{
		Name: "ACCESS_TOKEN_AUDIENCE", Functions: "claims", Parameter: "AccessTokenAudience",
		Default: "none", Grammar: "client_id", Example: "client_id",
		Description: "client_id adds the app client's id to access tokens as aud, for a Hasura that checks the audience.",
	}
)

// UserID is a setting of the claims and the sync function.
var UserID = Setting{
	Name: "USER_ID", Functions: "claims, sync, reconcile, follow", Parameter: "UserId",
	Default: "the sub", Grammar: "the name of a user attribute", Example: "custom:legacy_id",
	Description: "The attribute that holds the user's id in the application. It becomes x-hasura-user-id, and the key of the user row " +
		"if the description of the table says so. A user without it has the sub. No app client may write it.",
}

// A Format is how Hasura's claims stand in the token.
type Format string

const (
	// Stringified is JSON inside a string, the only form that a V1_0 trigger can give.
	Stringified Format = "stringified_json"
	// JSON is an object. An event of V1_0 gets a string all the same.
	JSON Format = "json"
)

// Claims are the settings of the claims function, as [ReadClaims] returns them.
type Claims struct {
	Namespace string
	Format    Format
	Groups    GroupRoles
	// RoleAttribute names an attribute whose values count like groups that Groups.Explicit
	// names; "" means none.
	RoleAttribute string
	// DefaultRole lists roles by preference. A user who has none of them gets the role user.
	DefaultRole []string
	// Variables maps a session variable, in lower case, to its source.
	Variables map[string]Variable
	// Tenants says which groups put a user into a tenant; nil means that there are none.
	Tenants *TenantPattern
	// TenantAttribute names the attribute with the active tenant; "" means none.
	TenantAttribute string
	// Machines maps an app client's id to its roles.
	Machines map[string][]string
	// UserID names the attribute that holds the user's id; "" means the sub.
	UserID string
	// AccessTokenAudience adds the app client's id to access tokens as aud. Cognito leaves
	// aud out, and Hasura does not check the audience of a token without it.
	AccessTokenAudience bool
}

// GroupRoles says which roles a group gives.
type GroupRoles struct {
	// Explicit has the roles of the groups that ROLES names; nil if ROLES is not set.
	Explicit map[string][]string
	// Wide lets other groups give the role of their name, in its wide form.
	Wide bool
}

// A Variable is the source of a session variable.
type Variable struct {
	Kind VariableKind
	// Name is the attribute, or the text before the star of groups:<text>*.
	Name string
}

// A VariableKind is what a session variable is read from.
type VariableKind int

// The kinds of sources.
const (
	FromAttribute VariableKind = iota
	FromGroups                 // a list of the rest of the names of the groups that begin with Name
	FromClientID
	FromUsername
	FromScopes // a list
)

// ReadClaims reads the settings of the claims function. An invalid setting falls back to
// what gives the fewest rights: with invalid ROLES or TENANT_GROUPS no group gives a role,
// an invalid entry of SESSION_VARIABLES is left out, with invalid MACHINE_ROLES machines get
// nothing, and the others have their defaults.
func ReadClaims(getenv func(string) string) (Claims, []error) {
	var faults []error
	noRoles := GroupRoles{Explicit: map[string][]string{}}
	c := Claims{
		Namespace:           read(&ClaimsNamespace, getenv, parseNamespace, "", &faults),
		Format:              read(&ClaimsFormat, getenv, parseFormat, "", &faults),
		Groups:              read(&Roles, getenv, parseRoles, noRoles, &faults),
		RoleAttribute:       read(&RoleAttribute, getenv, parseRoleAttribute, "", &faults),
		DefaultRole:         read(&DefaultRole, getenv, parseDefaultRole, nil, &faults),
		TenantAttribute:     read(&TenantAttribute, getenv, parseTenantAttribute, "", &faults),
		Machines:            read(&MachineRoles, getenv, parseMachineRoles, nil, &faults),
		UserID:              read(&UserID, getenv, parseUserID, "", &faults),
		AccessTokenAudience: read(&AccessTokenAudience, getenv, parseAudience, false, &faults),
	}
	before := len(faults)
	if c.Tenants = read(&TenantGroups, getenv, parseTenantGroups, nil, &faults); len(faults) > before {
		c.Groups = noRoles
	}
	if c.RoleAttribute != "" && len(c.Groups.Explicit) == 0 {
		faults = append(faults, RoleAttribute.fault("it needs ROLES with an entry group=role. It is ignored."))
		c.RoleAttribute = ""
	}
	if c.TenantAttribute != "" && c.Tenants == nil {
		faults = append(faults, TenantAttribute.fault("it needs TENANT_GROUPS. It is ignored."))
		c.TenantAttribute = ""
	}
	usable, _ := parseVariables(getenv(SessionVariables.Name))
	c.Variables = read(&SessionVariables, getenv, parseVariables, usable, &faults)
	if c.Tenants != nil {
		for _, name := range []string{"x-hasura-tenant-id", "x-hasura-tenant-ids"} {
			if _, ok := c.Variables[name]; ok {
				faults = append(faults, SessionVariables.fault(name+" is set by TENANT_GROUPS."))
				delete(c.Variables, name)
			}
		}
	}
	if c.Namespace == "" {
		c.Namespace = ClaimsNamespace.Default
	}
	if c.Format == "" {
		c.Format = Stringified
	}
	return c, faults
}

func parseNamespace(text string) (string, error) {
	if strings.TrimSpace(text) != text || strings.ContainsFunc(text, isControl) {
		return "", ClaimsNamespace.fault("a space at either end, or a control character, is not possible.")
	}
	if isReserved(text) {
		return "", ClaimsNamespace.fault(fmt.Sprintf("Cognito does not let a trigger set the claim %q. Use another name.", text))
	}
	return text, nil
}

func parseFormat(text string) (Format, error) {
	switch f := Format(text); f {
	case Stringified, JSON:
		return f, nil
	}
	return "", ClaimsFormat.fault(fmt.Sprintf("%q is neither %s nor %s.", text, Stringified, JSON))
}

func parseRoles(text string) (GroupRoles, error) {
	var g GroupRoles
	roles, wide, err := pairs(&Roles, text, "group")
	if err != nil {
		return g, err
	}
	return GroupRoles{Explicit: roles, Wide: wide}, nil
}

func parseMachineRoles(text string) (map[string][]string, error) {
	roles, wide, err := pairs(&MachineRoles, text, "client id")
	if err != nil {
		return nil, err
	}
	if wide {
		return nil, MachineRoles.fault("* is not possible. Name each app client.")
	}
	for client, names := range roles {
		if !only(client, lettersDigits+"_+") {
			return nil, MachineRoles.fault(fmt.Sprintf("%q is not the id of an app client.", client))
		}
		for _, name := range names {
			if name == "admin" {
				return nil, MachineRoles.fault("a machine cannot have the role admin.")
			}
		}
	}
	return roles, nil
}

// pairs reads a list of what=role. wide is true if the list has the entry *.
func pairs(s *Setting, text, what string) (roles map[string][]string, wide bool, err error) {
	roles = make(map[string][]string)
	for _, item := range list(text) {
		if item == "*" {
			wide = true
			continue
		}
		// The last equals sign counts: a group's name may have one, a role's may not.
		i := strings.LastIndexByte(item, '=')
		if i < 0 {
			return nil, false, s.fault(fmt.Sprintf("%q has no equals sign. Write %s=role.", item, what))
		}
		name, role := strings.TrimSpace(item[:i]), strings.TrimSpace(item[i+1:])
		if name == "" || role == "" {
			return nil, false, s.fault(fmt.Sprintf("%q lacks the %s or the role. Write %s=role.", item, what, what))
		}
		if err := checkRole(s, role); err != nil {
			return nil, false, err
		}
		roles[name] = append(roles[name], role)
	}
	if len(roles) == 0 && !wide {
		return nil, false, s.fault("it has no entry. Leave it empty, or write " + what + "=role.")
	}
	return roles, wide, nil
}

func parseDefaultRole(text string) ([]string, error) {
	roles := list(text)
	for _, role := range roles {
		if strings.ContainsRune(role, '=') {
			return nil, DefaultRole.fault(fmt.Sprintf("%q has an equals sign, which no role may have.", role))
		}
		if err := checkRole(&DefaultRole, role); err != nil {
			return nil, err
		}
	}
	if len(roles) == 0 {
		return nil, DefaultRole.fault("it has no entry. Leave it empty, or name a role.")
	}
	return roles, nil
}

// checkRole returns an error for a name that no role of a token may have.
func checkRole(s *Setting, role string) error {
	if strings.ContainsFunc(role, isControl) {
		return s.fault("a role has a control character.")
	}
	if strings.EqualFold(role, "admin") && role != "admin" {
		return s.fault(fmt.Sprintf("%q is not Hasura's role admin. Write admin, or use another name.", role))
	}
	if len(role) >= len(variablePrefix) && strings.EqualFold(role[:len(variablePrefix)], variablePrefix) {
		return s.fault(fmt.Sprintf("%q begins like a session variable. Use another name.", role))
	}
	return nil
}

const variablePrefix = "x-hasura-"

// parseVariables returns the entries that are valid, beside the error about the first
// that is not. A variable that is there twice is left out: it is unclear which is meant.
func parseVariables(text string) (map[string]Variable, error) {
	var first error
	fault := func(format string, args ...any) {
		if first == nil {
			first = SessionVariables.fault(fmt.Sprintf(format, args...))
		}
	}
	variables, names := make(map[string]Variable), make(map[string]bool)
	items := list(text)
	for _, item := range items {
		name, text, _ := strings.Cut(item, "=")
		name, text = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(text)
		source, ok := parseVariable(text)
		switch {
		case text == "" || !isVariable(name):
			fault("%q is not of the form x-hasura-name=source.", item)
		case reservedVariables[name]:
			fault("%s has a meaning in Hasura. It cannot be set.", name)
		case !ok:
			fault("the source of %s is not possible.", name)
		case names[name]:
			fault("%s is there twice.", name)
			delete(variables, name)
		default:
			variables[name] = source
		}
		names[name] = true
	}
	if len(items) == 0 {
		fault("it has no entry. Leave it empty, or write x-hasura-name=source.")
	}
	return variables, first
}

func parseVariable(text string) (Variable, bool) {
	switch text {
	case "client_id":
		return Variable{Kind: FromClientID}, true
	case "username":
		return Variable{Kind: FromUsername}, true
	case "scopes":
		return Variable{Kind: FromScopes}, true
	}
	if prefix, ok := strings.CutPrefix(text, "groups:"); ok {
		prefix, ok = strings.CutSuffix(prefix, "*")
		return Variable{Kind: FromGroups, Name: prefix}, ok && !strings.ContainsAny(prefix, "*") && !strings.ContainsFunc(prefix, isControl)
	}
	return Variable{Kind: FromAttribute, Name: text}, !strings.ContainsFunc(text, isControl)
}

func parseRoleAttribute(text string) (string, error)   { return parseAttribute(&RoleAttribute, text) }
func parseTenantAttribute(text string) (string, error) { return parseAttribute(&TenantAttribute, text) }
func parseUserID(text string) (string, error)          { return parseAttribute(&UserID, text) }

func parseAttribute(s *Setting, text string) (string, error) {
	if !only(text, lettersDigits+":._-") {
		return "", s.fault(fmt.Sprintf("%q is not the name of an attribute.", text))
	}
	return text, nil
}

func parseAudience(text string) (bool, error) {
	if text != "client_id" {
		return false, AccessTokenAudience.fault(fmt.Sprintf("%q is not client_id, the only audience that Cognito accepts.", text))
	}
	return true, nil
}

// reservedVariables have a meaning in Hasura itself.
var reservedVariables = map[string]bool{
	"x-hasura-user-id": true, "x-hasura-allowed-roles": true, "x-hasura-default-role": true, "x-hasura-role": true,
	"x-hasura-admin-secret": true, "x-hasura-access-key": true, "x-hasura-use-backend-only-permissions": true,
}

// isVariable reports whether a name in lower case can be a session variable's.
func isVariable(name string) bool {
	rest, ok := strings.CutPrefix(name, variablePrefix)
	return ok && rest != "" && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// isReserved reports whether Cognito ignores a trigger that sets the claim ("Pre token
// generation Lambda trigger", Amazon Cognito Developer Guide, table of claims). Tokens
// would then lack Hasura's claims, without an error.
func isReserved(claim string) bool {
	switch claim {
	case "acr", "amr", "at_hash", "aud", "auth_time", "azp", "client_id", "device_key", "event_id", "exp", "iat",
		"identities", "iss", "jti", "nbf", "nonce", "origin_jti", "scope", "sub", "token_use", "username", "version":
		return true
	}
	return strings.HasPrefix(claim, "cognito:") || strings.HasPrefix(claim, "dev:")
}
