package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A subject is someone who has tokens.
type subject struct{ ID, Name string }

func (a *app) subjects() (list []subject) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, u := range slices.Backward(a.pool.Users.All()) {
		if a.tokens[u.Sub()] != nil {
			list = append(list, subject{u.Sub(), label(u)})
		}
	}
	if a.tokens[clientID] != nil {
		list = append(list, subject{clientID, "machine " + clientID})
	}
	return list
}

// tokensView is what templates/tokens.html shows.
type tokensView struct {
	Subjects []subject
	Subject  string // the chosen one
	Tokens   []judged
	Use      string // the token of the query
	Roles    []string
	Role     string
	Query    string
	Answer   string
}

func (a *app) tokensOf(ctx context.Context, id string) tokensView {
	v := tokensView{Subjects: a.subjects(), Use: "id"}
	if !slices.ContainsFunc(v.Subjects, func(s subject) bool { return s.ID == id }) {
		id = ""
		if len(v.Subjects) > 0 {
			id = v.Subjects[0].ID
		}
	}
	v.Subject = id
	a.mu.Lock()
	s := a.tokens[id]
	a.mu.Unlock()
	v.Tokens = a.judgeAll(ctx, s)
	for _, t := range v.Tokens {
		for _, role := range t.Roles() {
			if !slices.Contains(v.Roles, role) {
				v.Roles = append(v.Roles, role)
			}
		}
	}
	if len(v.Tokens) == 1 {
		v.Use = v.Tokens[0].Use
	}
	var columns []string
	for _, c := range users.Description.Columns[:min(5, len(users.Description.Columns))] {
		columns = append(columns, c.Name)
	}
	v.Query = fmt.Sprintf("query {\n  %s {\n    %s\n  }\n}", graphql.Users.Select, strings.Join(columns, "\n    "))
	return v
}

func (a *app) showTokens(w http.ResponseWriter, r *http.Request) error {
	return render(w, r, "tokens.html", "Tokens", a.tokensOf(r.Context(), r.FormValue("subject")))
}

// queryHasura sends the query of the form and shows the answer on the same page. A query changes nothing here that a reload
// could repeat without being asked for, so it needs no redirect.
func (a *app) queryHasura(w http.ResponseWriter, r *http.Request) error {
	v := a.tokensOf(r.Context(), r.FormValue("subject"))
	v.Use, v.Role, v.Query = r.FormValue("token"), r.FormValue("role"), r.FormValue("query")
	i := slices.IndexFunc(v.Tokens, func(t judged) bool { return t.Use == v.Use })
	if i < 0 {
		return problemf(http.StatusBadRequest, "This user has no such token. Sign the user in first.")
	}
	answer, err := a.ask(r.Context(), v.Tokens[i].Raw, v.Role, v.Query)
	if v.Answer = indent(answer); err != nil {
		v.Answer = err.Error()
	}
	return render(w, r, "tokens.html", "Tokens", v)
}
