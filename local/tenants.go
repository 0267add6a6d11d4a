package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
)

// tenantsSection has the events of tenants and machines, sent with tenantSettings.
const tenantsSection = "tenants"

var tenantSettings = choice{
	"ROLES":         "*",
	"TENANT_GROUPS": "{tenant}:{role}",
	"MACHINE_ROLES": "1example23456789example012=service",
}

// documentRoles have permissions on the documents in local/documents.
var documentRoles = []string{"user", "owner", "viewer", "service"}

// aboutTenants returns the events of tenants and machines, for their own section.
func aboutTenants(events []event) (about []event) {
	for _, e := range events {
		if strings.Contains(e.variant, "tenant") || e.machine() && !strings.HasSuffix(e.variant, "-nulls") {
			e.trigger = tenantsSection
			about = append(about, e)
		}
	}
	return about
}

// withTenants returns the settings with tenantSettings instead of the roles that were chosen.
func (c choice) withTenants() choice {
	c = maps.Clone(c)
	for _, name := range []string{"DEFAULT_ROLE", "ROLE_ATTRIBUTE", "TENANT_ATTRIBUTE"} {
		delete(c, name)
	}
	maps.Copy(c, tenantSettings)
	return c
}

// sendTenants sends the events to an environment with tenantSettings.
func sendTenants(ctx context.Context, o options, chosen choice, getenv func(string) string, events []event, p *printer) (err error) {
	chosen = chosen.withTenants()
	s, err := start(ctx, o, chosen, getenv)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r := runner{s, chosen, make(map[string]bool)}
	for _, e := range events {
		p.event(e, r.send(ctx, e, nil), false)
	}
	p.strays(s.Log.Lines())
	return nil
}

// expectDocuments says whose documents the metadata of local/documents show in each role of the claims.
func expectDocuments(claims map[string]any, tenants []string, active string) string {
	all := []string{"acme", "globex", "initech"} // the tenants that have documents
	var texts []string
	for _, role := range claims["x-hasura-allowed-roles"].([]string) {
		visible := func(tenant string) bool { return true } // service
		switch role {
		case "user":
			visible = func(tenant string) bool { return slices.Contains(tenants, tenant) }
		case "owner", "viewer":
			visible = func(tenant string) bool { return tenant == active }
		case "service":
		default:
			continue
		}
		text := "nothing"
		if seen := slices.DeleteFunc(slices.Clone(all), func(tenant string) bool { return !visible(tenant) }); len(seen) > 0 {
			text = strings.Join(seen, " ")
		}
		if (role == "owner" || role == "viewer") && active == "" || role == "user" && claims["x-hasura-tenant-ids"] == nil {
			text = "refused: not-found" // the variable is missing
		}
		texts = append(texts, role+": "+text)
	}
	return strings.Join(texts, "; ")
}
