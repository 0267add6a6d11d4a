package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
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
func formOf(u user, version string) form {
	f := form{Email: u.Attributes["email"], Name: u.Attributes["name"], Tenant: u.Attributes[tenantAttribute], Groups: strings.Join(u.Groups, " "),
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
func (f form) groups() []string {
	return strings.FieldsFunc(f.Groups, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\r' || r == '\t' })
}

func (f form) version() (string, error) {
	if !slices.Contains([]string{"1", "2", "3"}, f.Version) {
		return "", problemf(http.StatusBadRequest, "The trigger version is V1_0, V2_0 or V3_0.")
	}
	return f.Version, nil
}

// A way is how a user comes into the pool, and the operations that follow.
type way struct {
	Name       string
	Label      string
	Status     string
	Provider   string
	operations []string
}

// ways are in the order of the form. A label goes on after the user's name.
var ways = []way{
	{"sign-in", "signs up and signs in", unconfirmed, "", []string{signUp, confirm, signIn}},
	{"sign-up", "signs up, no more", unconfirmed, "", []string{signUp}},
	{"admin", "is created by an administrator", forceChangePassword, "", []string{adminCreate}},
	{"Google", "signs in with Google", "", "Google", []string{signIn}},
	{"ADFS", "signs in with SAML (ADFS)", "", "ADFS", []string{signIn}},
	{"Okta", "signs in with OpenID Connect (Okta)", "", "Okta", []string{signIn}},
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
	user
	HasRow bool
}

func (a *app) showUsers(w http.ResponseWriter, r *http.Request) error {
	rows, err := a.rows(r.Context())
	if err != nil {
		return err
	}
	v := usersView{Ways: ways, Version: a.chosen(), Table: a.stack.Table()}
	for _, u := range a.pool.list() {
		v.Users = append(v.Users, listedUser{u, rows[u.Sub()] != nil})
		delete(rows, u.Sub())
	}
	v.Strays = len(rows)
	return render(w, r, "users.html", "Users", v)
}

// chosen is the trigger version that was used last.
func (a *app) chosen() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.version
}

func (a *app) choose(version string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version = version
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
	version, err := f.version()
	if err != nil {
		return err
	}
	a.choose(version)
	u := newUser(attributes, f.groups(), ways[i].Provider, ways[i].Status)
	a.pool.put(u)
	done, err := a.act(r.Context(), u.Label()+" "+ways[i].Label, ways[i].operations, request{sub: u.Sub(), version: version})
	if err != nil {
		return err
	}
	return redirect(w, r, fmt.Sprintf("/users/%s?action=%d", u.Sub(), done.ID))
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
	case unconfirmed:
		return confirm
	case resetRequired:
		return forgot
	}
	return signIn
}

// userView is what templates/user.html shows.
type userView struct {
	User       user
	Form       form
	Statuses   []string
	Providers  []provider
	Operations []operation
	Next       string      // the name of one of them
	Action     *actionView // the chosen action, or the last one
	Saved      bool        // the user was edited just now
}

func (a *app) userOf(r *http.Request) (user, error) {
	u, ok := a.pool.find(r.PathValue("sub"))
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
	v := userView{User: u, Form: formOf(u, a.chosen()), Statuses: statuses, Providers: providers, Operations: operations, Next: next(u.Status), Saved: r.FormValue("saved") != ""}
	done := a.lastAction(u.Sub())
	if id := r.FormValue("action"); id != "" {
		if done, err = a.findAction(id); err != nil {
			return err
		}
	}
	v.Action = a.viewAction(r, done)
	return render(w, r, "user.html", u.Label(), v)
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
	for _, name := range []string{"sub", "identities"} {
		if value, ok := u.Attributes[name]; ok {
			attributes[name] = value
		}
	}
	u.Attributes, u.Groups, u.Status, u.Enabled = attributes, f.groups(), f.Status, !f.Disabled
	a.pool.put(u)
	return redirect(w, r, "/users/"+u.Sub()+"?saved=1")
}

func (a *app) deleteUser(w http.ResponseWriter, r *http.Request) error {
	u, err := a.userOf(r)
	if err != nil {
		return err
	}
	a.pool.remove(u.Sub())
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
	done, err := a.actForm(r, u.Label()+" "+operations[i].Title, operations[i].Name, u.Sub())
	if err != nil {
		return err
	}
	return redirect(w, r, fmt.Sprintf("/users/%s?action=%d", u.Sub(), done.ID))
}

func (a *app) actMachine(w http.ResponseWriter, r *http.Request) error {
	done, err := a.actForm(r, "A machine gets a token", machineTokens, "")
	if err != nil {
		return err
	}
	return redirect(w, r, fmt.Sprintf("/actions/%d", done.ID))
}

// actForm does an operation with the trigger version and the clientMetadata of the form.
func (a *app) actForm(r *http.Request, title, operation, sub string) (*action, error) {
	f := readForm(r)
	version, err := f.version()
	if err != nil {
		return nil, err
	}
	metadata, err := parsePairs(f.Metadata)
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "clientMetadata: %v", err)
	}
	a.choose(version)
	return a.act(r.Context(), title, []string{operation}, request{sub: sub, version: version, metadata: metadata})
}

// An actionView is an action with Hasura's verdicts.
type actionView struct {
	*action
	Judged []judged
}

func (a *app) viewAction(r *http.Request, done *action) *actionView {
	if done == nil {
		return nil
	}
	return &actionView{done, a.judgeAll(r.Context(), done.Tokens)}
}

func (a *app) showAction(w http.ResponseWriter, r *http.Request) error {
	done, err := a.findAction(r.PathValue("id"))
	if err != nil {
		return err
	}
	return render(w, r, "action.html", done.Title, a.viewAction(r, done))
}
