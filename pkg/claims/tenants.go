package claims

import (
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// tenants are those that a user's groups put the user into.
type tenants struct {
	all    []string // each once, in the order of the groups
	active string   // one of them, or ""
}

// tenantsOf returns the user's tenants. The active one is the one that the app sends as
// clientMetadata.tenant_id, else the one in TENANT_ATTRIBUTE, else the only one. A value
// that is not one of the user's tenants does not count.
func tenantsOf(e *cognito.Event, s settings.Claims, grants []Grant) tenants {
	var t tenants
	if s.Tenants == nil {
		return t
	}
	for _, grant := range grants {
		// A tenant with U+0000 cannot be in a list, so it is none.
		if grant.Tenant != "" && strings.IndexByte(grant.Tenant, 0) < 0 && !slices.Contains(t.all, grant.Tenant) {
			t.all = append(t.all, grant.Tenant)
		}
	}
	wanted := []string{e.ClientMetadata("tenant_id")}
	if s.TenantAttribute != "" {
		wanted = append(wanted, e.User.Attributes[s.TenantAttribute])
	}
	if len(t.all) == 1 {
		wanted = append(wanted, t.all[0])
	}
	for _, tenant := range wanted {
		if tenant != "" && slices.Contains(t.all, tenant) {
			t.active = tenant
			break
		}
	}
	return t
}

var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// arrayLiteral returns a PostgreSQL array literal that Hasura casts to text[] or uuid[]
// (PostgreSQL, "Array Input and Output Syntax"). Every element is quoted, so that commas,
// braces and the word NULL are text. PostgreSQL cannot store U+0000: an element with it is
// left out.
func arrayLiteral(elements []string) string {
	var b strings.Builder
	b.WriteByte('{')
	for _, element := range elements {
		if strings.IndexByte(element, 0) >= 0 {
			continue
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(arrayEscapes.Replace(element))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String()
}
