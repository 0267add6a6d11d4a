package hasura

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A shape is the type and the nullability of columns by name.
type shape map[string]column

func shapeOfSchema(t *testing.T) shape {
	t.Helper()
	project, err := loadProject(projectFS)
	if err != nil {
		t.Fatal(err)
	}
	s := shape{}
	for _, c := range project.tables[0].columns {
		s[c.name] = c
	}
	return s
}

func migrations(t *testing.T) string {
	t.Helper()
	files, err := fs.Glob(projectFS, "hasura/migrations/default/*/up.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations: %v, %v", files, err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := fs.ReadFile(projectFS, file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// Hasura shows the comments of the database as descriptions.
func TestMigrationsHaveTheCommentsOfTheSchema(t *testing.T) {
	project, err := loadProject(projectFS)
	if err != nil {
		t.Fatal(err)
	}
	types := project.roles[roleKey{admin, false}].schema.Types
	comment := regexp.MustCompile(`(?m)^COMMENT ON (?:TABLE|COLUMN) public\.(users(?:\.\w+)?) IS '(.*)';$`)
	got := map[string]string{}
	for _, m := range comment.FindAllStringSubmatch(migrations(t), -1) {
		got[m[1]] = m[2]
	}
	for _, typ := range []string{"users", "users_insert_input", "users_set_input", "users_stream_cursor_value_input"} {
		want := map[string]string{"users": types["users"].Description}
		for _, field := range types[typ].Fields {
			if field.Description != "" {
				want["users."+field.Name] = field.Description
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the descriptions of %s and the comments of the migrations differ (-schema +migrations):\n%s", typ, diff)
		}
	}
}

func TestMigrationsHaveTheColumnsOfTheSchema(t *testing.T) {
	types := map[string]string{"uuid": "uuid", "text": "String", "boolean": "Boolean", "jsonb": "jsonb", "timestamp with time zone": "timestamptz"}
	got := shape{}
	line := regexp.MustCompile(`(?m)^(?:  |ALTER TABLE public\.users ADD COLUMN )(\w+) (uuid|text|boolean|jsonb|timestamp with time zone)(.*)[,;]$`)
	for _, m := range line.FindAllStringSubmatch(migrations(t), -1) {
		got[m[1]] = column{m[1], types[m[2]], !strings.Contains(m[3], "NOT NULL")}
	}
	if diff := cmp.Diff(shapeOfSchema(t), got, cmp.AllowUnexported(column{})); diff != "" {
		t.Errorf("schema.graphql and the migrations differ (-schema +migrations):\n%s", diff)
	}
}

func TestSQLiteHasTheColumnsOfTheSchema(t *testing.T) {
	types := map[string]string{"uuid": "TEXT", "String": "TEXT", "Boolean": "INTEGER", "jsonb": "TEXT", "timestamptz": "TEXT"}
	want := shapeOfSchema(t)
	for name, c := range want {
		c.typ = types[c.typ]
		want[name] = c
	}
	rows, err := open(t, "").SQL.Query(`SELECT name, type, "notnull" = 0 FROM pragma_table_info('users')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := shape{}
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.typ, &c.nullable); err != nil {
			t.Fatal(err)
		}
		got[c.name] = c
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(column{})); rows.Err() != nil || diff != "" {
		t.Errorf("error %v; schema.graphql and SQLite differ (-schema +SQLite):\n%s", rows.Err(), diff)
	}
}

func TestUpdatedAt(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		s := serve(t, Config{Database: db, AdminSecret: secret})
		fill(t, local(s, db), []string{user(ada, `"updated_at":"2020-01-01T00:00:00Z","created_at":"2020-01-01T00:00:00Z"`)})
		_, got := post(t, s, asAdmin, `mutation { insert_users_one(object: {id: "`+ada+`", email: "new"},
			on_conflict: {constraint: users_pkey, update_columns: [email]}) { created_at updated_at } }`, nil)
		if !strings.Contains(got, `"created_at":"2020-01-01T00:00:00+00:00"`) || strings.Contains(got, `"updated_at":"2020`) {
			t.Errorf("%s, want the old created_at and a new updated_at", got)
		}
	})
}

func TestOpenKeepsTheRows(t *testing.T) {
	server := postgresServer()
	if server == "" {
		return // SQLite is in memory
	}
	databaseURL := newPostgres(t, server)
	for _, given := range [][]string{{user(ada, "")}, nil} {
		db := open(t, databaseURL)
		s := serve(t, Config{Database: db, AdminSecret: secret})
		if given != nil {
			fill(t, local(s, db), given)
		}
		_, got := post(t, s, asAdmin, `{ users { id } }`, nil)
		if want := `{"data":{"users":[{"id":"` + ada + `"}]}}`; !sameJSON(got, want) {
			t.Errorf("%s: %s, want %s", db.Name, got, want)
		}
		db.Close()
	}
}

func TestOpenErrors(t *testing.T) {
	rows := []struct{ name, databaseURL string }{
		{"a file name", "canary.db"},
		{"an invalid URL", "postgres://user:canary@host:port/db"},
		{"a server that does not listen", "postgres://user:canary@127.0.0.1:1/db"},
	}
	for _, row := range rows {
		db, err := Open(t.Context(), projectFS, row.databaseURL)
		if err == nil {
			db.Close()
			t.Errorf("%s: opened", row.name)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error contains the password: %v", row.name, err)
		}
	}
}

// SQLite refuses values that are not in the one form of their type.
func TestSQLiteChecks(t *testing.T) {
	db := open(t, "").SQL
	for _, statement := range []string{
		`INSERT INTO users (id) VALUES ('Google_1')`,
		`INSERT INTO users (id) VALUES ('` + strings.ToUpper(ada) + `')`,
		`INSERT INTO users (id, synced_at) VALUES ('` + ada + `', '2026-11-23')`,
		`INSERT INTO users (id, attributes) VALUES ('` + ada + `', '{')`,
		`INSERT INTO users (id, email_verified) VALUES ('` + ada + `', 2)`,
	} {
		if _, err := db.Exec(statement); err == nil {
			t.Errorf("SQLite accepts %s", statement)
		}
	}
}
