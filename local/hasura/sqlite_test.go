package hasura

import (
	"errors"
	"fmt"
	"testing"
	"testing/fstest"
)

// SQLite stores the same form of a text as PostgreSQL 15, or reports the same SQLSTATE and
// message.
func TestAsPostgres(t *testing.T) {
	rows := []struct{ typ, text, want string }{
		{"uuid", ada, ada},
		{"uuid", "0B7D3C1E5A7F4F7E9C393F5A8E1D2C4B", ada},
		{"uuid", "{" + ada + "}", ada},
		{"uuid", "{" + ada, `22P02: invalid input syntax for type uuid: "{` + ada + `"`},
		{"uuid", "", `22P02: invalid input syntax for type uuid: ""`},
		{"uuid", ada + "0", `22P02: invalid input syntax for type uuid: "` + ada + `0"`},
		{"timestamptz", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00.000000+00:00"},
		{"timestamptz", "2026-11-23 12:00:00.1234567+01", "2026-11-23T11:00:00.123457+00:00"},
		{"timestamptz", "2026-11-23T12:00:00-0530", "2026-11-23T17:30:00.000000+00:00"},
		{"timestamptz", "2026-11-23T12:00:00", "2026-11-23T12:00:00.000000+00:00"},
		{"timestamptz", "2026-11-23", "2026-11-23T00:00:00.000000+00:00"},
		{"timestamptz", "2026-02-30", `22008: date/time field value out of range: "2026-02-30"`},
		{"timestamptz", "2026-11-23T25:00:00Z", `22008: date/time field value out of range: "2026-11-23T25:00:00Z"`},
		{"timestamptz", "", `22007: invalid input syntax for type timestamp with time zone: ""`},
		{"Boolean", "true", "1"},
		{"Boolean", "false", "0"},
		{"Boolean", "perhaps", `22P02: invalid input syntax for type boolean: "perhaps"`},
		{"String", "é\n\"", "é\n\""},
		{"String", "\x00", `22021: invalid byte sequence for encoding "UTF8": 0x00`},
		{"jsonb", `{"bb": 1.50, "a": [true, null, "<é>"], "a": 2}`, `{"a":2,"bb":1.50}`},
		{"jsonb", `{"b": "<", "a": {"y": {}, "x": []}}`, `{"a":{"x":[],"y":{}},"b":"<"}`},
		{"jsonb", `["\u0000"]`, "22P05: unsupported Unicode escape sequence"},
		{"jsonb", `{"\u0000": 1}`, "22P05: unsupported Unicode escape sequence"},
	}
	for _, row := range rows {
		value, err := asPostgres(row.typ, row.text)
		got := fmt.Sprint(value)
		if err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s %q = %s, want %s", row.typ, row.text, got, row.want)
		}
	}

	server := postgresServer()
	if server == "" {
		return
	}
	db := open(t, newPostgres(t, server))
	for _, row := range rows {
		typ := row.typ
		if name, ok := postgresTypes[typ]; ok {
			typ = name
		}
		output := map[string]string{
			"timestamptz": `to_char($1::text::timestamptz, 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00')`,
			"Boolean":     "$1::text::boolean::int::text",
			// PostgreSQL prints jsonb with a space after every comma and colon.
			"jsonb": `regexp_replace($1::text::jsonb::text, '([,:]) ', '\1', 'g')`,
		}[row.typ]
		if output == "" {
			output = "$1::text::" + typ + "::text"
		}
		var got string
		if err := db.SQL.QueryRow("SELECT "+output, row.text).Scan(&got); err != nil {
			f, ok := errors.AsType[*failure](db.dialect.failure(err))
			if !ok {
				t.Fatal(err)
			}
			got = f.Error()
		}
		if got != row.want {
			t.Errorf("PostgreSQL says of %s %q: %s, want %s", row.typ, row.text, got, row.want)
		}
	}
}

// The console of Hasura writes migrations in another form than this project's.
func TestMigrationsOfTheConsole(t *testing.T) {
	files := projectWith(t, "")
	for name, text := range map[string]string{
		"1": `CREATE TABLE "public"."users" ("id" uuid NOT NULL DEFAULT gen_random_uuid(), "email" varchar(100), "active" boolean NOT NULL DEFAULT true, ` +
			`"updated_at" timestamptz NOT NULL DEFAULT now(), PRIMARY KEY ("id") );COMMENT ON TABLE "public"."users" IS E'people; all';
CREATE TRIGGER "set_public_users_updated_at" BEFORE UPDATE ON "public"."users" FOR EACH ROW EXECUTE PROCEDURE "public"."set_current_timestamp_updated_at"();`,
		"2": "alter table \"public\".\"users\" add column \"attributes\" jsonb\n null;\n",
		"3": `CREATE UNIQUE INDEX users_email ON public.users (email);`,
	} {
		files["hasura/migrations/default/"+name+"/up.sql"] = &fstest.MapFile{Data: []byte(text)}
	}
	db, err := Open(t.Context(), files, "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, row := range []struct {
		statement string
		ok        bool
	}{
		{`INSERT INTO users (id, email, attributes) VALUES ('` + ada + `', 'a', '{}')`, true},
		{`UPDATE users SET email = 'b'`, true},
		{`INSERT INTO users (id, email) VALUES ('` + grace + `', 'b')`, false},
		{`INSERT INTO users (id, attributes) VALUES ('` + grace + `', '{')`, false},
		{`INSERT INTO users (id, active) VALUES ('` + grace + `', 2)`, false},
		{`INSERT INTO users (id) VALUES ('Google_1')`, false},
	} {
		if _, err := db.SQL.Exec(row.statement); (err == nil) != row.ok {
			t.Errorf("%s: error %v, want success %t", row.statement, err, row.ok)
		}
	}
}
