package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// A Row is a row of users, by column.
type Row map[string]any

// Text is a column's value as text; null and absent are empty.
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

// Own reads the rows that the bearer of a token may see, in the role that is the token's
// default. The error is a [*Refusal] when Hasura does not take the token.
func (s *Stack) Own(ctx context.Context, token string) ([]Row, error) {
	return Own(ctx, s.HasuraURL, token)
}

// Users reads every row, as admin.
func (s *Stack) Users(ctx context.Context) ([]Row, error) {
	return Users(ctx, s.HasuraURL, s.admin)
}

// Own is [Stack.Own] of the Hasura at a URL without a path.
func Own(ctx context.Context, url, token string) ([]Row, error) {
	return users(ctx, url, "Authorization", "Bearer "+token, `query own { users { id username email } }`)
}

// Users is [Stack.Users] of the Hasura at a URL without a path.
func Users(ctx context.Context, url, adminSecret string) ([]Row, error) {
	return users(ctx, url, "X-Hasura-Admin-Secret", adminSecret, `query all { users(order_by: {id: asc}) {
		id username email email_verified phone_number phone_number_verified name given_name family_name picture locale
		identity_provider status attributes last_sign_in_at synced_at created_at updated_at } }`)
}

func users(ctx context.Context, url, header, value, query string) ([]Row, error) {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(header, value)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask Hasura: %w", err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data   struct{ Users []Row }
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read Hasura's answer: %w", err)
	}
	if len(answer.Errors) > 0 {
		return nil, &Refusal{answer.Errors[0].Extensions.Code, answer.Errors[0].Message}
	}
	return answer.Data.Users, nil
}
