package stack

import (
	"database/sql"
	"encoding/json"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
)

var update = flag.Bool("update", false, "write testdata/syncs.json anew")

// syncs are what became of every recorded event of the sync: its outcome, and the table
// after all of them. Times are there or not.
type syncs struct {
	Outcomes map[string]string `json:"outcomes"`
	Rows     []Row             `json:"rows"`
}

// TestSyncs gives every event of the sync to the built function and looks at the rows. With
// HASURA_URL they land in a Hasura that runs elsewhere, such as the real one that make
// e2e-hasura starts; HASURA_DATABASE_URL names its database, whose users are deleted.
func TestSyncs(t *testing.T) {
	function := filepath.Join(t.TempDir(), "bootstrap")
	if err := Build("../..", "functions/"+SyncUsers, function); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"admin", "cognito_sync"} {
		name, url := "the local Hasura", os.Getenv("HASURA_URL")
		if url != "" {
			name = "the Hasura at HASURA_URL"
		}
		t.Run(name+"/"+role, func(t *testing.T) {
			if url == "" {
				url = serveHasura(t)
			} else {
				deleteUsers(t, os.Getenv("HASURA_DATABASE_URL"))
			}
			got := syncAll(t, function, url, role)
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
				t.Errorf("what became of the syncs (-want +got):\n%s", diff)
			}
		})
	}
}

const adminSecret = "the admin secret" // as in compose.yaml

func serveHasura(t *testing.T) (url string) {
	t.Helper()
	project := os.DirFS("../../graphql")
	db, err := hasura.Open(t.Context(), project, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	server, err := hasura.New(hasura.Config{Project: project, Database: db, AdminSecret: adminSecret})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(server)
	t.Cleanup(s.Close)
	return s.URL
}

func deleteUsers(t *testing.T, databaseURL string) {
	t.Helper()
	db, err := sql.Open("pgx", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "DELETE FROM users"); err != nil {
		t.Fatal(err)
	}
}

func syncAll(t *testing.T, function, url, role string) syncs {
	t.Helper()
	manager := new(secretsmanager.Server)
	arn := manager.Put(Secret, `{"ADMIN_SECRET":"`+adminSecret+`"}`)
	secrets := httptest.NewServer(manager)
	defer secrets.Close()
	env := map[string]string{"GRAPHQL_DOMAIN": url, "SECRETS_ARN": arn, "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets.URL}
	if role != "admin" { // which it is by default
		env["HASURA_ROLE"] = role
	}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		env["GOCOVERDIR"] = dir // where a binary built with -cover counts
	}
	s := &Stack{journal: newJournal()}
	var err error
	s.Lambda, err = lambda.NewService(lambda.Function{Name: SyncUsers, Path: function, Env: env, Timeout: 5 * time.Second, Stdout: s.journal, Stderr: s.journal})
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
		call, err := s.Send(t.Context(), SyncUsers, event)
		if err != nil {
			t.Fatal(err)
		}
		all.Outcomes[strings.TrimSuffix(filepath.Base(path), ".json")] = call.Outcome
	}
	if all.Rows, err = Users(t.Context(), url, adminSecret); err != nil {
		t.Fatal(err)
	}
	for _, row := range all.Rows {
		for _, column := range []string{"synced_at", "last_sign_in_at", "created_at", "updated_at"} {
			row[column] = row[column] != nil
		}
	}
	return all
}
