package awsjson_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

func TestServe(t *testing.T) {
	const good = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=s"
	rows := []struct {
		name, authorization, target, body string
		status                            int
		want                              string
	}{
		{"a signed request", good, "AmazonSQS.Echo", `{"Text":"x"}`, 200, `{"Echo":"x"}`},
		{"no signature", "", "AmazonSQS.Echo", `{}`, 400, `{"__type":"p#MissingAuthenticationTokenException","message":"Missing Authentication Token"}`},
		{"a bearer token", "Bearer x", "AmazonSQS.Echo", `{}`, 400, `p#MissingAuthenticationTokenException`},
		{"a signature for another service", strings.Replace(good, "sqs", "s3", 1), "AmazonSQS.Echo", `{}`, 400, `p#InvalidSignatureException`},
		{"a scope without a signature", strings.TrimSuffix(good, ", Signature=s"), "AmazonSQS.Echo", `{}`, 400, `p#InvalidSignatureException`},
		{"not JSON", good, "AmazonSQS.Echo", `Text=x`, 400, `p#SerializationException`},
		{"an unknown operation", good, "AmazonSQS.Other", `{}`, 400, `{"__type":"p#UnknownOperationException","message":"the stand-in does not serve Other"}`},
	}
	service := awsjson.Service{Name: "sqs", Version: "1.0", ErrorPrefix: "p#"}
	for _, row := range rows {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(row.body))
		r.Header.Set("X-Amz-Target", row.target)
		r.Header.Set("Authorization", row.authorization)
		w := httptest.NewRecorder()
		service.Serve(w, r, func(operation string, body []byte) (any, *awsjson.Error) {
			if operation != "Echo" {
				return nil, awsjson.Unknown(operation)
			}
			return awsjson.Call(body, func(in struct{ Text string }) (any, *awsjson.Error) {
				return map[string]string{"Echo": in.Text}, nil
			})
		})
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.want) {
			t.Errorf("%s: %d %s, want %d %s", row.name, w.Code, w.Body, row.status, row.want)
		}
		if got := w.Header().Get("Content-Type"); got != "application/x-amz-json-1.0" {
			t.Errorf("%s: content type %q", row.name, got)
		}
	}
}
