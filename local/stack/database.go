package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/phenom-earth/hasura-cognito/graphql"
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

// Table returns the name of the users table in the database, such as public.users.
func (s *Stack) Table() string { return s.engine.Table(graphql.Users.Insert) }

// TryTable refuses a users table that the functions cannot write.
func (s *Stack) TryTable(ctx context.Context) error {
	var misfits []string
	for _, c := range users.Description.Columns {
		if err := tryWrite(ctx, s.engine, c); err != nil && !slices.Contains(misfits, err.Error()) {
			misfits = append(misfits, err.Error())
		}
	}
	if len(misfits) > 0 {
		return fmt.Errorf("the table %s of %s does not fit:\n%s\nIf the table is older than the migrations, take an empty database. "+
			"If graphql/schema.graphql is older than they are, print it again: docs/own-table.md", s.Table(), s.Database.Name, strings.Join(misfits, "\n"))
	}
	return nil
}

// sample returns a value of a kind of column.
func sample(kind users.Kind) any {
	switch kind {
	case users.UUID:
		return uuid.NewString()
	case users.Boolean:
		return false
	case users.Timestamp:
		return "2026-11-23T12:00:00Z"
	case users.JSON:
		return json.RawMessage("{}")
	case users.Integer:
		return 7
	case users.Date:
		return "1990-12-31"
	}
	return uuid.NewString()
}

// tryWrite writes a row with one column beside the key and what every row has, as the smallest sync does, and takes it
// back. The error is Hasura's. It names the column.
func tryWrite(ctx context.Context, engine *hasura.Server, column users.Column) error {
	row := make(map[string]any)
	for _, c := range users.Description.Columns {
		switch {
		case c.Name == column.Name, c.Name == users.Description.Key, c.Required:
			row[c.Name] = sample(c.Kind)
		case c.Default != nil:
			row[c.Name] = c.Default
		}
	}
	text := fmt.Sprintf(`mutation try($user: %s!) { %s(object: $user, %s: {constraint: %s}) { __typename } }`,
		graphql.Users.Input, graphql.Users.Insert, graphql.Users.OnConflict, graphql.Users.Constraint)
	return engine.Try(ctx, text, map[string]any{"user": row})
}
