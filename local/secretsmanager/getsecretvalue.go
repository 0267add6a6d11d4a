package secretsmanager

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/phenom-earth/hasura-cognito/local/sigv4"
)

// maxRequest is far more than any request for a secret's value has, in bytes.
const maxRequest = 64 << 10

type input struct {
	SecretID     string `json:"SecretId"`
	VersionID    string `json:"VersionId"`
	VersionStage string
}

type output struct {
	ARN           string
	CreatedDate   float64 // seconds since 1970
	Name          string
	SecretBinary  []byte  `json:",omitempty"`
	SecretString  *string `json:",omitempty"`
	VersionID     string  `json:"VersionId"`
	VersionStages []string
}

// An exception is an error in the shape of the AWS JSON 1.1 protocol.
type exception struct {
	Type    string `json:"__type"`
	Message string
}

// ServeHTTP answers GetSecretValue as "GetSecretValue" in the Secrets Manager API
// Reference says, and any other action with UnknownOperationException.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, fault := s.serve(r)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if fault != nil {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(fault)
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *Server) serve(r *http.Request) (*output, *exception) {
	action := r.Header.Get("X-Amz-Target")
	if r.Method != http.MethodPost || action != "secretsmanager.GetSecretValue" {
		return nil, &exception{Type: "UnknownOperationException"}
	}
	s.mu.Lock()
	s.calls++
	s.mu.Unlock()
	if code, message := sigv4.Check(r.Header.Get("Authorization"), "secretsmanager"); code != "" {
		return nil, &exception{code, message}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return nil, &exception{"SerializationException", "the body cannot be read"}
	}
	var in input
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, &exception{Type: "SerializationException"}
	}
	if in.SecretID == "" {
		return nil, &exception{"ValidationException", "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null"}
	}
	return s.value(in)
}

func (s *Server) value(in input) (*output, *exception) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.find(in.SecretID)
	if found == nil {
		return nil, &exception{"ResourceNotFoundException", "Secrets Manager can't find the specified secret."}
	}
	stage := in.VersionStage
	if stage == "" && in.VersionID == "" {
		stage = current
	}
	i := slices.IndexFunc(found.versions, func(v version) bool { return in.VersionID == v.id })
	switch {
	case in.VersionID != "" && i < 0:
		return nil, &exception{"ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: " + in.VersionID}
	case in.VersionID != "" && stage != "" && !slices.Contains(found.stages(i), stage):
		return nil, &exception{"InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId."}
	case in.VersionID == "":
		if i = found.staged(stage); i < 0 {
			return nil, &exception{"ResourceNotFoundException", fmt.Sprintf("Secrets Manager can't find the specified secret value for staging label: %s", stage)}
		}
	}
	v := found.versions[i]
	return &output{
		ARN:           found.arn,
		CreatedDate:   float64(v.created.UnixMilli()) / 1000,
		Name:          found.name,
		SecretBinary:  v.binary,
		SecretString:  v.text,
		VersionID:     v.id,
		VersionStages: found.stages(i),
	}, nil
}

// staged is the index of the version with that label, or -1.
func (s *secret) staged(stage string) int {
	for i := range s.versions {
		if slices.Contains(s.stages(i), stage) {
			return i
		}
	}
	return -1
}
