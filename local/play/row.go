package main

import (
	"context"
	"fmt"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// rows are the user rows by key.
func (a *app) rows(ctx context.Context) (map[string]stack.Row, error) {
	list, err := a.stack.Users(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the user rows: %w", err)
	}
	rows := make(map[string]stack.Row)
	for _, row := range list {
		rows[row.ID()] = row
	}
	return rows, nil
}

// rowOf returns a user's row before and after. With the setting USER_ID the key is not the sub; then it is the row that changed.
func rowOf(sub string, before, after map[string]stack.Row) (was, is stack.Row) {
	if after[sub] != nil {
		return before[sub], after[sub]
	}
	for id, row := range after {
		for _, c := range users.Description.Columns {
			if row.Text(c.Name) != before[id].Text(c.Name) {
				return before[id], row
			}
		}
	}
	return nil, nil
}

// A column is one value of a row before and after an action.
type column struct{ Name, Before, After string }

func (c column) Changed() bool { return c.Before != c.After }

// Row has the columns of the user's row before and after that have a value; nil if there is no row.
func (a *action) Row() (columns []column) {
	for _, c := range users.Description.Columns {
		if was, is := a.before.Text(c.Name), a.after.Text(c.Name); was != "" || is != "" {
			columns = append(columns, column{c.Name, was, is})
		}
	}
	return columns
}

// IsNew reports whether the action wrote the row for the first time.
func (a *action) IsNew() bool { return a.before == nil }

// Empty names the other columns.
func (a *action) Empty() (names []string) {
	for _, c := range users.Description.Columns {
		if a.before.Text(c.Name) == "" && a.after.Text(c.Name) == "" {
			names = append(names, c.Name)
		}
	}
	return names
}

// RowText says what happened to the row.
func (a *action) RowText() string {
	changed := 0
	for _, c := range a.Row() {
		if c.Changed() {
			changed++
		}
	}
	switch {
	case a.Tokens != nil && a.Tokens.Subject == clientID:
		return "A machine has no row."
	case a.after == nil:
		return "There is no row yet."
	case a.before == nil:
		return "The row is new."
	case changed == 0:
		return "The row is as it was."
	case changed == 1:
		return "1 column changed."
	}
	return fmt.Sprintf("%d columns changed.", changed)
}
