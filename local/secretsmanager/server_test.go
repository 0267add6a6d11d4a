package secretsmanager_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
)

// client is the SDK's client. It finds the server as a function does: by the environment.
func client(t testing.TB, server *httptest.Server) *sdk.Client {
	t.Helper()
	t.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.URL)
	c, err := config.LoadDefaultConfig(t.Context(),
		config.WithRegion("us-east-1"),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("any", "any", "any")))
	if err != nil {
		t.Fatal(err)
	}
	// config.WithHTTPClient fails if AWS_CA_BUNDLE is set.
	return sdk.NewFromConfig(c, func(o *sdk.Options) { o.HTTPClient = server.Client() })
}

func TestGetSecretValue(t *testing.T) {
	for name, serve := range map[string]func(http.Handler) *httptest.Server{"HTTP": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			var s secretsmanager.Server
			server := serve(&s)
			defer server.Close()
			arn := s.Put("app/secrets-1", "first")
			if again := s.Put("app/secrets-1", "second"); again != arn {
				t.Errorf("Put returns %s for a new version, want %s", again, arn)
			}
			s.PutBinary("other", []byte{0, 1, 2})
			c := client(t, server)

			rows := []struct {
				name string
				in   sdk.GetSecretValueInput
				want string // or the code of the error
			}{
				{"by name", sdk.GetSecretValueInput{SecretId: aws.String("app/secrets-1")}, "second"},
				{"by ARN", sdk.GetSecretValueInput{SecretId: &arn}, "second"},
				{"by ARN without the random suffix", sdk.GetSecretValueInput{SecretId: aws.String(arn[:len(arn)-7])}, "second"},
				{"with the label AWSCURRENT", sdk.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSCURRENT")}, "second"},
				{"with another label", sdk.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSPREVIOUS")}, "ResourceNotFoundException"},
				{"an unknown secret", sdk.GetSecretValueInput{SecretId: aws.String("app")}, "ResourceNotFoundException"},
				{"an empty id", sdk.GetSecretValueInput{SecretId: aws.String("")}, "ValidationException"},
			}
			for _, row := range rows {
				out, err := c.GetSecretValue(t.Context(), &row.in)
				got := ""
				if e, ok := errors.AsType[smithy.APIError](err); ok {
					got = e.ErrorCode()
				} else if err != nil {
					t.Fatal(err)
				} else if got = aws.ToString(out.SecretString); aws.ToString(out.ARN) != arn || aws.ToString(out.Name) != "app/secrets-1" || len(aws.ToString(out.VersionId)) != 36 {
					t.Errorf("%s: ARN, name or version of %+v", row.name, out)
				}
				if got != row.want {
					t.Errorf("%s: %s, want %s", row.name, got, row.want)
				}
			}
			out, err := c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String("other")})
			if err != nil || !bytes.Equal(out.SecretBinary, []byte{0, 1, 2}) || out.SecretString != nil {
				t.Errorf("a binary secret: %+v, %v", out, err)
			}
			if got, want := s.Calls(), len(rows)+1; got != want {
				t.Errorf("Calls() = %d, want %d", got, want)
			}
			if _, err := c.ListSecrets(t.Context(), &sdk.ListSecretsInput{}); err == nil {
				t.Error("ListSecrets succeeded")
			}
		})
	}
}
