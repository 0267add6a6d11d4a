package hasura

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed sqlite.sql
var sqliteTable string

// A sqliteDialect does what PostgreSQL does by itself: it judges values by type,
// knows which rows are new, and gives failures their SQLSTATE. Text sorts by its
// bytes, not by a language. The rest of what it cannot do as PostgreSQL does is
// in the rows of the replay test that have an answer of SQLite's own.
type sqliteDialect struct {
	defaults map[string]string // SQL by column
}

var (
	memories atomic.Int64
	uriPath  = strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23")
)

func openSQLite(ctx context.Context, databaseURL string) (*Database, error) {
	uri, name := "file:"+uriPath.Replace(databaseURL), "SQLite, "+databaseURL
	switch {
	case databaseURL == "":
		uri, name = fmt.Sprintf("file:/memory-%d?vfs=memdb", memories.Add(1)), "SQLite in memory"
	case strings.HasPrefix(databaseURL, "file:"):
		uri = databaseURL
	}
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	db, err := sql.Open("sqlite", uri+separator+"_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	// SQLite has one writer. Waiting for it here, in turn, beats "database is
	// locked". The second connection is never used: as long as it is open, the
	// database in memory lives, whatever becomes of the first.
	db.SetMaxOpenConns(2)
	keeper, err := db.Conn(ctx)
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	close := func() error { return errors.Join(keeper.Close(), db.Close()) }
	d := &Database{Name: name, SQL: db, close: close}
	if d.dialect, err = makeSQLiteTable(ctx, db); err != nil {
		close()
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	return d, nil
}

func makeSQLiteTable(ctx context.Context, db *sql.DB) (dialect, error) {
	if _, err := db.ExecContext(ctx, sqliteTable); err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, "SELECT name, dflt_value FROM pragma_table_info('users') WHERE dflt_value IS NOT NULL")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	d := sqliteDialect{map[string]string{}}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		d.defaults[name] = value
	}
	return d, rows.Err()
}

func (sqliteDialect) tableName(t *table) string { return quote(t.name) }

// output trims the zeros of a fraction of a second, as to_json does.
func (sqliteDialect) output(c column) string {
	name := quote(c.name)
	switch c.typ {
	case "jsonb":
		return name
	case "Boolean":
		return "CASE " + name + " WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
	case "timestamptz":
		return "json_quote(rtrim(rtrim(substr(" + name + ", 1, 26), '0'), '.') || '+00:00')"
	}
	return "json_quote(" + name + ")"
}

func (sqliteDialect) bind(b *builder, typ, text string) {
	value, err := asPostgres(typ, text)
	if err != nil && b.fault == nil {
		b.fault = err
	}
	b.argument(value)
	b.write("?")
}

// defaultOf spells the default out: SQLite has no word for it in VALUES.
func (d sqliteDialect) defaultOf(c column) string {
	if value, ok := d.defaults[c.name]; ok {
		return "(" + value + ")"
	}
	return "NULL"
}

// conflictTarget: SQLite names columns and not constraints. There is one.
func (sqliteDialect) conflictTarget(t *table, _ string) string { return "(" + quote(t.key) + ")" }

// beforeInsert gives the keys that are there already. It also says what
// PostgreSQL says of one key twice in an upsert; unlike there, even if where
// leaves the first of the two alone.
func (sqliteDialect) beforeInsert(ctx context.Context, x execution, rows []any, on object) ([]string, error) {
	var keys []string
	for _, row := range rows {
		given, _ := row.(object)
		value, _ := given.get(x.table.key)
		text, ok := value.(string)
		if !ok {
			continue
		}
		key, err := asPostgres("uuid", text)
		if err != nil {
			return nil, err
		}
		if slices.Contains(keys, key.(string)) && len(updateColumns(on)) > 0 {
			return nil, &failure{state: "21000",
				message: "ON CONFLICT DO UPDATE command cannot affect row a second time",
				hint:    "Ensure that no rows proposed for insertion within the same command have duplicate constrained values."}
		}
		keys = append(keys, key.(string))
	}

	b := x.builder()
	b.write("SELECT ", quote(x.table.key), " FROM ", quote(x.table.name), " WHERE ", quote(x.table.key), " IN (")
	list(b, keys, func(key string) error { return b.bind("uuid", key) })
	b.write(")")
	result, err := x.db.QueryContext(ctx, b.text.String(), b.args...)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	var before []string
	for result.Next() {
		var key string
		if err := result.Scan(&key); err != nil {
			return nil, err
		}
		before = append(before, key)
	}
	return before, result.Err()
}

func (sqliteDialect) inserted(b *builder, before []string) {
	b.write(quote(b.table.key), " NOT IN (")
	list(b, before, func(key string) error { return b.bind("uuid", key) })
	b.write(")")
}

func (sqliteDialect) failure(err error) error {
	said, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	// "constraint failed: NOT NULL constraint failed: users.id (1299)"
	place := said.Error()[strings.LastIndex(said.Error(), ": ")+1:]
	table, rest, _ := strings.Cut(strings.TrimSpace(place), ".")
	column, _, _ := strings.Cut(rest, " ")
	switch said.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return &failure{state: "23505", message: fmt.Sprintf(`duplicate key value violates unique constraint "%s_pkey"`, table)}
	case sqlite3.SQLITE_CONSTRAINT_NOTNULL:
		return &failure{state: "23502", message: fmt.Sprintf(`null value in column "%s" of relation "%s" violates not-null constraint`, column, table)}
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return &failure{state: "55P03", message: "canceling statement due to lock timeout"}
	case sqlite3.SQLITE_INTERRUPT:
		return context.Canceled
	}
	if strings.Contains(said.Error(), "no such table") {
		return &failure{state: "42P01", message: `relation "public.users" does not exist`}
	}
	return &failure{state: "XX000", message: said.Error()}
}
