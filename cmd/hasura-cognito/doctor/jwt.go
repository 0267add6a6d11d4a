package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/account"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

// jwt compares Hasura's JWT configuration with the claims, as far as Hasura shows it ("Config API Reference"): not the issuer,
// the audience or the keys.
func (d *doctor) jwt(ctx context.Context, c caller) {
	const check = "Hasura's JWT settings"
	status, data, err := c.send(ctx, http.MethodGet, strings.TrimSuffix(c.endpoint.Health(), "/healthz")+"/v1alpha1/config", nil, nil)
	var config struct {
		Set bool            `json:"is_jwt_set"`
		JWT json.RawMessage `json:"jwt"`
	}
	if err != nil || status != http.StatusOK || json.Unmarshal(data, &config) != nil {
		d.report.add(check, Unknown, "Hasura does not show them", "add config to HASURA_GRAPHQL_ENABLED_APIS, or set TOKEN to an ID token of the pool")
		return
	}
	if !config.Set {
		d.report.add(check, Fail, "Hasura accepts no tokens: HASURA_GRAPHQL_JWT_SECRET is not set", "set it: docs/jwt.md")
		return
	}
	type info struct {
		Namespace string          `json:"claims_namespace"`
		Format    string          `json:"claims_format"`
		Map       json.RawMessage `json:"claims_map"`
	}
	var list []info // older versions of Hasura show one object
	if json.Unmarshal(config.JWT, &list) != nil {
		var one info
		if json.Unmarshal(config.JWT, &one) != nil {
			d.report.add(check, Unknown, "Hasura shows them in an unknown form", "set TOKEN to an ID token of the pool")
			return
		}
		list = []info{one}
	}
	if slices.ContainsFunc(list, func(i info) bool {
		return strings.HasPrefix(i.Namespace, "$") || string(i.Map) != "" && string(i.Map) != "null"
	}) {
		d.report.add(check, Unknown, "Hasura finds the claims by claims_namespace_path or claims_map", "set TOKEN to an ID token of the pool")
		return
	}
	if d.claims.Namespace == "" {
		d.report.add(check, Unknown, "the settings of the claims function are not known", "see the claims function above")
		return
	}
	var found []string
	for _, i := range list {
		if i.Namespace == d.claims.Namespace && i.Format == string(d.claims.Format) {
			d.report.ok(check, fmt.Sprintf("%s as %s", i.Namespace, i.Format))
			return
		}
		found = append(found, fmt.Sprintf("%s as %s", i.Namespace, i.Format))
	}
	d.report.add(check, Fail, fmt.Sprintf("Hasura reads %s, but tokens have %s as %s", strings.Join(found, ", "), d.claims.Namespace, d.claims.Format),
		"set claims_namespace and claims_format in HASURA_GRAPHQL_JWT_SECRET to those of the tokens")
}

// token shows Hasura a token, which proves what Hasura does not show: issuer, audience and keys.
func (d *doctor) token(ctx context.Context, c caller) {
	const check = "Hasura accepts a token"
	if d.Token == "" {
		d.report.add(check, Unknown, "Hasura does not show issuer, audience and keys", "set TOKEN to an ID token of the pool, and run doctor again")
		return
	}
	c.secret = secrets.Secret{}
	var data any
	p := c.query(ctx, http.Header{"Authorization": {"Bearer " + d.Token}}, "{ __typename }", &data)
	switch {
	case p == nil:
		d.report.ok(check, "issuer and keys are the pool's")
	case p.code != "":
		d.report.add(check, Fail, p.found, fmt.Sprintf("check that the token is fresh, and that issuer in HASURA_GRAPHQL_JWT_SECRET is %s. See docs/troubleshooting.md#hasura-refuses-a-token", issuer(d.pool)))
	default:
		d.report.add(check, Fail, p.found, p.hint)
	}
}

// issuer is iss in the pool's tokens. A replica has the issuer of its primary.
func issuer(pool *cognito.UserPoolType) string {
	region := account.PoolRegion(aws.ToString(pool.Id))
	host := "cognito-idp." + region + ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		host += ".cn"
	}
	if pool.IssuerConfiguration != nil && pool.IssuerConfiguration.Type == cognito.IssuerTypeUpdated {
		host = "issuer-" + host
	}
	return "https://" + host + "/" + aws.ToString(pool.Id)
}
