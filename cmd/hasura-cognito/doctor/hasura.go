package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// A caller sends requests to one Hasura.
type caller struct {
	endpoint settings.Endpoint
	http     *http.Client
	secret   secrets.Secret
	role     string // of the sync; "" means admin
}

// hasura checks the secret and Hasura with the settings of the sync function. It returns nil if Hasura cannot be asked.
func (d *doctor) hasura(ctx context.Context, env func(string) string) *caller {
	s, ok := d.syncSettings(env)
	if !ok {
		return nil
	}
	c := caller{endpoint: s.Endpoint, role: s.Role}
	var err error
	if d.Domain != "" {
		if c.endpoint, err = settings.NewEndpoint(d.Domain, ""); err != nil {
			d.report.add("Hasura", Fail, err.Error(), "correct GRAPHQL_DOMAIN of this command")
			return nil
		}
	}
	c.http = hasura.HTTPClient(c.endpoint)

	cache, err := secrets.Open(ctx, slog.New(slog.DiscardHandler), s.SecretARN, s.SecretKey)
	if err == nil {
		c.secret, err = cache.Get(ctx)
	}
	if err != nil {
		d.report.add("secret", Fail, err.Error(), "correct SECRETS_ARN, SECRETS_KEY or the secret. These credentials need secretsmanager:GetSecretValue, and kms:Decrypt for a key of your own")
	} else {
		d.report.ok("secret", "it holds an admin secret")
	}
	if !d.health(ctx, c) || err != nil {
		return nil
	}
	d.table(ctx, c)
	d.jwt(ctx, c)
	d.token(ctx, c)
	return &c
}

// health checks Hasura's health. It reports whether further requests make sense.
func (d *doctor) health(ctx context.Context, c caller) bool {
	const check = "Hasura"
	status, body, err := c.send(ctx, http.MethodGet, c.endpoint.Health(), nil, nil)
	switch text := strings.TrimSpace(string(body)); {
	case err != nil && d.isTable:
		d.report.add(check, Fail, c.endpoint.URL.Host+" does not answer", "check --hasura, or open a tunnel to Hasura")
		return false
	case err != nil && d.FromVPC:
		d.report.add(check, Fail, "it cannot be reached from here", "check GRAPHQL_DOMAIN, the security groups and Hasura itself")
		return false
	case err != nil:
		d.report.add(check, Unknown, "it cannot be reached from here",
			"run this inside the VPC with --from-vpc, or through a tunnel with GRAPHQL_DOMAIN=http://127.0.0.1:8080")
		return false
	case status == http.StatusOK && text == "OK":
		d.report.ok(check, "healthy")
	case status == http.StatusOK && strings.HasPrefix(text, "WARN"):
		d.report.add(check, Warn, "its metadata is inconsistent", "hasura metadata inconsistency list")
	case status/100 == 3:
		d.report.add(check, Fail, "it redirects, and the sync does not follow", "set GRAPHQL_DOMAIN, or GRAPHQL_HOST, to the address that it redirects to")
		return false
	case status/100 == 4:
		d.report.add(check, Unknown, fmt.Sprintf("%s answers status %d", c.endpoint.Health(), status), "a proxy in front of Hasura may hide the health check. See the rows below")
	default:
		d.report.add(check, Fail, fmt.Sprintf("unhealthy: status %d", status), "look at Hasura's log and at its database")
		return false
	}
	return true
}

// An answer is a response of the GraphQL API.
type answer struct {
	Data   json.RawMessage
	Errors []struct{ Extensions struct{ Code string } }
}

var errNoAnswer = errors.New("no answer")

// query sends a GraphQL query. Its error is a row's finding and hint.
func (c caller) query(ctx context.Context, header http.Header, query string, data any) *problem {
	body, _ := json.Marshal(map[string]string{"query": query})
	status, response, err := c.send(ctx, http.MethodPost, c.endpoint.URL.String(), header, body)
	var a answer
	switch {
	case err != nil:
		return &problem{found: "Hasura does not answer", hint: "look at Hasura's log, and at the load balancer"}
	case status == http.StatusNotFound || json.Unmarshal(response, &a) != nil:
		return &problem{found: fmt.Sprintf("%s is no GraphQL API: status %d", c.endpoint.URL, status),
			hint: "set GRAPHQL_DOMAIN to the URL with the whole path, for example https://api.example.com/hasura/v1/graphql"}
	case len(a.Errors) > 0:
		code := logs.Code(a.Errors[0].Extensions.Code, c.secret.Reveal())
		return &problem{code, "Hasura answers " + code, "see the code in docs/troubleshooting.md#rows-are-parked"}
	}
	if json.Unmarshal(a.Data, data) != nil {
		return &problem{found: "Hasura's answer has no data", hint: "check GRAPHQL_DOMAIN"}
	}
	return nil
}

// A problem is why a query has no result.
type problem struct{ code, found, hint string }

// send returns status and body of a response. Its error says nothing more, because the network's error has internal names.
func (c caller) send(ctx context.Context, method, url string, header http.Header, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, errNoAnswer
	}
	request.Host = c.endpoint.Host
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Content-Type", "application/json")
	if !c.secret.IsZero() && url != c.endpoint.Health() {
		request.Header.Set("X-Hasura-Admin-Secret", c.secret.Reveal())
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, errNoAnswer
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 8<<20))
	return response.StatusCode, data, err
}
