package hasura

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteDialect does in Go what PostgreSQL does by itself: it checks values by type, knows
// which rows are new, and gives errors their SQLSTATE. Two differences remain. Text is
// ordered by its bytes, and a time must be in one of timestampForms.
type sqliteDialect struct{}

var memories atomic.Int64

func openSQLite(ctx context.Context, migrations string) (*Database, error) {
	uri := fmt.Sprintf("file:/memory-%d?vfs=memdb&_pragma=busy_timeout(5000)&_txlock=immediate", memories.Add(1))
	db, err := sql.Open("sqlite", uri)
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	// SQLite has one writer. One connection for all requests avoids "database is locked".
	// The second connection only keeps the database alive.
	db.SetMaxOpenConns(2)
	keeper, err := db.Conn(ctx)
	if err == nil {
		_, err = db.ExecContext(ctx, sqliteSchema(migrations))
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	closeBoth := func() error { return errors.Join(keeper.Close(), db.Close()) }
	return &Database{Name: "SQLite in memory", SQL: db, dialect: sqliteDialect{}, close: closeBoth}, nil
}

// sqliteUUID is a random UUID of version 4.
const sqliteUUID = "(lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' || " +
	"substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))"

const sqliteNow = "(strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000+00:00')"

var (
	sqlComment    = regexp.MustCompile(`--[^\n]*`)
	ddlStatement  = regexp.MustCompile(`(?ims)^(?:CREATE TABLE|ALTER TABLE [^;]*? ADD COLUMN|CREATE (?:UNIQUE )?INDEX)\b.*?;`)
	alterTable    = regexp.MustCompile(`(?i)^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?[\w".]+`)
	nextColumn    = regexp.MustCompile(`(?i),\s*ADD COLUMN\b`)
	createUpdated = regexp.MustCompile(`(?is)^CREATE TABLE "(\w+)".*\bupdated_at\b`)
	// sqliteRules translate a statement. A column gets a check for the one form in which the
	// dialect stores its type.
	sqliteRules = []struct {
		from *regexp.Regexp
		to   string
	}{
		{regexp.MustCompile(`(?i)\b(TABLE|INDEX|ON|REFERENCES)\s+(?:IF NOT EXISTS\s+)?(?:ONLY\s+)?(?:"?\w+"?\.)?"?(\w+)"?`), `$1 "$2"`},
		{regexp.MustCompile(`::\w+`), ``},
		{regexp.MustCompile(`(?i)\bnow\(\)`), sqliteNow},
		{regexp.MustCompile(`(?i)DEFAULT \w+_uuid\(\)`), "DEFAULT " + sqliteUUID},
		{regexp.MustCompile(`(?i)"?(\w+)"?[ \t]+uuid\b`), `"$1" TEXT CHECK ("$1" GLOB '????????-????-????-????-????????????' AND "$1" NOT GLOB '*[^0-9a-f-]*')`},
		{regexp.MustCompile(`(?i)"?(\w+)"?[ \t]+boolean\b`), `"$1" INTEGER CHECK ("$1" IN (0, 1))`},
		{regexp.MustCompile(`(?i)"?(\w+)"?[ \t]+jsonb\b`), `"$1" TEXT CHECK (json_valid("$1"))`},
		{regexp.MustCompile(`(?i)"?(\w+)"?[ \t]+(?:timestamp with time zone|timestamptz)\b`), `"$1" TEXT CHECK ("$1" GLOB '????-??-??T??:??:??.??????+00:00')`},
	}
)

// sqliteSchema translates the tables, columns and indexes of the migrations to SQLite. It
// ignores other statements. A table with a column updated_at gets a trigger for it.
func sqliteSchema(migrations string) string {
	var schema strings.Builder
	for _, statement := range ddlStatement.FindAllString(sqlComment.ReplaceAllString(migrations, ""), -1) {
		if table := alterTable.FindString(statement); table != "" { // SQLite adds one column in a statement
			statement = nextColumn.ReplaceAllString(statement, ";"+table+" ADD COLUMN")
		}
		for _, rule := range sqliteRules {
			statement = rule.from.ReplaceAllString(statement, rule.to)
		}
		schema.WriteString(statement)
		if table := createUpdated.FindStringSubmatch(statement); table != nil {
			fmt.Fprintf(&schema, "CREATE TRIGGER set_%[1]s_updated_at AFTER UPDATE ON %[1]s BEGIN "+
				"UPDATE %[1]s SET updated_at = %[2]s WHERE rowid = NEW.rowid; END;", table[1], sqliteNow)
		}
	}
	return schema.String()
}

func (sqliteDialect) tableName(t *table) string { return quote(t.name) }
func (sqliteDialect) jsonObject() string        { return "json_object" }

// jsonOf shows a time without zeros at its end, as PostgreSQL does.
func (sqliteDialect) jsonOf(c column) string {
	name := quote(c.name)
	switch c.typ {
	case "jsonb":
		return "json(" + name + ")"
	case "Boolean":
		return "json(CASE " + name + " WHEN 1 THEN 'true' WHEN 0 THEN 'false' END)"
	case "timestamptz":
		return "rtrim(rtrim(substr(" + name + ", 1, 26), '0'), '.') || '+00:00'"
	}
	return name
}

func (sqliteDialect) bind(s *statement, typ, text string) {
	value, err := asPostgres(typ, text)
	if err != nil {
		s.fail(err)
	}
	s.argument(value)
	s.write("?")
}

// in takes a literal apart as pgx does what PostgreSQL sends.
func (d sqliteDialect) in(s *statement, c column, literal string) {
	var elements []*string
	if err := pgtype.NewMap().Scan(pgtype.TextArrayOID, pgtype.TextFormatCode, []byte(literal), &elements); err != nil {
		s.fail(&failure{state: "22P02", message: fmt.Sprintf(`malformed array literal: "%s"`, literal)})
	}
	s.column(c.name)
	s.write(" IN (")
	list(s, elements, func(element *string) {
		if element == nil {
			s.write("NULL")
			return
		}
		d.bind(s, c.typ, *element)
	})
	s.write(")")
}

// conflictTarget: SQLite has the columns of a constraint here instead of its name.
func (sqliteDialect) conflictTarget(t *table, constraint string) string {
	return `("` + strings.Join(t.constraints[constraint], `", "`) + `")`
}

// isNew looks for an existing row before the row is written.
func (sqliteDialect) isNew(ctx context.Context, s *statement, constraint string, row map[string]any) {
	look := s.statement(s.table, "SELECT 1 FROM ", quote(s.table.name), " WHERE TRUE")
	for _, name := range s.table.constraints[constraint] {
		column, _ := s.table.column(name)
		look.write(" AND ", quote(name), " = ")
		look.bind(column.typ, row[name])
	}
	isNew := "TRUE"
	if s.err == nil { // else the statement does not run
		s.err = look.query(ctx, "", func(*sql.Rows) error { isNew = "FALSE"; return nil })
	}
	s.write(isNew)
}

func (sqliteDialect) failure(err error) error {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	// The text is like "constraint failed: NOT NULL constraint failed: users.id (1299)".
	text := e.Error()
	place := strings.TrimSpace(text[strings.LastIndex(text, ": ")+1:])
	table, rest, _ := strings.Cut(place, ".")
	column, _, _ := strings.Cut(rest, " ")
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return &failure{state: "23505", message: fmt.Sprintf(`duplicate key value violates unique constraint "%s_pkey"`, table)}
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE: // the name is PostgreSQL's default
		return &failure{state: "23505", message: fmt.Sprintf(`duplicate key value violates unique constraint "%s_%s_key"`, table, column)}
	case sqlite3.SQLITE_CONSTRAINT_NOTNULL:
		return &failure{state: "23502", message: fmt.Sprintf(`null value in column "%s" of relation "%s" violates not-null constraint`, column, table)}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &failure{state: "55P03", message: "canceling statement due to lock timeout"}
	case sqlite3.SQLITE_INTERRUPT:
		return context.Canceled
	}
	if _, table, ok := strings.Cut(text, "no such table: "); ok {
		table, _, _ = strings.Cut(table, " ")
		return &failure{state: "42P01", message: fmt.Sprintf("relation %q does not exist", "public."+table)}
	}
	return &failure{state: "XX000", message: text}
}

