package main

import (
	"net/http"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

func (a *app) users(w http.ResponseWriter, r *http.Request) error {
	rows, err := a.stack.Users(r.Context())
	if err != nil {
		return err
	}
	return render(w, r, "users.html", "Users", struct {
		Table   string
		Columns []users.Column
		Rows    []stack.Row
	}{a.stack.Table(), users.Description.Columns, rows})
}
