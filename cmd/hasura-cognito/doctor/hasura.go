package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A caller asks one Hasura as its admin.
type caller struct {
	endpoint settings.Endpoint
	http     *http.Client
	secret   secrets.Secret
	role     string
}

// hasura looks at the secret and at Hasura, as the sync is told to find them.
func (d *doctor) hasura(ctx context.Context, env func(string) string) {
	s, faults := settings.ReadHasura(env)
	err := errors.Join(faults...)
	if err != nil {
		d.report.add("sync settings", bad, strings.ReplaceAll(err.Error(), "\n", "; "), "correct the function's environment: every sync is parked like this")
		return
	}
	if s.Endpoint.IsPlainHTTP() {
		d.report.add("sync settings", doubt, "Hasura is called without TLS", "set GRAPHQL_HOST to the name on the load balancer's certificate")
	} else {
		d.report.add("sync settings", good, s.Endpoint.URL.Redacted(), "")
	}
	c := caller{endpoint: s.Endpoint, role: s.Role}
	if domain := d.getenv("GRAPHQL_DOMAIN"); domain != "" {
		if c.endpoint, err = settings.NewEndpoint(domain, ""); err != nil {
			d.report.add("Hasura", bad, err.Error(), "correct GRAPHQL_DOMAIN of this command")
			return
		}
	}
	c.http = hasura.HTTPClient(c.endpoint)

	cache, err := secrets.Open(ctx, slog.New(slog.DiscardHandler), s.SecretARN, s.SecretKey)
	if err == nil {
		c.secret, err = cache.Get(ctx)
	}
	if err != nil {
		d.report.add("secret", bad, err.Error(), "correct SECRETS_ARN or SECRETS_KEY, or put the key in; these credentials need secretsmanager:GetSecretValue")
	} else {
		d.report.add("secret", good, "readable, and the key is there", "")
	}
	if !d.health(ctx, c) || err != nil {
		return
	}
	d.table(ctx, c)
	d.jwt(ctx, c)
	d.token(ctx, c)
}

func (d *doctor) health(ctx context.Context, c caller) bool {
	status, body, err := c.send(ctx, http.MethodGet, "/healthz", nil, nil)
	switch text := strings.TrimSpace(string(body)); {
	case err != nil:
		d.report.add("Hasura", unknown, "it cannot be reached from here", "run this inside the VPC, or through a tunnel: GRAPHQL_DOMAIN=http://127.0.0.1:8080 make doctor …")
		return false
	case status == http.StatusOK && text == "OK":
		d.report.add("Hasura", good, "healthy", "")
	case status == http.StatusOK && strings.HasPrefix(text, "WARN"):
		d.report.add("Hasura", doubt, "its metadata is inconsistent", "hasura metadata inconsistency list")
	case status/100 == 3:
		d.report.add("Hasura", bad, "it redirects, which the sync does not follow", "set GRAPHQL_DOMAIN, or GRAPHQL_HOST, to where it redirects to")
		return false
	default:
		d.report.add("Hasura", bad, fmt.Sprintf("unhealthy: status %d", status), "look at Hasura's log and at its database")
		return false
	}
	return true
}

const introspection = `{
  insert: __type(name: "users_insert_input") { inputFields { name } }
  update: __type(name: "users_update_column") { enumValues { name } }
  constraint: __type(name: "users_constraint") { enumValues { name } }
  mutation: __type(name: "mutation_root") { fields { name args { name } } }
}`

// table asks what the sync's role may write.
func (d *doctor) table(ctx context.Context, c caller) {
	const check = "table users"
	type named struct{ Name string }
	var answer struct {
		Data struct {
			Insert     *struct{ InputFields []named }
			Update     *struct{ EnumValues []named }
			Constraint *struct{ EnumValues []named }
			Mutation   *struct {
				Fields []struct {
					Name string
					Args []named
				}
			}
		}
		Errors []struct{ Extensions struct{ Code string } }
	}
	header := http.Header{}
	who := "admin"
	if c.role != "" {
		who = "the role " + c.role
		header.Set("X-Hasura-Role", c.role)
		header.Set("X-Hasura-Use-Backend-Only-Permissions", "true")
		header.Set("X-Hasura-User-Id", "00000000-0000-0000-0000-000000000000")
	}
	body, _ := json.Marshal(map[string]string{"query": introspection})
	_, data, err := c.send(ctx, http.MethodPost, c.endpoint.URL.Path, header, body)
	switch {
	case err != nil || json.Unmarshal(data, &answer) != nil:
		d.report.add(check, bad, "Hasura gives no GraphQL answer", "check the path in GRAPHQL_DOMAIN")
		return
	case len(answer.Errors) > 0:
		cure := "look up the code in docs/troubleshooting.md"
		if answer.Errors[0].Extensions.Code == "access-denied" {
			cure = "put Hasura's admin secret into the secret: the two differ"
		}
		d.report.add(check, bad, "Hasura says "+answer.Errors[0].Extensions.Code, cure)
		return
	}
	has := func(list []named, name string) bool {
		return slices.ContainsFunc(list, func(n named) bool { return n.Name == name })
	}
	var missing []string
	var insert, update, constraint []named
	if answer.Data.Insert != nil {
		insert = answer.Data.Insert.InputFields
	}
	if answer.Data.Update != nil {
		update = answer.Data.Update.EnumValues
	}
	if answer.Data.Constraint != nil {
		constraint = answer.Data.Constraint.EnumValues
	}
	one := false
	if answer.Data.Mutation != nil {
		for _, f := range answer.Data.Mutation.Fields {
			one = one || f.Name == "insert_users_one" && has(f.Args, "on_conflict")
		}
	}
	if !one {
		missing = append(missing, "insert_users_one with on_conflict")
	}
	if !has(constraint, "users_pkey") {
		missing = append(missing, "the constraint users_pkey")
	}
	for _, column := range users.Table {
		if !has(insert, column.Name) || column.Name != users.KeyColumn && !has(update, column.Name) {
			missing = append(missing, "the column "+column.Name)
		}
	}
	if len(missing) > 0 {
		d.report.add(check, bad, who+" does not have "+strings.Join(missing, ", "), "apply graphql/hasura (migrations and metadata), or adapt it: docs/hasura.md")
		return
	}
	d.report.add(check, good, who+" may write every column, on users_pkey", "")
}

