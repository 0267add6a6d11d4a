package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// CheckDatabaseURL refuses what is not the URL of a PostgreSQL database. The error does not quote it: it can hold a password.
func CheckDatabaseURL(url string) error {
	if url == "" || strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return nil
	}
	return errors.New("DATABASE_URL: not the URL of a PostgreSQL database. Write postgres://user:password@host:5432/database")
}

// openDatabase opens the database, creates public.users if it is missing, and refuses a table that the functions cannot
// write.
func openDatabase(ctx context.Context, project fs.FS, url string) (*hasura.Database, error) {
	if err := CheckDatabaseURL(url); err != nil {
		return nil, err
	}
	db, err := hasura.Open(ctx, project, url)
	if err != nil || url == "" {
		return db, err
	}
	var misfits []string
	for _, c := range users.Description.Columns {
		if err := tryWrite(ctx, db, c); err != nil && !slices.Contains(misfits, err.Error()) {
			misfits = append(misfits, err.Error())
		}
	}
	if len(misfits) > 0 {
		return nil, errors.Join(fmt.Errorf("the table public.users of %s does not fit:\n%s", db.Name, strings.Join(misfits, "\n")), db.Close())
	}
	return db, nil
}

// samples are values of each kind of column.
var samples = map[users.Kind]string{
	users.UUID: "gen_random_uuid()", users.Text: "text 'x'", users.Boolean: "false", users.Timestamp: "now()", users.JSON: "jsonb '{}'",
}

// tryWrite writes a row with one column beside the key, as the smallest sync does, and takes it back. PostgreSQL's error
// names the column.
func tryWrite(ctx context.Context, db *hasura.Database, c users.Column) error {
	tx, err := db.SQL.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	names, values := users.Description.Key, samples[users.UUID]
	if c.Name != users.Description.Key {
		names, values = names+", "+c.Name, values+", "+samples[c.Kind]
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO public.users ("+names+") VALUES ("+values+") ON CONFLICT ON CONSTRAINT users_pkey DO NOTHING")
	return err
}
