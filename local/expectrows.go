package main

import (
	"context"
	"fmt"
	"maps"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// counts are the outcomes that the command must have.
func (e *everyone) counts() map[reconcile.Outcome]int {
	n := make(map[reconcile.Outcome]int)
	for sub, u := range e.pool {
		row, ok := e.table[sub]
		switch {
		case !ok:
			n[reconcile.Inserted]++
		case maps.Equal(e.factsOf(row), e.factsOf(u)):
			n[reconcile.Same]++
		default:
			n[reconcile.Updated]++
		}
	}
	for sub := range e.table {
		if e.pool[sub].Sub() == "" && !e.deleted[sub] {
			n[reconcile.Marked]++
		}
	}
	return n
}

// factsOf are the columns of a user's row.
func (e *everyone) factsOf(u cognitoidp.User) facts {
	f := facts{users.Description.Enabled: fmt.Sprint(u.Enabled)}
	for _, column := range users.Description.Columns {
		f[column.Name] = textOf(u, column, e.chosen)
	}
	return f
}

// textOf is the text of a column in a user's row.
func textOf(u cognitoidp.User, column users.Column, c choice) string {
	made := event{UserName: u.Username}
	made.Request.UserAttributes = map[string]any{"cognito:user_status": u.Status}
	for name, value := range u.Attributes {
		made.Request.UserAttributes[name] = value
	}
	value := made.value(column, c)
	if value == "" && column.Default != nil {
		value = stack.Row{"": column.Default}.Text("")
	}
	return value
}

// check compares all rows with the expectation, and prints the step.
func (e *everyone) check(ctx context.Context, name, text string, wrong []string) error {
	rows, err := e.stack.Everyone(ctx)
	if err != nil {
		return err
	}
	got, want := facts{}, facts{}
	for _, row := range rows {
		for column := range row {
			got[row.ID()+", "+column] = row.Text(column)
		}
		for _, column := range append(users.Description.Columns, users.Column{Name: users.Description.DeletedAt, Kind: users.Timestamp}) {
			if fact := row.ID() + ", " + column.Name; column.Kind == users.Timestamp && got[fact] != "" {
				got[fact] = "set"
			}
		}
	}
	for sub, u := range e.table {
		for column, value := range e.factsOf(u) {
			want[sub+", "+column] = value
		}
		if e.deleted[sub] {
			want[sub+", "+users.Description.DeletedAt] = "set"
		}
	}
	e.printer.step(name, text, append(wrong, differences(got, want)...))
	return nil
}
