package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// A use is what the claims function makes of an attribute.
type use struct {
	attribute, becomes string
	harmless           bool // also if users write the attribute
}

// uses returns what the claims function makes of attributes, in the order of the settings.
func (d *doctor) uses() (uses []use) {
	if id := d.claims.UserID; id != "" {
		uses = append(uses, use{id, "becomes x-hasura-user-id", false})
	}
	if name := d.claims.RoleAttribute; name != "" {
		uses = append(uses, use{name, "gives roles", false})
	}
	for _, name := range slices.Sorted(maps.Keys(d.claims.Variables)) {
		if v := d.claims.Variables[name]; v.Kind == settings.FromAttribute {
			uses = append(uses, use{v.Name, "becomes " + name, false})
		}
	}
	if name := d.claims.TenantAttribute; name != "" {
		uses = append(uses, use{name, "chooses one of the user's tenants, and adds none", true})
	}
	return uses
}

// clients looks for app clients that let users write an attribute which becomes a role, an id or a session variable. Such users
// choose what Hasura lets them see.
func (d *doctor) clients(ctx context.Context) {
	const check = "attributes in claims"
	uses := d.uses()
	if len(uses) == 0 {
		d.report.ok(check, "none is read")
		return
	}
	ids, err := d.clientIDs(ctx)
	if err != nil {
		d.unread(check, Unknown, err, "cognito-idp:ListUserPoolClients")
		return
	}
	found := 0
	for _, id := range ids {
		out, err := d.cognito.DescribeUserPoolClient(ctx, &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &d.Pool, ClientId: &id})
		if err != nil {
			d.unread(check, Unknown, err, "cognito-idp:DescribeUserPoolClient")
			return
		}
		for _, u := range uses {
			how := d.writable(out.UserPoolClient, u.attribute)
			if how == "" {
				continue
			}
			found++
			text := fmt.Sprintf("with app client %s users %s %s, which %s", id, how, u.attribute, u.becomes)
			if u.harmless {
				d.report.ok(check, text)
				continue
			}
			d.report.add(check, Fail, text, "set the client's WriteAttributes to a list without "+u.attribute+". If an identity provider fills it: docs/security.md#roles-from-an-attribute")
		}
	}
	if found == 0 {
		d.report.ok(check, fmt.Sprintf("none of the %d app clients lets users write them", len(ids)))
	}
}

// machines looks for app clients in MACHINE_ROLES that the pool does not have: their tokens would have no claims.
func (d *doctor) machines(ctx context.Context) {
	const check = "machines"
	if len(d.claims.Machines) == 0 {
		return
	}
	ids, err := d.clientIDs(ctx)
	if err != nil {
		d.unread(check, Unknown, err, "cognito-idp:ListUserPoolClients")
		return
	}
	for _, id := range slices.Sorted(maps.Keys(d.claims.Machines)) {
		if !slices.Contains(ids, id) {
			d.report.add(check, Warn, "MACHINE_ROLES names "+id+", which is not an app client of the pool", "correct the id in MACHINE_ROLES")
			continue
		}
		d.report.ok(check, fmt.Sprintf("app client %s has the roles %s", id, strings.Join(d.claims.Machines[id], ", ")))
	}
}

func (d *doctor) clientIDs(ctx context.Context) (ids []string, err error) {
	pages := cognitoidentityprovider.NewListUserPoolClientsPaginator(d.cognito, &cognitoidentityprovider.ListUserPoolClientsInput{UserPoolId: &d.Pool})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, client := range page.UserPoolClients {
			ids = append(ids, aws.ToString(client.ClientId))
		}
	}
	return ids, nil
}

// writable says how users can write an attribute with a client, "" if they cannot.
//
// A client without WriteAttributes may write the standard attributes (CreateUserPoolClient, WriteAttributes). Users have seen it
// write custom attributes too (terraform-provider-aws #2874), so those count as well. An attribute that is not mutable can be
// set once, at sign-up.
func (d *doctor) writable(client *cognito.UserPoolClientType, attribute string) string {
	if attribute == "sub" || attribute == "identities" || strings.HasPrefix(attribute, "cognito:") || strings.HasPrefix(attribute, "dev:") {
		return "" // Cognito writes these
	}
	if client.WriteAttributes != nil && !slices.Contains(client.WriteAttributes, attribute) || d.isForProviders(client) {
		return ""
	}
	// Names in a description have the prefix custom:, names in a definition do not.
	for _, schema := range d.pool.SchemaAttributes {
		name := aws.ToString(schema.Name)
		if (name == attribute || "custom:"+name == attribute) && !aws.ToBool(schema.Mutable) {
			if d.noSignUp() {
				return ""
			}
			return "choose at sign-up"
		}
	}
	return "can write"
}

// isForProviders reports whether users cannot write attributes with a client although it has the right: they cannot sign up, and
// their tokens come from managed login alone and lack the scope that UpdateUserAttributes needs. A client for sign-ins through
// an identity provider must have the right, because Cognito writes the mapped attributes with it (CreateUserPoolClient,
// WriteAttributes).
func (d *doctor) isForProviders(client *cognito.UserPoolClientType) bool {
	usesAPI := len(client.ExplicitAuthFlows) == 0 || slices.ContainsFunc(client.ExplicitAuthFlows, func(f cognito.ExplicitAuthFlowsType) bool {
		return f != cognito.ExplicitAuthFlowsTypeAllowRefreshTokenAuth
	})
	return !usesAPI && d.noSignUp() && aws.ToBool(client.AllowedOAuthFlowsUserPoolClient) &&
		!slices.Contains(client.AllowedOAuthScopes, "aws.cognito.signin.user.admin")
}

// noSignUp reports whether administrators alone create users.
func (d *doctor) noSignUp() bool {
	return d.pool.AdminCreateUserConfig != nil && d.pool.AdminCreateUserConfig.AllowAdminCreateUserOnly
}
