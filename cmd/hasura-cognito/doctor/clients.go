package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// clients looks for app clients with which people can write an attribute that becomes
// a session variable, and so choose what Hasura lets them see.
func (d *doctor) clients(ctx context.Context) {
	const check = "session variables"
	if len(d.claims.Variables) == 0 {
		d.report.add(check, good, "none comes from an attribute", "")
		return
	}
	names, err := d.clientIDs(ctx)
	if err != nil {
		d.report.add(check, unknown, reason(err), "let these credentials do cognito-idp:ListUserPoolClients and DescribeUserPoolClient")
		return
	}
	holes := 0
	for _, id := range names {
		out, err := d.cognito.DescribeUserPoolClient(ctx, &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &d.id, ClientId: &id})
		if err != nil {
			d.report.add(check, unknown, reason(err), "let these credentials do cognito-idp:DescribeUserPoolClient")
			return
		}
		for _, variable := range slices.Sorted(maps.Keys(d.claims.Variables)) {
			attribute := d.claims.Variables[variable]
			if how := d.writable(out.UserPoolClient, attribute); how != "" {
				holes++
				d.report.add(check, bad, fmt.Sprintf("with app client %s people %s %s, which becomes %s", id, how, attribute, variable),
					"list the client's WriteAttributes without "+attribute+", and set it as an administrator only")
			}
		}
	}
	if holes == 0 {
		d.report.add(check, good, fmt.Sprintf("no app client (of %d) may write an attribute that becomes one", len(names)), "")
	}
}

func (d *doctor) clientIDs(ctx context.Context) (ids []string, err error) {
	pages := cognitoidentityprovider.NewListUserPoolClientsPaginator(d.cognito, &cognitoidentityprovider.ListUserPoolClientsInput{UserPoolId: &d.id})
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

// writable says how people can write an attribute with a client, "" if they cannot.
//
// A client without WriteAttributes may write the standard attributes, says the API
// ("CreateUserPoolClient", WriteAttributes); people have seen it write custom ones too
// (terraform-provider-aws #2874), so those count as well. An attribute that is not
// mutable can still be set once, at sign-up.
func (d *doctor) writable(client *cognito.UserPoolClientType, attribute string) string {
	if attribute == "sub" || attribute == "identities" || strings.HasPrefix(attribute, "cognito:") || strings.HasPrefix(attribute, "dev:") {
		return "" // never theirs to write
	}
	if client.WriteAttributes != nil && !slices.Contains(client.WriteAttributes, attribute) {
		return ""
	}
	// Described names have the prefix custom:, those of a definition do not.
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
