package hasura

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func migrations(t *testing.T) string {
	t.Helper()
	files, err := fs.Glob(shippedFS, "hasura/migrations/default/*/up.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations: %v, %v", files, err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := fs.ReadFile(shippedFS, file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// shipped is the project of the repository.
func shipped(t *testing.T) *project {
	t.Helper()
	p, err := loadProject(shippedFS)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Hasura shows the comments of the database as descriptions.
func TestSchemaHasTheCommentsOfTheMigrations(t *testing.T) {
	p := shipped(t)
	comment := regexp.MustCompile(`(?m)^COMMENT ON (?:TABLE|COLUMN) (\w+)\.(\w+)(?:\.(\w+))? IS '(.*)';$`)
	for _, m := range comment.FindAllStringSubmatch(migrations(t), -1) {
		for _, table := range p.tables {
			if table.schema != m[1] || table.name != m[2] {
				continue
			}
			got := ""
			for _, def := range p.roles[roleKey{admin, false}].schema.Types {
				if p.convention(def.Name) != table.typ {
					continue
				}
				if got = def.Description; m[3] != "" {
					got = "no column"
				}
				for _, field := range def.Fields {
					if m[3] != "" && p.columnName(def.Name, field.Name) == m[3] {
						got = field.Description
					}
				}
			}
			if got != m[4] {
				t.Errorf("schema.graphql describes %s.%s as %q, and the migrations as %q", m[2], m[3], got, m[4])
			}
		}
	}
}

// graphQLTypes are those of column types.
var graphQLTypes = map[string]string{"uuid": "uuid", "text": "String", "varchar": "String", "citext": "citext", "boolean": "Boolean", "jsonb": "jsonb",
	"timestamp with time zone": "timestamptz", "timestamptz": "timestamptz", "integer": "Int", "date": "date"}

// SQLite gets its tables from the migrations. They must have the columns of schema.graphql.
func TestMigrationsHaveTheColumnsOfTheSchema(t *testing.T) {
	db, err := Open(t.Context(), shippedFS, "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	typed := map[string]string{}
	line := regexp.MustCompile(`(?im)(?:^\s*|ADD COLUMN )"?(\w+)"? (uuid|text|varchar|citext|boolean|jsonb|timestamp with time zone|timestamptz|integer|date)\b`)
	for _, m := range line.FindAllStringSubmatch(migrations(t), -1) {
		typed[m[1]] = graphQLTypes[strings.ToLower(m[2])]
	}
	for _, table := range shipped(t).tables {
		got, want := map[string]column{}, map[string]column{}
		for _, c := range table.columns {
			want[c.name] = c
		}
		rows, err := db.SQL.Query(`SELECT name, "notnull" = 0 AND pk = 0 FROM pragma_table_info(?)`, table.name)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var c column
			if err := rows.Scan(&c.name, &c.nullable); err != nil {
				t.Fatal(err)
			}
			if c.typ = typed[c.name]; c.typ == "" { // of a type that is not in graphQLTypes
				c.typ = want[c.name].typ
			}
			got[c.name] = c
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(column{})); rows.Err() != nil || diff != "" {
			t.Errorf("error %v; schema.graphql and the migrations differ in %s.%s (-schema +migrations):\n%s", rows.Err(), table.schema, table.name, diff)
		}
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
