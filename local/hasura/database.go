package hasura

import (
	"context"
	"database/sql"
	"io/fs"
	"strings"
)

// A Database holds the users table.
type Database struct {
	// Name says where it is, without a password.
	Name string
	// SQL is the database itself, for tests that look at the table, or break
	// it, behind Hasura's back.
	SQL *sql.DB

	dialect dialect
	close   func() error
}

// Close gives the database up. What was in memory is gone.
func (d *Database) Close() error { return d.close() }

// Open opens a database by its URL, and makes the users table where it is
// missing:
//
//	""                             SQLite in memory, a new one every time
//	file:people.db, people.db      SQLite in a file
//	postgres://…, postgresql://…   PostgreSQL, with the project's own migrations
//
// The project is the folder graphql/.
func Open(ctx context.Context, project fs.FS, databaseURL string) (*Database, error) {
	if strings.HasPrefix(databaseURL, "postgres://") || strings.HasPrefix(databaseURL, "postgresql://") {
		return openPostgres(ctx, project, databaseURL)
	}
	return openSQLite(ctx, databaseURL)
}

// A dialect is what differs between PostgreSQL and SQLite.
type dialect interface {
	// tableName is the table's name in SQL.
	tableName(t *table) string
	// output is SQL for a column as JSON in text.
	output(c column) string
	// bind writes an argument of a column's type, given as text.
	bind(b *builder, typ, text string)
	// defaultOf is SQL for a column's default.
	defaultOf(c column) string
	// conflictTarget is SQL for a constraint, after ON CONFLICT.
	conflictTarget(t *table, constraint string) string
	// beforeInsert looks at rows before they are inserted. What it returns goes
	// to inserted; a *failure is what becomes of the insert.
	beforeInsert(ctx context.Context, x execution, rows []any, on object) (before []string, err error)
	// inserted writes SQL, for RETURNING, that is true of a row that is new.
	inserted(b *builder, before []string)
	// failure makes a *failure of what the driver says. Other errors mean that
	// the database is out of reach.
	failure(err error) error
}
