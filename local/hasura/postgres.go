package hasura

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgres leaves nearly everything to PostgreSQL.
type postgres struct{}

func openPostgres(ctx context.Context, project fs.FS, databaseURL string) (*Database, error) {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		// The parser's error can quote the URL, and so the password.
		return nil, errors.New("open PostgreSQL: the database URL cannot be parsed")
	}
	config.RuntimeParams["timezone"] = "UTC"
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(20)
	if err := migrate(ctx, db, project); err != nil {
		db.Close()
		return nil, fmt.Errorf("open PostgreSQL: %w", err)
	}
	name := fmt.Sprintf("PostgreSQL, %s on %s:%d", config.Database, config.Host, config.Port)
	return &Database{Name: name, SQL: db, dialect: postgres{}, close: db.Close}, nil
}

// migrate runs the project's migrations on a database that has no users table.
// One that has it is taken as it is.
func migrate(ctx context.Context, db *sql.DB, project fs.FS) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// Two processes that start together must not both migrate.
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtext('hasura-cognito migrations'))"); err != nil {
		return err
	}
	var there bool
	if err := tx.QueryRowContext(ctx, "SELECT to_regclass('public.users') IS NOT NULL").Scan(&there); err != nil || there {
		return err
	}
	files, err := fs.Glob(project, "hasura/migrations/default/*/up.sql")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := fs.ReadFile(project, file)
		if err != nil {
			return err
		}
		// Only the simple protocol takes several statements at once.
		if _, err := tx.ExecContext(ctx, string(text), pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return tx.Commit()
}

func (postgres) tableName(t *table) string { return quote(t.schema) + "." + quote(t.name) }

func (postgres) output(c column) string { return "CAST(to_json(" + quote(c.name) + ") AS text)" }

var postgresTypes = map[string]string{"String": "text", "Boolean": "boolean"}

// bind has the server cast text, so that a value it does not take gets the
// server's own words and not the driver's.
func (postgres) bind(b *builder, typ, text string) {
	if name, ok := postgresTypes[typ]; ok {
		typ = name
	}
	b.write(fmt.Sprintf("CAST(CAST($%d AS text) AS %s)", b.argument(text), typ))
}

func (postgres) defaultOf(column) string { return "DEFAULT" }

func (postgres) conflictTarget(_ *table, constraint string) string {
	return "ON CONSTRAINT " + quote(constraint)
}

func (postgres) beforeInsert(context.Context, execution, []any, object) ([]string, error) {
	return nil, nil
}

// inserted: a row has an xmax when it was there before.
func (postgres) inserted(b *builder, _ []string) { b.write("xmax = 0") }

func (postgres) failure(err error) error {
	const tooManyConnections = "53300"
	said, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting && said.Code != tooManyConnections {
		return errors.New(said.Message)
	}
	return &failure{state: said.Code, message: said.Message, detail: said.Detail, hint: said.Hint}
}