// asPostgres parses text as PostgreSQL does for a type. It returns the one form in which
// SQLite stores such values, or the *failure that PostgreSQL reports.
func asPostgres(typ, text string) (any, error) {
	if strings.ContainsRune(text, 0) {
		return nil, &failure{state: "22021", message: `invalid byte sequence for encoding "UTF8": 0x00`}
	}
	switch typ {
	case "uuid":
		id, err := uuid.Parse(text)
		if err != nil || strings.HasPrefix(text, "urn:") {
			return nil, invalidSyntax("22P02", "uuid", text)
		}
		return id.String(), nil
	case "timestamptz":
		return timestamp(text)
	case "date":
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return nil, invalidSyntax("22007", "date", text)
		}
	case "Int":
		if _, err := strconv.ParseInt(text, 10, 32); err != nil {
			return nil, invalidSyntax("22P02", "integer", text)
		}
	case "jsonb":
		return jsonb(text)
	case "Boolean":
		switch text {
		case "true":
			return 1, nil
		case "false":
			return 0, nil
		}
		return nil, invalidSyntax("22P02", "boolean", text)
	}
	return text, nil
}

func invalidSyntax(state, typ, text string) error {
	return &failure{state: state, message: fmt.Sprintf(`invalid input syntax for type %s: "%s"`, typ, text)}
}

// timestampForms are the forms that programs send. PostgreSQL has more, such as yesterday.
var timestampForms = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07", "2006-01-02 15:04:05",
}

func timestamp(text string) (any, error) {
	outOfRange := false
	for _, form := range timestampForms {
		t, err := time.Parse(form, text)
		if err == nil {
			return t.UTC().Round(time.Microsecond).Format("2006-01-02T15:04:05.000000+00:00"), nil
		}
		outOfRange = outOfRange || strings.HasSuffix(err.Error(), "out of range")
	}
	if outOfRange {
		return nil, &failure{state: "22008", message: fmt.Sprintf(`date/time field value out of range: "%s"`, text)}
	}
	return nil, invalidSyntax("22007", "timestamp with time zone", text)
}

// jsonb returns a form that is the same for equal values: without spaces, sorted by name.
func jsonb(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, invalidSyntax("22P02", "json", text)
	}
	canonical, err := marshal(value)
	if err != nil {
		return nil, err
	}
	// After an escaped backslash, \u0000 is not an escape.
	if strings.Contains(strings.ReplaceAll(string(canonical), `\\`, ""), `\u0000`) {
		return nil, &failure{state: "22P05", message: "unsupported Unicode escape sequence"}
	}
	return string(canonical), nil
}
