package hasura

import (
	"context"
	"errors"
	"testing"
)

// The codes are those of graphql-engine's dmlTxErrorHandler.
func TestDatabaseErrors(t *testing.T) {
	const path = "$.selectionSet.f"
	said := func(state string) error { return &failure{state: state, message: "m"} }
	rows := []struct {
		name string
		err  error
		want string
	}{
		{"unique", said("23505"), refusal(constraintViolation, path, "Uniqueness violation. m")},
		{"not null", said("23502"), refusal(constraintViolation, path, "Not-NULL violation. m")},
		{"foreign key", said("23503"), refusal(constraintViolation, path, "Foreign key violation. m")},
		{"check", said("23514"), refusal(permissionError, path, "Check constraint violation. m")},
		{"another integrity violation", said("23P01"), refusal(constraintViolation, path, "m")},
		{"invalid data", said("22P02"), refusal(dataException, path, "m")},
		{"an unknown constraint", said("42704"), refusal(constraintError, path, "m")},
		{"no constraint on the columns", said("42P10"), refusal(constraintError, path, "m")},
		{"too many connections", said("53300"), refusal(maxConnections, "$", "max connections reached on postgres")},
		{"a deadlock", said("40P01"), refusal(unexpected, path, "database query error")},
		{"a time-out", said("57014"), refusal(unexpected, path, "database query error")},
		{"a failover", said("25006"), refusal(unexpected, path, "database query error")},
		{"no connection", errors.New("connection refused"), refusal(postgresError, "$", "connection error")},
	}
	for _, row := range rows {
		e := databaseError(row.err, path, "", nil)
		if got := refusal(e.Code, e.Path, e.Message); !sameJSON(got, row.want) {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	x := execution{database: &Database{dialect: postgres{}}}
	if err := x.failed(context.Canceled, path, "", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled request: %v, want context.Canceled", err)
	}
}
