package hasura

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/phenom-earth/hasura-cognito/pkg/logs"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// How much of a response is read. A response to an upsert has about a hundred bytes, and an
// error with its SQL a few thousand. A page of rows has a few hundred kilobytes; with large
// custom attributes it has more.
const (
	maxBody = 1 << 20
	maxPage = 32 << 20
)

// HTTPClient returns a client for one Hasura. It verifies the certificate against the
// endpoint's Host and CA, and follows no redirect: Go would send the admin secret to the
// new address, and turn the mutation into a GET.
func HTTPClient(e settings.Endpoint) *http.Client {
	transport := &http.Transport{
		Proxy:               proxy,
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		TLSHandshakeTimeout: 2 * time.Second,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 10,
		// Load balancers close idle connections after 60 s by default.
		IdleConnTimeout: 50 * time.Second,
	}
	if e.Host != "" || e.CA != nil {
		transport.TLSClientConfig = &tls.Config{ServerName: (&url.URL{Host: e.Host}).Hostname(), RootCAs: e.CA}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// proxy returns the proxy of HTTPS_PROXY and NO_PROXY, as the AWS SDK does, for https
// alone: a proxy for plain http would see the admin secret.
func proxy(r *http.Request) (*url.URL, error) {
	if r.URL.Scheme != "https" {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// A doer sends the requests of the generated client with the headers that Hasura needs. It
// returns only responses that have data. Every other response is an [*Error].
type doer struct {
	client *Client
	secret secrets.Secret
	userID string // is sent as x-hasura-user-id
	limit  int    // of the response's body
	alias  string // of the operation's root field, which the data of a response must have
}

func (d doer) Do(request *http.Request) (*http.Response, error) {
	request.Host = d.client.endpoint.Host
	h := request.Header
	h.Set("X-Hasura-Admin-Secret", d.secret.Reveal())
	if d.client.role != "" {
		h.Set("X-Hasura-Role", d.client.role)
		h.Set("X-Hasura-Use-Backend-Only-Permissions", "true")
		if d.userID != "" {
			h.Set("X-Hasura-User-Id", d.userID)
		}
	}
	if call, ok := lambdacontext.FromContext(request.Context()); ok {
		h.Set("X-Request-Id", call.AwsRequestID)
	}
	// An upsert may be sent twice. With this key Go does so if the connection turns out to
	// be dead, such as one that was open while the execution environment was frozen. The
	// header itself is not sent (net/http, Transport).
	h["Idempotency-Key"] = nil

	response, err := d.client.http.Do(request)
	if err != nil {
		return nil, transportError(err)
	}
	defer response.Body.Close()
	// The body is read to its end, so that the connection can be used again.
	body, err := io.ReadAll(io.LimitReader(response.Body, int64(d.limit)+1))
	if err != nil {
		return nil, transportError(err)
	}
	if !d.isPage(response, body) {
		if err := d.check(response, body); err != nil {
			return nil, err
		}
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// isPage reports whether a response is a page of rows, by its beginning. Such a response is
// decoded once only, by the generated client, which finds errors too.
func (d doer) isPage(response *http.Response, body []byte) bool {
	return response.StatusCode == http.StatusOK && len(body) <= d.limit && bytes.HasPrefix(body, []byte(`{"data":{"`+d.alias+`":[`))
}

// check returns nil for a response that has the operation's data and no error. The error's codes are ones
// that can be logged, even if the server sends the admin secret back as a code.
func (d doer) check(response *http.Response, body []byte) error {
	secret := d.secret
	e := &Error{Status: response.StatusCode}
	if len(body) > d.limit {
		e.Code = CodeTooLarge
		return e
	}
	if e.Status/100 == 3 {
		e.Code = CodeRedirect
		e.Hint = redirectHint(response, secret)
		return e
	}
	var answer struct {
		Data   map[string]json.RawMessage `json:"data"`
		Code   string                     `json:"code"` // of a response without errors, such as a 404
		Errors []struct {
			Extensions struct {
				Code     string `json:"code"`
				Internal struct {
					Error struct {
						SQLState string `json:"status_code"`
					} `json:"error"`
				} `json:"internal"`
			} `json:"extensions"`
		} `json:"errors"`
	}
	err := json.Unmarshal(body, &answer)
	_, hasData := answer.Data[d.alias]
	switch {
	case len(answer.Errors) > 0:
		e.Code = answer.Errors[0].Extensions.Code
		e.SQLState = answer.Errors[0].Extensions.Internal.Error.SQLState
	case e.Status != http.StatusOK:
		e.Code = answer.Code
	case err != nil:
		e.Code = CodeNotJSON
	case !hasData:
		e.Code = CodeNoData
	default:
		return nil
	}
	if !isKnown(e.Code) {
		e.Code = logs.Code(e.Code, secret.Reveal())
	}
	switch {
	case e.SQLState == "":
	case len(e.SQLState) != len("00000"):
		e.SQLState = logs.Unrecognized
	default:
		e.SQLState = logs.Code(e.SQLState, secret.Reveal())
	}
	if e.Status == http.StatusNotFound {
		e.Hint = "there is no GraphQL API at this path. GRAPHQL_DOMAIN takes a URL with the whole path, such as https://api.example.com/hasura/v1/graphql"
	}
	return e
}

// redirectHint names the scheme and the host that a redirect points to, without its path
// and query.
func redirectHint(response *http.Response, secret secrets.Secret) string {
	hint := "set GRAPHQL_DOMAIN to the address where Hasura itself answers"
	to, err := response.Location()
	if err != nil || to.Scheme != "http" && to.Scheme != "https" {
		return hint
	}
	// The colon of a port is not a character of a code.
	if host := strings.Replace(to.Host, ":", ".", 1); logs.Code(host, secret.Reveal()) != host {
		return hint
	}
	where := &url.URL{Scheme: to.Scheme, Host: to.Host}
	return "the address redirects to " + where.String() + ". If that is Hasura, set GRAPHQL_DOMAIN to it, or, for a load balancer, GRAPHQL_HOST to its public name"
}
