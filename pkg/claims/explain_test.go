package claims

import "testing"

func TestWhyNoRole(t *testing.T) {
	tenants := "TENANT_GROUPS={tenant}:{role}"
	rows := []struct {
		group     string
		env       []string
		want      string
		ambiguous bool
	}{
		{"editor", nil, "", false},
		{"org:editor", nil, "org:editor cannot be a role without an entry of ROLES", false},
		{"X-Hasura-Y", []string{"ROLES=*"}, "X-Hasura-Y cannot be a role without an entry of ROLES", false},
		{"Admin", []string{"ROLES=*"}, "only an entry of ROLES gives the role admin", false},
		{"Admin", []string{"ROLES=Admin=admin"}, "", false},
		{"editor", []string{"ROLES=a=b"}, "ROLES does not name editor", false},
		{"eu-west-1_Pool_Okta", nil, "Cognito made the group for an identity provider", false},
		{"eu-west-1_Pool_Okta", []string{"ROLES=eu-west-1_Pool_Okta=x"}, "", false},
		{"acme:editor", []string{tenants}, "", false},
		{"acme:admin", []string{tenants}, "only an entry of ROLES gives the role admin", false},
		{"acme:2nd", []string{tenants}, "2nd cannot be a role without an entry of ROLES", false},
		{"acme:editor", []string{tenants, "ROLES=owner=x"}, "ROLES does not name editor", false},
		{"a:b:c", []string{tenants, "ROLES=*"}, "the name can be split into a tenant and a role in more than one way", true},
		{"acme", []string{"TENANT_GROUPS={tenant}"}, "TENANT_GROUPS has no role", false},
	}
	for _, row := range rows {
		if got, ambiguous := WhyNoRole(row.group, "eu-west-1_Pool", env(t, row.env...)); got != row.want || ambiguous != row.ambiguous {
			t.Errorf("%s with %q: %q, ambiguous %t; want %q, %t", row.group, row.env, got, ambiguous, row.want, row.ambiguous)
		}
	}
}
