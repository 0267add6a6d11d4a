// Package secretsmanager is a Secrets Manager endpoint for tests and laptops: the one
// operation that the suite uses, GetSecretValue, in the protocol that the AWS SDKs
// speak.
//
// Point an SDK at it with AWS_ENDPOINT_URL_SECRETS_MANAGER. Calls have to be signed, but
// signatures are not checked: any access key will do.
package secretsmanager

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	region  = "us-east-1"
	account = "123456789012"
)

// A Server holds secrets in memory. The zero value is ready to use.
type Server struct {
	mu      sync.Mutex
	secrets map[string]*secret // by name
	calls   int
}

type secret struct {
	name, arn string
	versions  []version // the last is AWSCURRENT, the one before AWSPREVIOUS
}

type version struct {
	id      string
	created time.Time
	text    *string // nil when the value is binary
	binary  []byte
}

// Put stores a value and returns the secret's ARN. A secret that is there is rotated:
// the value becomes AWSCURRENT and the one before it AWSPREVIOUS.
func (s *Server) Put(name, value string) (arn string) {
	return s.put(name, version{text: &value})
}

// PutBinary is Put for a value that is not text.
func (s *Server) PutBinary(name string, value []byte) (arn string) {
	return s.put(name, version{binary: value})
}

func (s *Server) put(name string, v version) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.secrets[name]
	if kept == nil {
		kept = &secret{name: name, arn: arn(name)}
		if s.secrets == nil {
			s.secrets = make(map[string]*secret)
		}
		s.secrets[name] = kept
	}
	v.id = versionID(name, len(kept.versions))
	v.created = time.Now()
	kept.versions = append(kept.versions, v)
	return kept.arn
}

// Calls counts the requests for a secret's value, refused ones included.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// arn ends in six characters that AWS chooses at random. Here they depend on the name,
// so that two runs print the same.
func arn(name string) string {
	sum := sha256.Sum256([]byte(name))
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	suffix := make([]byte, 6)
	for i := range suffix {
		suffix[i] = letters[int(sum[i])%len(letters)]
	}
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-%s", region, account, name, suffix)
}

func versionID(name string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s#%d", name, n))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// find looks a secret up by its name, its ARN, or its ARN without the random end.
func (s *Server) find(id string) *secret {
	if found := s.secrets[id]; found != nil {
		return found
	}
	for _, candidate := range s.secrets {
		if id == candidate.arn || id == candidate.arn[:strings.LastIndexByte(candidate.arn, '-')] {
			return candidate
		}
	}
	return nil
}

// The labels of a secret's versions.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

func (s *secret) stages(i int) []string {
	switch len(s.versions) - i {
	case 1:
		return []string{current}
	case 2:
		return []string{previous}
	}
	return nil // kept, but deprecated: reachable by its id alone
}
