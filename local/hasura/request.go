package hasura

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// A request is the body of POST /v1/graphql.
type request struct {
	Query         *string        `json:"query"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"`
}

func readRequest(body io.Reader) (request, error) {
	text, err := io.ReadAll(body)
	if err != nil {
		return request{}, fmt.Errorf("read request: %w", err)
	}
	if !json.Valid(text) {
		return request{}, refuse(invalidJSON, "", "Error in $: the body is not JSON")
	}
	var req request
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&req); err != nil {
		return request{}, refuse(parseFailed, "", "the body is not a GraphQL request")
	}
	if req.Query == nil {
		return request{}, refuse(parseFailed, "", `key "query" not found`)
	}
	return req, nil
}
