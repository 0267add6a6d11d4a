package hasura

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/Khan/genqlient/generate"

	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

func TestGeneratedIsCurrent(t *testing.T) {
	config, err := generate.ReadAndValidateConfig("../../graphql/genqlient.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate.Generate(config)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what graphql/ says (%v): run make generate", name, err)
		}
	}
}

// A column that readUsers did not read would differ in every row, forever.
func TestQueriesReadTheColumns(t *testing.T) {
	table := &users.Description
	read := []string{table.Key, table.Sub, table.SyncedAt, table.Enabled, table.DeletedAt}
	for _, c := range table.Columns {
		if c.Name != table.SignedInAt {
			read = append(read, c.Name)
		}
	}
	for operation, columns := range map[string][]string{
		readUsers_Operation: read,
		listUsers_Operation: {table.Key, table.Sub, table.SyncedAt, table.DeletedAt},
	} {
		fields := strings.Fields(operation)
		for _, name := range columns {
			if name != "" && !slices.Contains(fields, name) {
				t.Errorf("%s does not read %s", operation, name)
			}
		}
	}
}
