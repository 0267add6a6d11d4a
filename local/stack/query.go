package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A Row is a user row, by column of [users.Description].
type Row map[string]any

// ID returns the value of the key.
func (r Row) ID() string { return r.Text(users.Description.Key) }

// Text returns a column's value as text, or as JSON if it is an object. NULL and a column that is absent are empty.
func (r Row) Text(column string) string {
	switch value := r[column].(type) {
	case nil:
		return ""
	case map[string]any, []any:
		text, _ := json.Marshal(value) // it was decoded from JSON
		return string(text)
	default:
		return fmt.Sprint(value)
	}
}

// Of returns the value of the column with a source, as [Row.Text] does. It is empty if no column has the source.
func (r Row) Of(source users.Source) string {
	for _, c := range users.Description.Columns {
		if c.Source.Name == source.Name {
			return r.Text(c.Name)
		}
	}
	return ""
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
	data, err := query(ctx, s.hasuraURL, header, request{Query: "query documents { documents { tenant_id } }"})
	return data.Documents, err
}

// Users reads every row, as admin, in the order of the keys. Faults of [Stack.Hasura] do not concern it.
func (s *Stack) Users(ctx context.Context) ([]Row, error) {
	s.secret.RLock()
	defer s.secret.RUnlock()
	return Users(ctx, s.rowsURL, s.config.AdminSecret)
}

// Own is [Stack.Own] of the Hasura at a URL without a path.
func Own(ctx context.Context, url, token string) ([]Row, error) {
	header := http.Header{"Authorization": {"Bearer " + token}}
	data, err := query(ctx, url, header, request{Query: fmt.Sprintf(`query own { rows: %s { %s } }`, graphql.Users.Select, users.Description.Key)})
	return data.Rows, err
}

// Users is [Stack.Users] of the Hasura at a URL without a path.
func Users(ctx context.Context, url, adminSecret string) ([]Row, error) {
	return rows(ctx, url, adminSecret, "")
}

// Everyone is [Stack.Users] with the columns that reconcile and follow alone write.
func (s *Stack) Everyone(ctx context.Context) ([]Row, error) {
	s.secret.RLock()
	defer s.secret.RUnlock()
	return rows(ctx, s.rowsURL, s.config.AdminSecret, users.Description.Enabled+" "+users.Description.DeletedAt)
}

func rows(ctx context.Context, url, adminSecret, more string) ([]Row, error) {
	var columns strings.Builder
	for _, c := range users.Description.Columns {
		columns.WriteString(c.Name + " ")
	}
	header := http.Header{"X-Hasura-Admin-Secret": {adminSecret}}
	data, err := query(ctx, url, header, request{Query: fmt.Sprintf(`query all { rows: %s { %s%s } }`, graphql.Users.Select, &columns, more)})
	slices.SortFunc(data.Rows, func(a, b Row) int { return strings.Compare(a.ID(), b.ID()) })
	return data.Rows, err
}

// Insert writes a row as admin, with values by the names of sources. Columns with other sources have none.
func (s *Stack) Insert(ctx context.Context, values map[string]string) error {
	row := make(map[string]string)
	for _, c := range users.Description.Columns {
		if value, ok := values[c.Source.Name]; ok {
			row[c.Name] = value
		}
	}
	n := graphql.Users
	text := fmt.Sprintf(`mutation insert($row: %s!) { %s(object: $row) { __typename } }`, n.Input, n.Insert)
	_, err := query(ctx, s.hasuraURL, http.Header{"X-Hasura-Admin-Secret": {s.config.AdminSecret}}, request{text, map[string]any{"row": row}})
	return err
}

// Age sets the time of the last sync of every row that has one, as if that time had passed. It does nothing if the table has no
// column for it.
func (s *Stack) Age(ctx context.Context, since time.Duration) error {
	column := users.Description.SyncedAt
	if column == "" {
		return nil
	}
	s.secret.RLock()
	defer s.secret.RUnlock()
	n := graphql.Users
	text := fmt.Sprintf(`mutation age($where: %s!, $set: %s!) { %s(where: $where, _set: $set) { %s } }`, n.Condition, n.Set, n.Update, n.AffectedRows)
	_, err := query(ctx, s.rowsURL, http.Header{"X-Hasura-Admin-Secret": {s.config.AdminSecret}}, request{text, map[string]any{
		"where": map[string]any{column: map[string]any{"_is_null": false}},
		"set":   map[string]any{column: time.Now().Add(-since).UTC()},
	}})
	return err
}

type request struct {
	Query     string         `json:"query"`
	Variables map[string]any `json:"variables,omitempty"`
}

func query(ctx context.Context, url string, header http.Header, r request) (data data, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return data, err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/graphql", bytes.NewReader(body))
	if err != nil {
		return data, err
	}
	post.Header = header
	post.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(post)
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
type data struct{ Rows, Documents []Row }

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
