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

// clients looks for app clients that let users write an attribute which becomes a session variable. Such users choose what
// Hasura lets them see.
func (d *doctor) clients(ctx context.Context) {
	const check = "session variables"
	sources := map[string]string{} // attributes, by what they become
	for name, v := range d.claims.Variables {
		if v.Kind == settings.FromAttribute {
			sources[name] = v.Name
		}
	}
	if id := d.claims.UserID; id != "" {
		sources["x-hasura-user-id"] = id
	}
	if len(sources) == 0 {
		d.report.ok(check, "none is read from an attribute")
		return
	}
	ids, err := d.clientIDs(ctx)
	if err != nil {
		d.unread(check, Unknown, err, "cognito-idp:ListUserPoolClients")
		return
	}
	holes := 0
	for _, id := range ids {
		out, err := d.cognito.DescribeUserPoolClient(ctx, &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &d.Pool, ClientId: &id})
		if err != nil {
			d.unread(check, Unknown, err, "cognito-idp:DescribeUserPoolClient")
			return
		}
		for _, variable := range slices.Sorted(maps.Keys(sources)) {
			attribute := sources[variable]
			if how := d.writable(out.UserPoolClient, attribute); how != "" {
				holes++
				d.report.add(check, Fail, fmt.Sprintf("with app client %s users %s %s, which becomes %s", id, how, attribute, variable),
					"set the client's WriteAttributes to a list without "+attribute+", and let only administrators set it")
			}
		}
	}
	if holes == 0 {
		d.report.ok(check, fmt.Sprintf("none of the %d app clients lets users write their attributes", len(ids)))
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
	if client.WriteAttributes != nil && !slices.Contains(client.WriteAttributes, attribute) {
		return ""
	}
	// Names in a description have the prefix custom:, names in a definition do not.
	for _, schema := range d.pool.SchemaAttributes {
		name := aws.ToString(schema.Name)
		if (name == attribute || "custom:"+name == attribute) && !aws.ToBool(schema.Mutable) {
			if c := d.pool.AdminCreateUserConfig; c != nil && c.AllowAdminCreateUserOnly {
				return ""
			}
			return "choose at sign-up"
		}
	}
	return "can write"
}
