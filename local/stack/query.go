package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A Row is a user row, by column of [users.Description].
type Row map[string]any

// ID returns the value of the key.
func (r Row) ID() string { return r.Text(users.Description.Key) }

// Text returns a column's value as text. NULL and a column that is absent are empty.
func (r Row) Text(column string) string {
	if r[column] == nil {
		return ""
	}
	return fmt.Sprint(r[column])
}

// A Refusal is an error that Hasura answered with.
type Refusal struct {
	Code    string
	Message string
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// Own reads the rows that the owner of a token sees in the token's default role. The error is a [*Refusal] if Hasura
// refuses the token.
func (s *Stack) Own(ctx context.Context, token string) ([]Row, error) {
	return Own(ctx, s.hasuraURL, token)
}

// Documents reads the documents that the owner of a token sees in a role, with the Hasura project of local/documents. The
// error is a [*Refusal] if Hasura refuses the query.
func (s *Stack) Documents(ctx context.Context, token, role string) ([]Row, error) {
	header := http.Header{"Authorization": {"Bearer " + token}, "X-Hasura-Role": {role}}
	data, err := query(ctx, s.hasuraURL, header, "query documents { documents { tenant_id } }")
	return data.Documents, err
}

// Users reads every row, as admin.
func (s *Stack) Users(ctx context.Context) ([]Row, error) {
	return Users(ctx, s.hasuraURL, s.config.AdminSecret)
}

// Own is [Stack.Own] of the Hasura at a URL without a path.
func Own(ctx context.Context, url, token string) ([]Row, error) {
	header := http.Header{"Authorization": {"Bearer " + token}}
	data, err := query(ctx, url, header, fmt.Sprintf(`query own { users { %s } }`, users.Description.Key))
	return data.Users, err
}

// Users is [Stack.Users] of the Hasura at a URL without a path.
func Users(ctx context.Context, url, adminSecret string) ([]Row, error) {
	var columns strings.Builder
	for _, c := range users.Description.Columns {
		columns.WriteString(c.Name + " ")
	}
	header := http.Header{"X-Hasura-Admin-Secret": {adminSecret}}
	data, err := query(ctx, url, header, fmt.Sprintf(`query all { users(order_by: {%s: asc}) { %s } }`, users.Description.Key, &columns))
	return data.Users, err
}

func query(ctx context.Context, url string, header http.Header, text string) (data data, err error) {
	body, err := json.Marshal(map[string]string{"query": text})
	if err != nil {
		return data, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/graphql", bytes.NewReader(body))
	if err != nil {
		return data, err
	}
	r.Header = header
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return data, fmt.Errorf("query Hasura: %w", err)
	}
	defer resp.Body.Close()
	var answer answer
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return data, fmt.Errorf("read Hasura's answer: %w", err)
	}
	if refusal := answer.refusal(); refusal != nil {
		return data, refusal
	}
	return answer.Data, nil
}

// data is what a query reads.
type data struct{ Users, Documents []Row }

// An answer is what Hasura answers to a query or to a mutation.
type answer struct {
	Data   data
	Errors []struct {
		Message    string
		Extensions struct{ Code string }
	}
}

func (a answer) refusal() *Refusal {
	if len(a.Errors) == 0 {
		return nil
	}
	return &Refusal{a.Errors[0].Extensions.Code, a.Errors[0].Message}
}
