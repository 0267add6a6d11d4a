// Command generate writes the operations that follow from upsertUser.graphql, schema.graphql and the description of the
// users table: those of reconcile and follow. make generate runs it.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

var operations = template.Must(template.New("").Parse(`
{{define "upsertUsers"}}# upsertUsers is upsertUser for many rows, in one transaction. All rows have the same
# columns, and no key is there twice.
mutation upsertUsers(
  # @genqlient(bind: "[]github.com/phenom-earth/hasura-cognito/pkg/users.Row")
  $users: [{{.Input}}!]!
  # @genqlient(typename: "column")
  $columns: [{{.Columns}}!]!
  # @genqlient(bind: "encoding/json.RawMessage")
  $where: {{.Condition}}!
) {
  # @genqlient(pointer: true)
  written: {{.InsertMany}}(objects: $users, {{.OnConflict}}: { constraint: {{.Constraint}}, {{.UpdateColumns}}: $columns, where: $where }) {
    rows: {{.AffectedRows}}
  }
}
{{end}}
{{define "updateUsers"}}# updateUsers marks or empties the row of a user who is gone, if $where still matches it.
mutation updateUsers(
  # @genqlient(bind: "encoding/json.RawMessage")
  $where: {{.Condition}}!
  # @genqlient(bind: "map[string]interface{}")
  $set: {{.Set}}!
) {
  # @genqlient(pointer: true)
  written: {{.Update}}(where: $where, _set: $set) {
    rows: {{.AffectedRows}}
  }
}
{{end}}
{{define "readUsers"}}# readUsers reads rows to compare them with the pool. The fields are the columns of the
# description in pkg/users.
query readUsers(
  # @genqlient(bind: "encoding/json.RawMessage")
  $where: {{.Condition}}!
  $limit: Int!
) {
  # @genqlient(bind: "[]github.com/phenom-earth/hasura-cognito/pkg/users.Stored")
  rows: {{.Select}}(where: $where, limit: $limit) {
{{range .Read}}    {{.}}
{{end}}  }
}
{{end}}
{{define "listUsers"}}# listUsers reads one page of the rows of a range, to find those whose users are gone. The
# fields are the key, the columns Sub, SyncedAt and DeletedAt of the description in
# pkg/users. The order is that of the column Sub.
query listUsers(
  # @genqlient(bind: "encoding/json.RawMessage")
  $where: {{.Condition}}!
  # @genqlient(bind: "encoding/json.RawMessage")
  $order: [{{.Order}}!]!
  $limit: Int!
) {
  # @genqlient(bind: "[]github.com/phenom-earth/hasura-cognito/pkg/users.Stored")
  rows: {{.Select}}(where: $where, {{.OrderBy}}: $order, limit: $limit) {
{{range .List}}    {{.}}
{{end}}  }
}
{{end}}`))

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// generate expects the root of the repository as working directory.
func generate() error {
	if graphql.Problem != nil {
		return graphql.Problem
	}
	t := users.Description
	data := struct {
		graphql.Names
		Read, List []string
	}{Names: graphql.Users, List: distinct(t.Key, t.Sub, t.SyncedAt, t.DeletedAt)}
	for _, c := range t.Columns {
		if c.Name != t.SignedInAt {
			data.Read = append(data.Read, c.Name)
		}
	}
	data.Read = distinct(append(data.Read, t.Enabled, t.DeletedAt)...)
	for _, name := range []string{"upsertUsers", "updateUsers", "readUsers", "listUsers"} {
		var text strings.Builder
		if err := operations.ExecuteTemplate(&text, name, data); err != nil {
			return err
		}
		if err := os.WriteFile("graphql/"+name+".graphql", []byte(text.String()), 0o644); err != nil {
			return err
		}
	}
	return writeAllowed()
}

// writeAllowed writes the query collection of the allow list: every operation, without comments.
func writeAllowed() error {
	files, err := filepath.Glob("graphql/*.graphql")
	if err != nil {
		return err
	}
	var out strings.Builder
	out.WriteString("# The operations that the functions send to Hasura, for projects that use an allow list: docs/hasura.md, \"Allow list\".\n" +
		"# make generate writes this file.\n- name: hasura_cognito\n  definition:\n    queries:\n")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".graphql")
		if name == "schema" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "      - name: %s\n        query: |\n", name)
		for line := range strings.Lines(string(text)) {
			if code := strings.TrimSpace(line); code != "" && code[0] != '#' {
				out.WriteString("          " + line)
			}
		}
	}
	return os.WriteFile("graphql/hasura/metadata/query_collections.yaml", []byte(out.String()), 0o644)
}

// distinct returns the names that are not empty, each once.
func distinct(names ...string) (list []string) {
	for _, name := range names {
		if name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}