// jwt compares Hasura's JWT configuration, as far as Hasura tells it ("Config API
// Reference"): not the issuer, the audience or the keys.
func (d *doctor) jwt(ctx context.Context, c caller) {
	const check = "Hasura's JWT settings"
	status, data, err := c.send(ctx, http.MethodGet, "/v1alpha1/config", nil, nil)
	var config struct {
		Set bool            `json:"is_jwt_set"`
		JWT json.RawMessage `json:"jwt"`
	}
	if err != nil || status != http.StatusOK || json.Unmarshal(data, &config) != nil {
		d.report.add(check, unknown, "Hasura does not tell them", "have HASURA_GRAPHQL_ENABLED_APIS include config, or set TOKEN to a token of the pool")
		return
	}
	if !config.Set {
		d.report.add(check, bad, "Hasura takes no tokens: HASURA_GRAPHQL_JWT_SECRET is not set", "set it: docs/hasura.md")
		return
	}
	type info struct {
		Namespace string `json:"claims_namespace"`
		Format    string `json:"claims_format"`
	}
	var list []info // since Hasura knows of several; one object before that
	if json.Unmarshal(config.JWT, &list) != nil {
		var one info
		if json.Unmarshal(config.JWT, &one) != nil {
			d.report.add(check, unknown, "Hasura tells them in an unknown form", "set TOKEN to a token of the pool")
			return
		}
		list = []info{one}
	}
	var found []string
	for _, i := range list {
		if i.Namespace == d.claims.Namespace && i.Format == string(d.claims.Format) {
			d.report.add(check, good, fmt.Sprintf("%s as %s", i.Namespace, i.Format), "")
			return
		}
		found = append(found, fmt.Sprintf("%s as %s", i.Namespace, i.Format))
	}
	d.report.add(check, bad, fmt.Sprintf("Hasura reads %s; tokens have %s as %s", strings.Join(found, ", "), d.claims.Namespace, d.claims.Format),
		"set claims_namespace and claims_format in HASURA_GRAPHQL_JWT_SECRET to what tokens have")
}

// token shows Hasura a token, which proves what it does not tell.
func (d *doctor) token(ctx context.Context, c caller) {
	const check = "Hasura takes a token"
	token := d.getenv("TOKEN")
	if token == "" {
		d.report.add(check, unknown, "issuer, audience and keys cannot be read from Hasura", "set TOKEN to an ID token of the pool, and run this again")
		return
	}
	c.secret = secrets.Secret{}
	_, data, err := c.send(ctx, http.MethodPost, c.endpoint.URL.Path, http.Header{"Authorization": {"Bearer " + token}}, []byte(`{"query":"{ __typename }"}`))
	var answer struct {
		Data   map[string]any
		Errors []struct{ Extensions struct{ Code string } }
	}
	switch {
	case err != nil || json.Unmarshal(data, &answer) != nil:
		d.report.add(check, bad, "Hasura gives no GraphQL answer", "check the path in GRAPHQL_DOMAIN")
	case len(answer.Errors) > 0:
		d.report.add(check, bad, "Hasura says "+answer.Errors[0].Extensions.Code, fmt.Sprintf("is it a fresh token, and is Hasura's issuer %s? See docs/troubleshooting.md", issuer(d.pool)))
	default:
		d.report.add(check, good, "issuer and keys are the pool's", "")
	}
}

// issuer is what iss is in the pool's tokens.
func issuer(pool *cognito.UserPoolType) string {
	region, _, _ := strings.Cut(aws.ToString(pool.Id), "_")
	host := "cognito-idp." + region + ".amazonaws.com"
	if pool.IssuerConfiguration != nil && pool.IssuerConfiguration.Type == cognito.IssuerTypeUpdated {
		host = "issuer-" + host
	}
	return "https://" + host + "/" + aws.ToString(pool.Id)
}

// send returns status and body of an answer. Its error says nothing: what the network
// says has internal names in it.
func (c caller) send(ctx context.Context, method, path string, header http.Header, body []byte) (int, []byte, error) {
	u := url.URL{Scheme: c.endpoint.URL.Scheme, Host: c.endpoint.URL.Host, Path: path}
	request, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, errors.New("no request")
	}
	request.Host = c.endpoint.Host
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/json")
	if !c.secret.IsZero() && path != "/healthz" {
		request.Header.Set("X-Hasura-Admin-Secret", c.secret.Reveal())
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, errors.New("no answer")
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 8<<20))
	return response.StatusCode, data, err
}
