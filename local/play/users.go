package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A form is what a user's fields hold.
type form struct {
	Email, Name, Groups, Tenant, Provider, Status, More string
	Disabled                                            bool
	How                                                 string // of a new user: one of ways
	Version                                             string
	Metadata                                            string
}

func readForm(r *http.Request) form {
	value := func(name string) string { return strings.TrimSpace(r.FormValue(name)) }
	return form{
		Email: value("email"), Name: value("name"), Groups: value("groups"), Tenant: value("tenant"), Provider: value("provider"),
		Status: value("status"), More: r.FormValue("more"), Disabled: value("enabled") == "", How: value("how"),
		Version: cmp.Or(value("version"), "2"), Metadata: r.FormValue("metadata"),
	}
}

// tenantAttribute holds the tenant that a user chose.
const tenantAttribute = "custom:tenant_id"

// ownFields are the attributes with a field of their own. sub and identities are the pool's.
var ownFields = []string{"sub", "identities", "email", "name", tenantAttribute}

// formOf fills the fields with a user.
func formOf(u cognitoidp.User, version string) form {
	f := form{Email: u.Attributes["email"], Name: u.Attributes["name"], Tenant: u.Attributes[tenantAttribute], Groups: strings.Join(groups(u), " "),
		Provider: u.Provider, Status: u.Status, Disabled: !u.Enabled, Version: version}
	for _, name := range slices.Sorted(maps.Keys(u.Attributes)) {
		if !slices.Contains(ownFields, name) {
			f.More += name + "=" + u.Attributes[name] + "\n"
		}
	}
	return f
}

// attributes are those of the fields.
func (f form) attributes() (map[string]string, error) {
	attributes, err := parsePairs(f.More)
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "More attributes: %v", err)
	}
	for name := range attributes {
		if slices.Contains(ownFields, name) || strings.HasPrefix(name, "cognito:") {
			return nil, problemf(http.StatusBadRequest, "More attributes: %s has a field of its own or is Cognito's. Leave it out.", name)
		}
	}
	for name, value := range map[string]string{"email": f.Email, "name": f.Name, tenantAttribute: f.Tenant} {
		if value != "" {
			attributes[name] = value
		}
	}
	return attributes, nil
}

// groups are separated by blanks or commas, which group names cannot hold or rarely do.
func (f form) groupList() []string {
	return strings.FieldsFunc(f.Groups, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\r' || r == '\t' })
}

// A way is how a user comes into the pool, and the operations that follow.
type way struct {
	Name       string
	Label      string // goes on after the user's name
	Provider   string
	operations []string
}

// ways are in the order of the form.
var ways = []way{
	{"sign-in", "signs up and signs in", "", []string{signUp, confirm, signIn}},
	{"sign-up", "signs up, no more", "", []string{signUp}},
	{"admin", "is created by an administrator", "", []string{adminCreate}},
	{"Google", "signs in with Google", "Google", []string{signIn}},
	{"ADFS", "signs in with SAML (ADFS)", "ADFS", []string{signIn}},
	{"Okta", "signs in with OpenID Connect (Okta)", "Okta", []string{signIn}},
}

// usersView is what templates/users.html shows.
type usersView struct {
	Users   []listedUser
	Ways    []way
	Version string
	Strays  int // rows without a user in the pool
	Table   string
}

type listedUser struct {
	cognitoidp.User
	Label  string
	Groups []string
	HasRow bool
}

func (a *app) showUsers(w http.ResponseWriter, r *http.Request) error {
	rows, err := a.rows(r.Context())
	if err != nil {
		return err
	}
	v := usersView{Ways: ways, Version: a.version(), Table: a.stack.Table()}
	for _, u := range slices.Backward(a.pool.Users.All()) { // the newest first
		v.Users = append(v.Users, listedUser{u, label(u), groups(u), rows[u.Sub()] != nil})
		delete(rows, u.Sub())
	}
	v.Strays = len(rows)
	return render(w, r, "users.html", "Users", v)
}

// version is that of the pool's pre token generation trigger: 1, 2 or 3.
func (a *app) version() string {
	triggers, _ := a.pool.Snapshot()["LambdaConfig"].(cognitoidp.Object)
	config, _ := triggers["PreTokenGenerationConfig"].(cognitoidp.Object)
	version, _ := config["LambdaVersion"].(string)
	return strings.TrimSuffix(strings.TrimPrefix(version, "V"), "_0")
}

func (a *app) setVersion(ctx context.Context, version string) error {
	switch version {
	case a.version():
		return nil
	case "1", "2", "3":
		_, err := a.pool.Do(ctx, "UpdateUserPool", cognitoidp.Object{"UserPoolId": stack.PoolID, "LambdaConfig": triggers(version)})
		return err
	}
	return problemf(http.StatusBadRequest, "The trigger version is V1_0, V2_0 or V3_0.")
}

func (a *app) createUser(w http.ResponseWriter, r *http.Request) error {
	f := readForm(r)
	attributes, err := f.attributes()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(ways, func(w way) bool { return w.Name == f.How })
	if i < 0 {
		return problemf(http.StatusBadRequest, "Choose how the user comes into the pool.")
	}
	if err := a.setVersion(r.Context(), f.Version); err != nil {
		return err
	}
	this, err := a.act(r.Context(), ways[i].Label, ways[i].operations, request{who: newcomer{attributes, f.groupList(), ways[i].Provider}})
	if err != nil {
		return err
	}
	return a.redirectTo(w, r, this)
}

// redirectTo shows an action, on the page of its user if there is one.
func (a *app) redirectTo(w http.ResponseWriter, r *http.Request, this *action) error {
	if sub := this.User.Sub(); sub != "" {
		return redirect(w, r, fmt.Sprintf("/users/%s?action=%d", sub, this.ID))
	}
	return redirect(w, r, fmt.Sprintf("/actions/%d", this.ID))
}

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
	if err := a.setVersion(r.Context(), f.Version); err != nil {
		return err
	}
	a.mu.Lock()
	var refreshToken string
	if s := a.tokens[sub]; s != nil {
		refreshToken = s.refresh
	}
	a.mu.Unlock()
	this, err := a.act(r.Context(), title, []string{operation}, request{sub: sub, refresh: refreshToken, metadata: metadata})
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
