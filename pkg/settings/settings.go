// Package settings has every setting of the functions: one table of their names,
// defaults and grammar, and the functions that read them from the environment.
//
// A wrong setting never stops a sign-in. Each Read function returns what can be used
// all the same, with the faults that it found.
package settings

import (
	"errors"
	"strings"
)

// A Setting is one environment variable. An empty value means that it is not set.
type Setting struct {
	Name      string // of the environment variable; in lower case, of the Terraform variable
	Functions string // which functions read it: "claims", "sync", or "sync, replay"
	Parameter string // of template.yaml; "" where the template sets the value itself
	Required  bool
	Default   string // what applies when it is not set; "" means nothing
	Grammar   string // the form of a value
	Example   string // a valid value
	// Description says what the setting is for, in one or two sentences.
	Description string
}

// All has every setting, in the order in which the documentation lists them.
var All = []*Setting{
	&GraphqlDomain, &GraphqlHost, &GraphqlCA, &SecretsARN, &SecretsKey, &HasuraRole,
	&SyncBudget, &SyncOnFailure, &SyncQueueURL,
	&UserID,
	&Roles, &RoleAttribute, &DefaultRole, &SessionVariables, &TenantGroups, &TenantAttribute, &MachineRoles,
	&ClaimsNamespace, &ClaimsFormat, &AccessTokenAudience,
	&UserPoolID, &ReconcileHasuraRole, &ReconcileOnDelete, &ReconcileMaxGone, &ReconcileQueueURL,
}

// Lookup returns the setting with a name, or nil.
func Lookup(name string) *Setting {
	for _, s := range All {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// fault returns the error about a value of the setting: what is wrong, and an example.
func (s *Setting) fault(text string) error {
	example, _, _ := strings.Cut(s.Example, "\n")
	return errors.New(s.Name + ": " + text + " Example: " + example)
}

// missing returns the error for a required setting without a value.
func (s *Setting) missing() error { return s.fault("missing. Set it to " + s.Grammar + ".") }

// read returns the setting's value as parse understands it. A setting without a value is
// the zero value. An invalid value is added to faults, and fallback is returned.
func read[T any](s *Setting, getenv func(string) string, parse func(string) (T, error), fallback T, faults *[]error) T {
	text := getenv(s.Name)
	if text == "" {
		var zero T
		if s.Required {
			*faults = append(*faults, s.missing())
		}
		return zero
	}
	value, err := parse(text)
	if err != nil {
		*faults = append(*faults, err)
		return fallback
	}
	return value
}

// Check returns nil for a valid value. Its error begins with the setting's name and
// quotes nothing that could be a secret.
func (s *Setting) Check(value string) error {
	switch s {
	case &GraphqlDomain:
		return check(s, value, parseDomain)
	case &GraphqlHost:
		return check(s, value, parseHost)
	case &GraphqlCA:
		return check(s, value, parseCA)
	case &SecretsARN:
		return check(s, value, parseARN)
	case &SecretsKey:
		return check(s, value, parseKey)
	case &HasuraRole:
		return check(s, value, parseHasuraRole)
	case &SyncBudget:
		return check(s, value, parseBudget)
	case &SyncOnFailure:
		return check(s, value, parseOnFailure)
	case &SyncQueueURL:
		return check(s, value, parseQueueURL)
	case &UserID:
		return check(s, value, parseUserID)
	case &Roles:
		return check(s, value, parseRoles)
	case &RoleAttribute:
		return check(s, value, parseRoleAttribute)
	case &TenantGroups:
		return check(s, value, parseTenantGroups)
	case &TenantAttribute:
		return check(s, value, parseTenantAttribute)
	case &MachineRoles:
		return check(s, value, parseMachineRoles)
	case &DefaultRole:
		return check(s, value, parseDefaultRole)
	case &SessionVariables:
		return check(s, value, parseVariables)
	case &ClaimsNamespace:
		return check(s, value, parseNamespace)
	case &ClaimsFormat:
		return check(s, value, parseFormat)
	case &AccessTokenAudience:
		return check(s, value, parseAudience)
	case &UserPoolID:
		return check(s, value, parseUserPoolID)
	case &ReconcileHasuraRole:
		return check(s, value, parseReconcileRole)
	case &ReconcileOnDelete:
		return check(s, value, ParseOnDelete)
	case &ReconcileMaxGone:
		return check(s, value, ParseMaxGone)
	case &ReconcileQueueURL:
		return check(s, value, parseReconcileQueue)
	}
	panic("settings: no parser for " + s.Name)
}

func check[T any](s *Setting, value string, parse func(string) (T, error)) error {
	var faults []error
	var fallback T
	read(s, func(string) string { return value }, parse, fallback, &faults)
	return errors.Join(faults...)
}

// list splits text at commas. Blanks around an item, and empty items, do not count.
func list(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// isControl reports whether r is an ASCII control character.
func isControl(r rune) bool { return r < ' ' || r == 0x7f }
