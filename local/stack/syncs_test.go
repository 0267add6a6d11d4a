package stack

import (
	"database/sql"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

var update = flag.Bool("update", false, "write testdata/syncs.json")

// syncs has the outcome of every recorded event of the sync function, and the table after all of them. A time is true
// if there is one.
type syncs struct {
	Outcomes map[string]string `json:"outcomes"`
	Rows     []Row             `json:"rows"`
}

// TestSyncs gives every event of the sync function to the built function and compares the rows. HASURA_URL names another
// Hasura, such as the real one of make e2e-hasura. HASURA_DATABASE_URL must then be the database of that
// Hasura. The test deletes all user rows there.
func TestSyncs(t *testing.T) {
	built := t.TempDir()
	if err := Build("../..", "functions/"+functions.Sync, filepath.Join(built, functions.Sync, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	config := Config{Functions: built, Project: project, HasuraURL: os.Getenv("HASURA_URL"), AdminSecret: adminSecret}
	for _, role := range []string{"admin", "cognito_sync"} {
		name := "the local Hasura"
		if config.HasuraURL != "" {
			name = "the Hasura at HASURA_URL"
		}
		t.Run(name+"/"+role, func(t *testing.T) {
			if config.HasuraURL != "" {
				deleteUsers(t, os.Getenv("HASURA_DATABASE_URL"))
			}
			config.Env = nil
			if role != "admin" { // the default
				config.Env = map[string]map[string]string{functions.Sync: {"HASURA_ROLE": role}}
			}
			got := syncAll(t, config)
			const golden = "testdata/syncs.json"
			if *update {
				text, err := json.MarshalIndent(got, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, append(text, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var want syncs
			text, err := os.ReadFile(golden)
			if err == nil {
				err = json.Unmarshal(text, &want)
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("syncs (-want +got; make generate writes %s):\n%s", golden, diff)
			}
		})
	}
}

const adminSecret = "the admin secret" // as in compose.yaml

func deleteUsers(t *testing.T, databaseURL string) {
	t.Helper()
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	engine, err := hasura.New(hasura.Config{Project: project})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM "+engine.Table(graphql.Users.Insert)); err != nil {
		t.Fatal(err)
	}
}

func syncAll(t *testing.T, config Config) syncs {
	t.Helper()
	s, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	paths, err := filepath.Glob("../../events/post-*.json")
	if err != nil {
		t.Fatal(err)
	}
	all := syncs{Outcomes: make(map[string]string)}
	for _, path := range paths {
		event, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		call, err := s.Send(t.Context(), functions.Sync, event)
		if err != nil {
			t.Fatal(err)
		}
		all.Outcomes[strings.TrimSuffix(filepath.Base(path), ".json")] = call.Outcome
	}
	if all.Rows, err = s.Users(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, row := range all.Rows {
		for _, column := range users.Description.Columns {
			if column.Kind == users.Timestamp {
				row[column.Name] = row[column.Name] != nil
			}
		}
	}
	return all
}
