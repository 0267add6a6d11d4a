package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	grants "github.com/phenom-earth/hasura-cognito/pkg/claims"
)

// shownGroups bounds the rows about groups: a pool can have 10,000.
const shownGroups = 100

// groups has a row for each group of the pool, with the roles that it gives, or with the reason why it gives none. A group whose
// name is ambiguous is always shown.
func (d *doctor) groups(ctx context.Context) {
	n := 0
	pages := cognitoidentityprovider.NewListGroupsPaginator(d.cognito, &cognitoidentityprovider.ListGroupsInput{UserPoolId: &d.Pool})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			d.unread("groups", Unknown, err, "cognito-idp:ListGroups")
			return
		}
		for _, group := range page.Groups {
			name := aws.ToString(group.GroupName)
			why, ambiguous := grants.WhyNoRole(name, d.Pool, d.claims)
			if n++; n > shownGroups && !ambiguous {
				continue
			}
			grant := grants.GrantOf(name, d.Pool, d.claims)
			found := "role " + strings.Join(grant.Roles, ", ")
			if why != "" {
				found = "no role: " + why
			}
			if grant.Tenant != "" {
				found += ", in the tenant " + grant.Tenant
			}
			if ambiguous {
				d.report.add("group "+name, Warn, found+". It puts users into no tenant either",
					"rename the group, or choose a separator in TENANT_GROUPS that no tenant and no role contains")
				continue
			}
			d.report.ok("group "+name, found)
		}
	}
	if n == 0 {
		d.report.ok("groups", "the pool has no groups")
	}
	if n > shownGroups {
		d.report.ok("groups", fmt.Sprintf("the pool has %d, of which the first %d and the ambiguous ones are listed", n, shownGroups))
	}
}
