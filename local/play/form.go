package main

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
)

// A form is what a user's fields hold.
type form struct {
	Email, Name, Groups, Tenant, Status, More string
	Disabled                                  bool
	How                                       string // of a new user: one of ways
	Version                                   string
	Metadata                                  string
}

func readForm(r *http.Request) form {
	value := func(name string) string { return strings.TrimSpace(r.FormValue(name)) }
	return form{
		Email: value("email"), Name: value("name"), Groups: value("groups"), Tenant: value("tenant"),
		Status: value("status"), More: r.FormValue("more"), Disabled: value("enabled") == "", How: value("how"),
		Version: cmp.Or(value("version"), "2"), Metadata: r.FormValue("metadata"),
	}
}

// tenantAttribute holds the tenant that a user chose.
const tenantAttribute = "custom:tenant_id"

// ownFields are the attributes with a field of their own. sub and identities are the pool's.
var ownFields = []string{"sub", "identities", "email", "name", tenantAttribute}

// formOf fills the fields with a user.
func formOf(u cognitoidp.User, version string) form {
	f := form{Email: u.Attributes["email"], Name: u.Attributes["name"], Tenant: u.Attributes[tenantAttribute], Groups: strings.Join(groups(u), " "),
		Status: u.Status, Disabled: !u.Enabled, Version: version}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		if !slices.Contains(ownFields, name) {
			f.More += name + "=" + u.Attributes[name] + "\n"
		}
	}
	return f
}

// attributes are those of the fields.
func (f form) attributes() (map[string]string, error) {
	attributes, err := parsePairs(f.More)
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "More attributes: %v", err)
	}
	for name := range attributes {
		if slices.Contains(ownFields, name) || strings.HasPrefix(name, "cognito:") {
			return nil, problemf(http.StatusBadRequest, "More attributes: %s has a field of its own or is Cognito's. Leave it out.", name)
		}
	}
	for name, value := range map[string]string{"email": f.Email, "name": f.Name, tenantAttribute: f.Tenant} {
		if value != "" {
			attributes[name] = value
		}
	}
	return attributes, nil
}

// groupList has the groups. They are separated by spaces or commas, which group names cannot hold or rarely do.
func (f form) groupList() []string {
	return strings.FieldsFunc(f.Groups, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\r' || r == '\t' })
}

// parsePairs reads lines of the form name=value.
func parsePairs(text string) (map[string]string, error) {
	pairs := make(map[string]string)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, errors.New(strconv.Quote(line) + ": not of the form name=value")
		}
		pairs[name] = value
	}
	return pairs, nil
}
