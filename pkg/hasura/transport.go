package hasura

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

// maxBody is how much of an answer is read. One to an upsert has about a hundred
// bytes; an error with its SQL some thousands.
const maxBody = 1 << 20

// newHTTPClient returns a client that keeps one connection and follows no
// redirect: Go would send the admin secret to wherever it points, and turn the
// mutation into a GET.
func newHTTPClient(e Endpoint) *http.Client {
	transport := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		TLSHandshakeTimeout: 2 * time.Second,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 4,
		// Load balancers close idle connections after 60 s unless told otherwise.
		IdleConnTimeout: 50 * time.Second,
	}
	if e.Host != "" {
		transport.TLSClientConfig = &tls.Config{ServerName: (&url.URL{Host: e.Host}).Hostname()}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// A doer sends genqlient's requests with the headers that Hasura wants, and passes
// on only answers that hold data: all else is an [*Error].
type doer struct {
	client *Client
	secret secrets.Secret
	userID string
}

func (d doer) Do(request *http.Request) (*http.Response, error) {
	request.Host = d.client.endpoint.Host
	h := request.Header
	h.Set("X-Hasura-Admin-Secret", d.secret.Reveal())
	if d.client.role != "" {
		h.Set("X-Hasura-Role", d.client.role)
		h.Set("X-Hasura-Use-Backend-Only-Permissions", "true")
		h.Set("X-Hasura-User-Id", d.userID)
	}
	if call, ok := lambdacontext.FromContext(request.Context()); ok {
		h.Set("X-Request-Id", call.AwsRequestID)
	}
	// An upsert may be sent twice. This lets Go do so when the connection turns out
	// to be dead, as one is that was kept while the environment was frozen; the
	// header itself is not sent (net/http, Transport).
	h["Idempotency-Key"] = nil

	response, err := d.client.http.Do(request)
	if err != nil {
		return nil, transportError(err)
	}
	defer response.Body.Close()
	// Read whole, so that the connection can be used again.
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, transportError(err)
	}
	if err := check(response, body); err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// check returns nil for an answer that holds data and no error.
func check(response *http.Response, body []byte) error {
	e := &Error{Status: response.StatusCode}
	if len(body) > maxBody {
		e.Code = CodeTooLarge
		return e
	}
	if e.Status/100 == 3 {
		e.Code = CodeRedirect
		e.location(response)
		return e
	}
	var answer struct {
		Data   map[string]json.RawMessage `json:"data"`
		Code   string                     `json:"code"` // of an answer without errors, such as 404's
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
	switch {
	case len(answer.Errors) > 0:
		e.Code = answer.Errors[0].Extensions.Code
		e.SQLState = answer.Errors[0].Extensions.Internal.Error.SQLState
	case e.Status != http.StatusOK:
		e.Code = answer.Code
	case err != nil:
		e.Code = CodeNotJSON
	case len(answer.Data) == 0:
		e.Code = CodeNoData
	default:
		return nil
	}
	return e
}
