package secretsmanager_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
)

// client is the real SDK, pointed at the server as a function is: by the environment.
func client(t testing.TB, server *httptest.Server) *sdk.Client {
	t.Helper()
	t.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.URL)
	c, err := config.LoadDefaultConfig(t.Context(),
		config.WithRegion("us-east-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("any", "any", "any")))
	if err != nil {
		t.Fatal(err)
	}
	// Not by config.WithHTTPClient, which fails where AWS_CA_BUNDLE is set.
	return sdk.NewFromConfig(c, func(o *sdk.Options) { o.HTTPClient = server.Client() })
}

func TestTheSDKReadsASecret(t *testing.T) {
	servers := map[string]func(http.Handler) *httptest.Server{
		"over HTTP": httptest.NewServer,
		"over TLS":  httptest.NewTLSServer,
	}
	for name, serve := range servers {
		t.Run(name, func(t *testing.T) {
			var s secretsmanager.Server
			server := serve(&s)
			defer server.Close()
			arn := s.Put("app/secrets-1", `{"KEY":"first"}`)
			s.Put("app/secrets-1", `{"KEY":"second"}`)
			s.PutBinary("other", []byte{0, 1, 2})
			c := client(t, server)

			rows := []struct {
				name string
				in   sdk.GetSecretValueInput
				want string
			}{
				{"by name", sdk.GetSecretValueInput{SecretId: aws.String("app/secrets-1")}, `{"KEY":"second"}`},
				{"by ARN", sdk.GetSecretValueInput{SecretId: &arn}, `{"KEY":"second"}`},
				{"by ARN without its random end", sdk.GetSecretValueInput{SecretId: aws.String(arn[:len(arn)-7])}, `{"KEY":"second"}`},
				{"the current one by its label", sdk.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSCURRENT")}, `{"KEY":"second"}`},
				{"the one before", sdk.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSPREVIOUS")}, `{"KEY":"first"}`},
			}
			for _, row := range rows {
				out, err := c.GetSecretValue(t.Context(), &row.in)
				if err != nil {
					t.Errorf("%s: %v", row.name, err)
					continue
				}
				if got := aws.ToString(out.SecretString); got != row.want {
					t.Errorf("%s: value = %s, want %s", row.name, got, row.want)
				}
				if aws.ToString(out.ARN) != arn || aws.ToString(out.Name) != "app/secrets-1" || len(aws.ToString(out.VersionId)) != 36 || out.CreatedDate == nil {
					t.Errorf("%s: the rest of the answer is %+v", row.name, out)
				}
			}
			out, err := c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String("other")})
			if err != nil || !bytes.Equal(out.SecretBinary, []byte{0, 1, 2}) || out.SecretString != nil {
				t.Errorf("binary secret = %+v, %v", out, err)
			}
			if got, want := s.Calls(), len(rows)+1; got != want {
				t.Errorf("Calls() = %d, want %d", got, want)
			}
		})
	}
}

func TestRotation(t *testing.T) {
	var s secretsmanager.Server
	server := httptest.NewServer(&s)
	defer server.Close()
	c := client(t, server)
	get := func(in sdk.GetSecretValueInput) (value, version string, stages []string) {
		t.Helper()
		in.SecretId = aws.String("bag")
		out, err := c.GetSecretValue(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.SecretString), aws.ToString(out.VersionId), out.VersionStages
	}
	s.Put("bag", "one")
	_, one, _ := get(sdk.GetSecretValueInput{})
	s.Put("bag", "two")
	s.Put("bag", "three")

	if value, id, _ := get(sdk.GetSecretValueInput{}); value != "three" || id == one {
		t.Errorf("current = %s with version %s, want three with a version of its own", value, id)
	}
	if value, _, _ := get(sdk.GetSecretValueInput{VersionStage: aws.String("AWSPREVIOUS")}); value != "two" {
		t.Errorf("previous = %s, want two", value)
	}
	if value, _, stages := get(sdk.GetSecretValueInput{VersionId: &one}); value != "one" || len(stages) != 0 {
		t.Errorf("the first by its id = %s, labels %q, want one without a label", value, stages)
	}
}

func TestWhatTheSDKSeesOfErrors(t *testing.T) {
	var s secretsmanager.Server
	server := httptest.NewServer(&s)
	defer server.Close()
	s.Put("bag", "one")
	c := client(t, server)
	out, err := c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String("bag")})
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name          string
		in            sdk.GetSecretValueInput
		code, message string
	}{
		{"no such secret", sdk.GetSecretValueInput{SecretId: aws.String("ba")},
			"ResourceNotFoundException", "Secrets Manager can't find the specified secret."},
		{"no version with the label", sdk.GetSecretValueInput{SecretId: aws.String("bag"), VersionStage: aws.String("AWSPREVIOUS")},
			"ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS"},
		{"no version with the id", sdk.GetSecretValueInput{SecretId: aws.String("bag"), VersionId: aws.String(strings.Repeat("x", 32))},
			"ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: " + strings.Repeat("x", 32)},
		{"label and id of two versions", sdk.GetSecretValueInput{SecretId: aws.String("bag"), VersionId: out.VersionId, VersionStage: aws.String("AWSPENDING")},
			"InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId."},
	}
	for _, row := range rows {
		_, err := c.GetSecretValue(t.Context(), &row.in)
		got, ok := errors.AsType[smithy.APIError](err)
		if !ok || got.ErrorCode() != row.code || got.ErrorMessage() != row.message {
			t.Errorf("%s: error = %v, want %s: %s", row.name, err, row.code, row.message)
		}
	}
	if _, err := c.ListSecrets(t.Context(), &sdk.ListSecretsInput{}); err == nil || !strings.Contains(err.Error(), "UnknownOperationException") {
		t.Errorf("another action: error = %v, want UnknownOperationException", err)
	}
}

func TestOnTheWire(t *testing.T) {
	const good = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=s"
	rows := []struct {
		name, authorization, body string
		status                    int
		want                      string // what the answer holds
	}{
		{"signed", good, `{"SecretId":"bag"}`, 200, `"SecretString":"one"`},
		{"not signed", "", `{"SecretId":"bag"}`, 400, `{"__type":"MissingAuthenticationTokenException","Message":"Missing Authentication Token"}`},
		{"a token of another kind", "Bearer x", `{"SecretId":"bag"}`, 400, `"__type":"MissingAuthenticationTokenException"`},
		{"signed for another service", strings.Replace(good, "secretsmanager", "sqs", 1), `{"SecretId":"bag"}`, 400, `"__type":"InvalidSignatureException"`},
		{"no signature behind the scope", strings.TrimSuffix(good, ", Signature=s"), `{"SecretId":"bag"}`, 400, `"__type":"InvalidSignatureException"`},
		{"no JSON", good, `SecretId=bag`, 400, `"__type":"SerializationException"`},
		{"no secret named", good, `{}`, 400, `"__type":"ValidationException"`},
	}
	var s secretsmanager.Server
	s.Put("bag", "one")
	for _, row := range rows {
		r := httptest.NewRequest("POST", "/", strings.NewReader(row.body))
		r.Header.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
		r.Header.Set("Authorization", row.authorization)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		body, _ := io.ReadAll(w.Body)
		if w.Code != row.status || !strings.Contains(string(body), row.want) {
			t.Errorf("%s: answer = %d %s, want %d with %s", row.name, w.Code, body, row.status, row.want)
		}
		if got := w.Header().Get("Content-Type"); got != "application/x-amz-json-1.1" {
			t.Errorf("%s: content type = %q", row.name, got)
		}
	}
}
