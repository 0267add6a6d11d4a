package hasura

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// A Database holds the tracked tables.
type Database struct {
	// Name says where the database is, without a password.
	Name string
	// SQL is the database itself, for tests that read or break its tables.
	SQL *sql.DB

	dialect dialect
	close   func() error
}

// Close closes the database. A database in memory is gone.
func (d *Database) Close() error { return d.close() }

// Open opens a PostgreSQL database by its URL, or with an empty URL an SQLite database in
// memory. If the database does not have the tracked tables, Open runs the project's
// migrations. The project is the folder graphql/.
func Open(ctx context.Context, project fs.FS, databaseURL string) (*Database, error) {
	files, err := fs.Glob(project, "hasura/migrations/default/*/up.sql")
	if err != nil {
		return nil, err
	}
	var migrations strings.Builder
	for _, file := range files {
		text, err := fs.ReadFile(project, file)
		if err != nil {
			return nil, err
		}
		migrations.Write(append(text, '\n'))
	}
	if databaseURL == "" {
		return openSQLite(ctx, migrations.String())
	}
	tables, err := readMetadata(project)
	if err != nil || len(tables) == 0 {
		return nil, fmt.Errorf("read the tracked tables: %w", err)
	}
	return openPostgres(ctx, databaseURL, tables[0].Table.Schema+"."+tables[0].Table.Name, migrations.String())
}

// A dialect is what differs between PostgreSQL and SQLite.
type dialect interface {
	// tableName is a table's name in SQL.
	tableName(t *table) string
	// jsonObject is the name of the function that makes a JSON object.
	jsonObject() string
	// jsonOf is SQL for a column as an argument of jsonObject.
	jsonOf(c column) string
	// bind writes an argument of a column's type, given as text.
	bind(s *statement, typ, text string)
	// in writes that a column is one of the elements of an array literal.
	in(s *statement, c column, literal string)
	// conflictTarget is SQL for a constraint after ON CONFLICT.
	conflictTarget(t *table, constraint string) string
	// isNew writes SQL for RETURNING that is true if the row was inserted, not updated
	// because of a conflict with the constraint.
	isNew(ctx context.Context, s *statement, constraint string, row map[string]any)
	// failure converts a driver's error to a *failure. Other errors mean that the database
	// cannot be reached.
	failure(err error) error
}

type postgres struct{}

func openPostgres(ctx context.Context, databaseURL, table, migrations string) (*Database, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		// The parser's error can contain the password.
		return nil, errors.New("open PostgreSQL: the database URL is invalid; it looks like postgres://user:password@host/database")
	}
	config.RuntimeParams["timezone"] = "UTC"
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(20)
	if err := migrate(ctx, db, table, migrations); err != nil {
		db.Close()
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	name := fmt.Sprintf("PostgreSQL, %s on %s:%d", config.Database, config.Host, config.Port)
	return &Database{Name: name, SQL: db, dialect: postgres{}, close: db.Close}, nil
}

// migrate runs the migrations unless the table exists.
func migrate(ctx context.Context, db *sql.DB, table, migrations string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// Only one of two processes that start together may migrate.
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtext('hasura-cognito migrations'))"); err != nil {
		return err
	}
	var exists bool
	if err := tx.QueryRowContext(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&exists); err != nil || exists {
		return err
	}
	// Only the simple protocol takes several statements at once.
	if _, err := tx.ExecContext(ctx, migrations, pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("run the migrations: %w", err)
	}
	return tx.Commit()
}

func (postgres) tableName(t *table) string { return quote(t.schema) + "." + quote(t.name) }
func (postgres) jsonObject() string        { return "json_build_object" }
func (postgres) jsonOf(c column) string    { return quote(c.name) }

var postgresTypes = map[string]string{"String": "text", "Boolean": "boolean", "Int": "integer"}

// bind has the server cast the text, so that errors are the server's and not the driver's.
func (postgres) bind(s *statement, typ, text string) {
	s.write(fmt.Sprintf("CAST(CAST($%d AS text) AS %s)", s.argument(text), cmp.Or(postgresTypes[typ], typ)))
}

func (p postgres) in(s *statement, c column, literal string) {
	s.column(c.name)
	s.write(" = ANY(")
	p.bind(s, cmp.Or(postgresTypes[c.typ], c.typ)+"[]", literal)
	s.write(")")
}

func (postgres) conflictTarget(_ *table, constraint string) string {
	return "ON CONSTRAINT " + quote(constraint)
}

// isNew: only a row that existed before has an xmax.
func (postgres) isNew(_ context.Context, s *statement, _ string, _ map[string]any) {
	s.write("xmax = 0")
}

func (postgres) failure(err error) error {
	const tooManyConnections = "53300"
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting && e.Code != tooManyConnections {
		return errors.New(e.Message)
	}
	return &failure{state: e.Code, message: e.Message, detail: e.Detail, hint: e.Hint}
}
