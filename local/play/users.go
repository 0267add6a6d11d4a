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

// most is how many users the list shows.
const most = 20

// usersView is what templates/users.html shows.
type usersView struct {
	Users   []listedUser
	Search  string // a part of what the users are called
	Found   int    // number of users that match the search
	All     int    // users in the pool
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
	all := a.pool.Users.All()
	v := usersView{Search: strings.TrimSpace(r.FormValue("search")), All: len(all), Ways: ways, Version: a.version(), Table: a.stack.Table()}
	rank := make(map[string]int)
	a.mu.Lock()
	for _, this := range a.actions {
		rank[this.User.Sub()] = -1
	}
	a.mu.Unlock()
	slices.Reverse(all) // the newest first, but the users of the page before imported ones
	slices.SortStableFunc(all, func(x, y cognitoidp.User) int { return cmp.Compare(rank[x.Sub()], rank[y.Sub()]) })
	for _, u := range all {
		if strings.Contains(strings.ToLower(label(u)+" "+u.Username), strings.ToLower(v.Search)) {
			if v.Found++; v.Found <= most {
				v.Users = append(v.Users, listedUser{u, label(u), groups(u), rows[u.Sub()] != nil})
			}
		}
		delete(rows, u.Sub())
	}
	v.Strays = len(rows)
	return render(w, r, "users.html", "Users", v)
}

// version is that of the pool's pre token generation trigger: 1, 2 or 3.
func (a *app) version() string {
	_, trigger := a.triggers()
	version, _ := trigger["LambdaVersion"].(string)
	return strings.TrimSuffix(strings.TrimPrefix(version, "V"), "_0")
}

// triggers returns copies of the pool's LambdaConfig and of the pre token generation trigger in it.
func (a *app) triggers() (all, preTokenGeneration cognitoidp.Object) {
	all, _ = a.pool.Snapshot()["LambdaConfig"].(cognitoidp.Object)
	preTokenGeneration, _ = all["PreTokenGenerationConfig"].(cognitoidp.Object)
	return maps.Clone(all), maps.Clone(preTokenGeneration)
}

func (a *app) setVersion(ctx context.Context, version string) error {
	switch version {
	case "", a.version():
		return nil
	case "1", "2", "3":
		all, trigger := a.triggers()
		trigger["LambdaVersion"] = "V" + version + "_0"
		all["PreTokenGenerationConfig"] = trigger
		_, err := a.pool.Do(ctx, "UpdateUserPool", cognitoidp.Object{"UserPoolId": stack.PoolID, "LambdaConfig": all})
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
	this, err := a.act(r.Context(), ways[i].Label, ways[i].operations, request{version: f.Version, who: newcomer{attributes, f.groupList(), ways[i].Provider}})
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
	return redirect(w, r, fmt.Sprintf("/users/actions/%d", this.ID))
}
