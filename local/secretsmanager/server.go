// Package secretsmanager is a stand-in for AWS Secrets Manager. It serves the one operation
// that the suite sends: GetSecretValue of the current version.
//
// Point an SDK at it with AWS_ENDPOINT_URL_SECRETS_MANAGER.
package secretsmanager

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/uuid"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

var service = awsjson.Service{Name: "secretsmanager", Version: "1.1"}

// A Server has secrets in memory. The zero value is ready to use.
type Server struct {
	mu      sync.Mutex
	secrets map[string]sdk.GetSecretValueOutput // by name
	calls   int
}

// Put stores a value and returns the secret's ARN. It replaces the current version.
func (s *Server) Put(name, value string) (arn string) {
	return s.put(sdk.GetSecretValueOutput{Name: &name, SecretString: &value})
}

// PutBinary is Put for a binary value.
func (s *Server) PutBinary(name string, value []byte) (arn string) {
	return s.put(sdk.GetSecretValueOutput{Name: &name, SecretBinary: value})
}

func (s *Server) put(out sdk.GetSecretValueOutput) string {
	out.ARN = aws.String(arn(*out.Name))
	out.VersionId, out.VersionStages = aws.String(uuid.NewString()), []string{"AWSCURRENT"}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.secrets == nil {
		s.secrets = make(map[string]sdk.GetSecretValueOutput)
	}
	s.secrets[*out.Name] = out
	return *out.ARN
}

// arn ends in six characters that AWS chooses at random. Here they depend on the name, so
// that two runs print the same.
func arn(name string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256([]byte(name))
	suffix := make([]byte, 6)
	for i := range suffix {
		suffix[i] = letters[int(sum[i])%len(letters)]
	}
	return fmt.Sprintf("arn:aws:secretsmanager:us-east-1:123456789012:secret:%s-%s", name, suffix)
}

// Calls counts the requests, refused ones included.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	service.Serve(w, r, func(operation string, body []byte) (any, *awsjson.Error) {
		if operation != "GetSecretValue" {
			return nil, awsjson.Unknown(operation)
		}
		return awsjson.Call(body, s.value)
	})
}

// value finds a secret by its name, by its ARN, or by its ARN without the random suffix.
func (s *Server) value(in sdk.GetSecretValueInput) (any, *awsjson.Error) {
	id := aws.ToString(in.SecretId)
	switch {
	case id == "":
		return nil, awsjson.Errorf("ValidationException", "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null")
	case in.VersionId != nil || in.VersionStage != nil && *in.VersionStage != "AWSCURRENT":
		return nil, awsjson.Errorf("ResourceNotFoundException", "the stand-in keeps only the current version")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, out := range s.secrets {
		if id == name || id == *out.ARN || id == (*out.ARN)[:strings.LastIndexByte(*out.ARN, '-')] {
			return out, nil
		}
	}
	return nil, awsjson.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}
