package settings

import (
	"fmt"
	"strings"
)

// Settings of the claims function.
var (
	Roles = Setting{
		Name: "ROLES", Functions: "claims", Parameter: "Roles",
		Default: "each group gives the role of its name", Grammar: "group=role,group=role", Example: "admins=admin,staff=editor",
		Description: "Which group gives which role, beside the role user. Only the groups named here then give roles. " +
			"A role is any name that Hasura takes, without a comma or an equals sign.",
	}
	DefaultRole = Setting{
		Name: "DEFAULT_ROLE", Functions: "claims", Parameter: "DefaultRole",
		Default: "user", Grammar: "role,role", Example: "editor,user",
		Description: "The default role: the first of these roles that the user has.",
	}
	SessionVariables = Setting{
		Name: "SESSION_VARIABLES", Functions: "claims", Parameter: "SessionVariables",
		Default: "none", Grammar: "x-hasura-name=attribute,x-hasura-name=attribute", Example: "x-hasura-org-id=custom:org_id",
		Description: "Session variables and the user attributes that they are read from. " +
			"Do not name an attribute that an app client lets users write.",
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
	Name: "USER_ID", Functions: "claims, sync", Parameter: "UserId",
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
	// Roles maps a group to the roles that it gives. nil means that each group gives the
	// role of its name. Otherwise a group that is not in the map gives no role.
	Roles map[string][]string
	// DefaultRole lists roles by preference. A user who has none of them gets the role user.
	DefaultRole []string
	// Variables maps a session variable, in lower case, to the attribute that it is read from.
	Variables map[string]string
	// UserID names the attribute that holds the user's id; "" means the sub.
	UserID string
	// AccessTokenAudience adds the app client's id to access tokens as aud. Cognito leaves
	// aud out, and Hasura does not check the audience of a token without it.
	AccessTokenAudience bool
}

// ReadClaims reads the settings of the claims function. An invalid setting falls back to
// what gives the fewest rights: with invalid ROLES no group gives a role, an invalid entry
// of SESSION_VARIABLES is left out, and the others have their defaults.
func ReadClaims(getenv func(string) string) (Claims, []error) {
	var faults []error
	noRoles := map[string][]string{}
	c := Claims{
		Namespace:           read(&ClaimsNamespace, getenv, parseNamespace, "", &faults),
		Format:              read(&ClaimsFormat, getenv, parseFormat, "", &faults),
		Roles:               read(&Roles, getenv, parseRoles, noRoles, &faults),
		DefaultRole:         read(&DefaultRole, getenv, parseDefaultRole, nil, &faults),
		UserID:              read(&UserID, getenv, parseUserID, "", &faults),
		AccessTokenAudience: read(&AccessTokenAudience, getenv, parseAudience, false, &faults),
	}
	usable, _ := parseVariables(getenv(SessionVariables.Name))
	c.Variables = read(&SessionVariables, getenv, parseVariables, usable, &faults)
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
		return "", ClaimsNamespace.fault("a blank at either end, or a control character, is not possible.")
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

func parseRoles(text string) (map[string][]string, error) {
	roles := make(map[string][]string)
	for _, item := range list(text) {
		// The last equals sign counts: a group's name may have one, a role's may not.
		i := strings.LastIndexByte(item, '=')
		if i < 0 {
			return nil, Roles.fault(fmt.Sprintf("%q has no equals sign. Write group=role.", item))
		}
		group, role := strings.TrimSpace(item[:i]), strings.TrimSpace(item[i+1:])
		if group == "" || role == "" {
			return nil, Roles.fault(fmt.Sprintf("%q lacks the group or the role. Write group=role.", item))
		}
		if err := checkRole(&Roles, role); err != nil {
			return nil, err
		}
		roles[group] = append(roles[group], role)
	}
	if len(roles) == 0 {
		return nil, Roles.fault("it has no entry. Leave it empty, or write group=role.")
	}
	return roles, nil
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
func parseVariables(text string) (map[string]string, error) {
	var first error
	fault := func(format string, args ...any) {
		if first == nil {
			first = SessionVariables.fault(fmt.Sprintf(format, args...))
		}
	}
	variables, seen := make(map[string]string), make(map[string]bool)
	items := list(text)
	for _, item := range items {
		name, attribute, _ := strings.Cut(item, "=")
		name, attribute = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(attribute)
		switch {
		case attribute == "" || !isVariable(name):
			fault("%q is not of the form x-hasura-name=attribute.", item)
		case reservedVariables[name]:
			fault("%s has a meaning in Hasura. An attribute may not set it.", name)
		case strings.ContainsFunc(attribute, isControl):
			fault("the attribute of %s has a control character.", name)
		case seen[name]:
			fault("%s is there twice.", name)
			delete(variables, name)
		default:
			variables[name] = attribute
		}
		seen[name] = true
	}
	if len(items) == 0 {
		fault("it has no entry. Leave it empty, or write x-hasura-name=attribute.")
	}
	return variables, first
}

func parseUserID(text string) (string, error) {
	if !only(text, lettersDigits+":._-") {
		return "", UserID.fault(fmt.Sprintf("%q is not the name of an attribute.", text))
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
