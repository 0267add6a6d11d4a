package deploy_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// Hasura's allow list compares whole operations, so the query collection in the metadata
// must hold exactly the operations that the client sends.
func TestQueryCollectionHoldsEveryOperation(t *testing.T) {
	var collections []struct {
		Name       string
		Definition struct {
			Queries []struct{ Name, Query string }
		}
	}
	readYAML(t, "graphql/hasura/metadata/query_collections.yaml", &collections)
	var allowed []struct{ Collection string }
	readYAML(t, "graphql/hasura/metadata/allow_list.yaml", &allowed)
	if len(collections) != 1 || len(allowed) != 1 || allowed[0].Collection != collections[0].Name {
		t.Fatalf("got collections %v, allowed %v; want one collection, and that one allowed", collections, allowed)
	}
	got := map[string]string{}
	for _, query := range collections[0].Definition.Queries {
		got[query.Name] = canonical(t, "query_collections.yaml", query.Query)
	}

	files, err := filepath.Glob("graphql/*.graphql")
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for _, file := range files {
		if filepath.Base(file) == "schema.graphql" {
			continue
		}
		name, want := filepath.Base(file[:len(file)-len(".graphql")]), canonical(t, file, string(readFile(t, file)))
		if sent++; got[name] != want {
			t.Errorf("%s: got this operation in query_collections.yaml:\n%s\nwant:\n%s", file, got[name], want)
		}
	}
	if sent != len(got) {
		t.Errorf("got %d operations in query_collections.yaml, want %d", len(got), sent)
	}
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.Unmarshal(readFile(t, file), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// canonical formats an operation without its comments.
func canonical(t *testing.T, name, text string) string {
	t.Helper()
	document, err := parser.ParseQuery(&ast.Source{Name: name, Input: text})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	formatter.NewFormatter(&out).FormatQueryDocument(document)
	return out.String()
}
