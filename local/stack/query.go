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

// Users reads every row, as admin.
func (s *Stack) Users(ctx context.Context) ([]Row, error) {
	return Users(ctx, s.hasuraURL, s.config.AdminSecret)
}

// Own is [Stack.Own] of the Hasura at a URL without a path.
func Own(ctx context.Context, url, token string) ([]Row, error) {
	return queryUsers(ctx, url, [2]string{"Authorization", "Bearer " + token}, fmt.Sprintf(`query own { users { %s } }`, users.Description.Key))
}

// Users is [Stack.Users] of the Hasura at a URL without a path.
func Users(ctx context.Context, url, adminSecret string) ([]Row, error) {
	var columns strings.Builder
	for _, c := range users.Description.Columns {
		columns.WriteString(c.Name + " ")
	}
	query := fmt.Sprintf(`query all { users(order_by: {%s: asc}) { %s } }`, users.Description.Key, &columns)
	return queryUsers(ctx, url, [2]string{"X-Hasura-Admin-Secret", adminSecret}, query)
}

func queryUsers(ctx context.Context, url string, header [2]string, query string) ([]Row, error) {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(header[0], header[1])
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("query Hasura: %w", err)
	}
	defer resp.Body.Close()
	var answer answer
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read Hasura's answer: %w", err)
	}
	if refusal := answer.refusal(); refusal != nil {
		return nil, refusal
	}
	return answer.Data.Users, nil
}

// An answer is what Hasura answers to a query of users or to a mutation.
type answer struct {
	Data   struct{ Users []Row }
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
