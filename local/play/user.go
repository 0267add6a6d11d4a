package main

import (
	"net/http"
	"slices"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// An operation is a button on the page of a user.
type operation struct{ Name, Title string }

var operations = []operation{
	{confirm, "confirms the sign-up"},
	{signIn, "signs in"},
	{refresh, "refreshes the tokens"},
	{forgot, "resets a forgotten password"},
}

// next is the operation that a user with this status does next.
func next(status string) string {
	switch status {
	case cognitoidp.Unconfirmed:
		return confirm
	case cognitoidp.ResetRequired:
		return forgot
	}
	return signIn
}

// userView is what templates/user.html shows.
type userView struct {
	User       cognitoidp.User
	Label      string
	Form       form
	Statuses   []string
	Operations []operation
	Next       string      // the name of one of them
	Action     *actionView // the chosen action, or the last one
	Saved      bool        // the user was edited just now
}

func (a *app) userOf(r *http.Request) (cognitoidp.User, error) {
	u, ok := a.pool.Users.Get(r.PathValue("sub"))
	if !ok {
		return u, problemf(http.StatusNotFound, "The pool has no such user.")
	}
	return u, nil
}

func (a *app) showUser(w http.ResponseWriter, r *http.Request) error {
	u, err := a.userOf(r)
	if err != nil {
		return err
	}
	v := userView{User: u, Label: label(u), Form: formOf(u, a.version()), Statuses: statuses, Operations: operations,
		Next: next(u.Status), Saved: r.FormValue("saved") != ""}
	last := a.lastAction(u.Sub())
	if id := r.FormValue("action"); id != "" {
		if last, err = a.findAction(id); err != nil {
			return err
		}
	}
	v.Action = a.viewAction(r, last)
	return render(w, r, "user.html", v.Label, v)
}

func (a *app) editUser(w http.ResponseWriter, r *http.Request) error {
	u, err := a.userOf(r)
	if err != nil {
		return err
	}
	f := readForm(r)
	attributes, err := f.attributes()
	if err != nil {
		return err
	}
	if !slices.Contains(statuses, f.Status) {
		return problemf(http.StatusBadRequest, "The status is not one of Cognito's.")
	}
	if err := a.edit(r.Context(), u, attributes, f.groupList(), f.Status, !f.Disabled); err != nil {
		return problemf(http.StatusBadRequest, "Cognito refuses: %v", err)
	}
	return redirect(w, r, "/users/"+u.Sub()+"?saved=1")
}

func (a *app) deleteUser(w http.ResponseWriter, r *http.Request) error {
	u, err := a.userOf(r)
	if err != nil {
		return err
	}
	if _, err := a.pool.Do(r.Context(), "AdminDeleteUser", cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": u.Username}); err != nil {
		return err
	}
	a.mu.Lock()
	delete(a.tokens, u.Sub())
	a.mu.Unlock()
	return redirect(w, r, "/users")
}

func (a *app) actUser(w http.ResponseWriter, r *http.Request) error {
	u, err := a.userOf(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(operations, func(o operation) bool { return o.Name == r.FormValue("operation") })
	if i < 0 {
		return problemf(http.StatusBadRequest, "Choose what the user does.")
	}
	return a.actForm(w, r, operations[i].Title, operations[i].Name, u.Sub())
}

func (a *app) actMachine(w http.ResponseWriter, r *http.Request) error {
	return a.actForm(w, r, "A machine gets a token", machineTokens, "")
}

// actForm does an operation with the trigger version and the clientMetadata of the form.
func (a *app) actForm(w http.ResponseWriter, r *http.Request, title, operation, sub string) error {
	f := readForm(r)
	metadata, err := parsePairs(f.Metadata)
	if err != nil {
		return problemf(http.StatusBadRequest, "clientMetadata: %v", err)
	}
	a.mu.Lock()
	var refreshToken string
	if s := a.tokens[sub]; s != nil {
		refreshToken = s.refresh
	}
	a.mu.Unlock()
	this, err := a.act(r.Context(), title, []string{operation}, request{version: f.Version, sub: sub, refresh: refreshToken, metadata: metadata})
	if err != nil {
		return err
	}
	return a.redirectTo(w, r, this)
}

// An actionView is an action with Hasura's verdicts.
type actionView struct {
	*action
	Judged []judged
}

func (a *app) viewAction(r *http.Request, this *action) *actionView {
	if this == nil {
		return nil
	}
	return &actionView{this, a.judgeAll(r.Context(), this.Tokens)}
}

func (a *app) showAction(w http.ResponseWriter, r *http.Request) error {
	this, err := a.findAction(r.PathValue("id"))
	if err != nil {
		return err
	}
	return render(w, r, "action.html", this.Title, a.viewAction(r, this))
}
