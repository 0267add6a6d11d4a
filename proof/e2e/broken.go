package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A check that cannot fail shows nothing. The steps below break one thing each, do what an
// earlier step did, and want that step's failure.

// noDefaultRole and wrongShape put a function that answers wrongly in the place of the
// deployed one.

func (m *machine) noDefaultRole(ctx context.Context) (string, error) {
	return m.answering(ctx, "leaves the default role out", "id token: refused by Hasura: jwt-missing-role-claims")
}

func (m *machine) wrongShape(ctx context.Context) (string, error) {
	return m.answering(ctx, "answers in the wrong shape", "id token: refused by Hasura: jwt-invalid-claims: claims key: '"+namespace+"' not found")
}

func (m *machine) answering(ctx context.Context, how, want string) (note string, err error) {
	liar := filepath.Join(m.dir, "liar")
	if err := stack.Build(".", "local/testdata/liar", liar); err != nil {
		return "", err
	}
	if err := m.replaceCode(ctx, m.v2.trigger, liar, map[string]string{"how": how}); err != nil {
		return "", err
	}
	return refused(m.through(ctx, m.v2), want)
}

// absentColumn has the upsert name a column to update that the table lacks, as after a
// migration that was not run.
func (m *machine) absentColumn(ctx context.Context) (string, error) {
	s, err := m.newSite(ctx, "cognito-local-absent-column", alsoColumn("shoe_size"))
	if err != nil {
		return "", err
	}
	return refused(s.signUp(ctx), errNoRow.Error()+"; ", "validation-failed")
}

// alsoColumn adds a column to those that the upsert is to update.
func alsoColumn(name string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var body struct {
				Query     string         `json:"query"`
				Operation string         `json:"operationName,omitempty"`
				Variables map[string]any `json:"variables"`
			}
			text, err := io.ReadAll(r.Body)
			if err == nil {
				err = json.Unmarshal(text, &body)
			}
			if err != nil {
				http.Error(w, "no GraphQL request", http.StatusBadRequest)
				return
			}
			if columns, ok := body.Variables["columns"].([]any); ok {
				body.Variables["columns"] = append(columns, name)
				if text, err = json.Marshal(body); err != nil {
					panic(err) // it came out of JSON
				}
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			next.ServeHTTP(w, r)
		})
	}
}

// refused wants an error that says all of the given.
func refused(err error, want ...string) (string, error) {
	if err == nil {
		return "", fmt.Errorf("nothing failed, want an error with %q", want)
	}
	for _, text := range want {
		if !strings.Contains(err.Error(), text) {
			return "", fmt.Errorf("it failed with\n%w\nwant an error with %q", err, text)
		}
	}
	return "found out", nil
}
