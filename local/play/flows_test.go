package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// sources returns the trigger sources of the steps, and the operations of those without a call.
func (a *action) sources() (list []string) {
	for _, s := range a.Steps {
		if s.Source == "" {
			list = append(list, s.Operation)
		} else {
			list = append(list, s.Source)
		}
	}
	return list
}

func newcomerOf(email string) newcomer {
	return newcomer{attributes: map[string]string{"email": email, "name": "Jane"}, groups: []string{"editor", "viewer"}}
}

// act is [app.act] without the errors of the page. It returns the action and the user's sub.
func act(t *testing.T, a *app, r request, operations ...string) (this *action, sub string) {
	t.Helper()
	this, err := a.act(t.Context(), "", operations, r)
	if err != nil {
		t.Fatalf("%v: %v", operations, err)
	}
	return this, this.User.Sub()
}

func TestOperations(t *testing.T) {
	a := start(t)
	const (
		postConfirmation   = "PostConfirmation_ConfirmSignUp"
		postAuthentication = "PostAuthentication_Authentication"
	)
	rows := []struct {
		name     string
		provider string
		earlier  []string // operations before
		change   func(*cognitoidp.User)
		last     string
		metadata map[string]string
		want     []string
		refused  string // Cognito's error; empty means none
		status   string // afterwards
	}{
		{name: "sign-up", last: signUp, want: []string{signUp}, status: cognitoidp.Unconfirmed},
		{name: "created by an administrator", last: adminCreate, want: []string{adminCreate}, status: cognitoidp.ForceChangePassword},
		{name: "confirmation", earlier: []string{signUp}, last: confirm, want: []string{postConfirmation}, status: cognitoidp.Confirmed},
		{name: "confirmation again", earlier: []string{signUp, confirm}, last: confirm, refused: "NotAuthorizedException: User cannot be confirmed.", status: cognitoidp.Confirmed},
		{name: "sign-in", earlier: []string{signUp, confirm}, last: signIn, want: []string{postAuthentication, "TokenGeneration_Authentication"}, status: cognitoidp.Confirmed},
		{name: "sign-in before confirmation", earlier: []string{signUp}, last: signIn, refused: "UserNotConfirmedException: ", status: cognitoidp.Unconfirmed},
		{name: "first sign-in of an administrator's user", earlier: []string{adminCreate}, last: signIn,
			want: []string{postAuthentication, "TokenGeneration_NewPasswordChallenge"}, status: cognitoidp.Confirmed},
		{name: "sign-in of a disabled user", earlier: []string{signUp, confirm}, change: func(u *cognitoidp.User) { u.Enabled = false }, last: signIn,
			refused: "NotAuthorizedException: User is disabled.", status: cognitoidp.Confirmed},
		{name: "sign-in of a user who must reset the password", earlier: []string{signUp, confirm}, change: func(u *cognitoidp.User) { u.Status = cognitoidp.ResetRequired },
			last: signIn, refused: "PasswordResetRequiredException: ", status: cognitoidp.ResetRequired},
		{name: "forgotten password", earlier: []string{signUp, confirm}, change: func(u *cognitoidp.User) { u.Status = cognitoidp.ResetRequired }, last: forgot,
			want: []string{"PostConfirmation_ConfirmForgotPassword"}, status: cognitoidp.Confirmed},
		{name: "forgotten password of an administrator's user", earlier: []string{adminCreate}, last: forgot,
			refused: "NotAuthorizedException: User password cannot be reset in the current state.", status: cognitoidp.ForceChangePassword},
		{name: "refresh", earlier: []string{signUp, confirm, signIn}, last: refresh, want: []string{"TokenGeneration_RefreshTokens"}, status: cognitoidp.Confirmed},
		{name: "refresh with clientMetadata", earlier: []string{signUp, confirm, signIn}, last: refresh, metadata: map[string]string{"tenant_id": "acme"},
			want: []string{"TokenGeneration_Authentication"}, status: cognitoidp.Confirmed},
		{name: "refresh without a sign-in", earlier: []string{signUp, confirm}, last: refresh, refused: "NotAuthorizedException: Invalid Refresh Token", status: cognitoidp.Confirmed},
		{name: "first federated sign-in", provider: "Google", last: signIn, want: []string{postConfirmation, "TokenGeneration_HostedAuth"}, status: cognitoidp.ExternalProvider},
		{name: "second federated sign-in", provider: "ADFS", earlier: []string{signIn}, last: signIn,
			want: []string{postAuthentication, "TokenGeneration_HostedAuth"}, status: cognitoidp.ExternalProvider},
		{name: "machine token", last: machineTokens, want: []string{"TokenGeneration_ClientCredentials"}},
	}
	for _, row := range rows {
		for _, version := range []string{"1", "2", "3"} {
			name := row.name + ", V" + version + "_0"
			if err := a.setVersion(t.Context(), version); err != nil {
				t.Fatal(err)
			}
			r := request{who: newcomerOf(strings.ReplaceAll(row.name, " ", "-") + version + "@example.com")}
			r.who.provider = row.provider
			if len(row.earlier) > 0 {
				var earlier *action
				if earlier, r.sub = act(t, a, r, row.earlier...); earlier.Refused != nil {
					t.Fatalf("%s: %v", name, earlier.Refused)
				}
				if earlier.Tokens != nil {
					r.refresh = earlier.Tokens.refresh
				}
			}
			if u, ok := a.pool.Users.Get(r.sub); ok && row.change != nil {
				row.change(&u)
				a.pool.Users.Put(u)
			}
			r.metadata = row.metadata
			this, sub := act(t, a, r, row.last)
			want := row.want
			if row.last == machineTokens && version != "3" {
				want = []string{machineTokens}
			}
			if got := this.sources(); !slices.Equal(got, want) && (row.refused == "" || len(got) > 0) {
				t.Errorf("%s: steps = %q, want %q", name, got, want)
			}
			got := ""
			if this.Refused != nil {
				got = this.Refused.Error()
			}
			if row.refused == "" && got != "" || !strings.HasPrefix(got, row.refused) {
				t.Errorf("%s: Cognito's error = %q, want %q", name, got, row.refused)
			}
			u, _ := a.pool.Users.Get(sub)
			if u.Status != row.status || row.status != "" && !slices.Equal(groups(u), []string{"editor", "viewer"}) {
				t.Errorf("%s: the user has the status %s and the groups %q, want %s", name, u.Status, groups(u), row.status)
			}
			issues := row.last == machineTokens || strings.HasPrefix(strings.Join(row.want, " "), "TokenGeneration") || len(row.want) == 2
			if (this.Tokens != nil) != issues {
				t.Errorf("%s: there are tokens: %t, want %t", name, this.Tokens != nil, issues)
			}
		}
	}
}

// An address that another user signs in with.
func TestNewcomerRefused(t *testing.T) {
	a := start(t)
	act(t, a, request{who: newcomerOf("jane@example.com")}, signUp)
	this, sub := act(t, a, request{who: newcomerOf("jane@example.com")}, signUp, confirm)
	if sub != "" || this.Refused == nil || !strings.HasPrefix(this.Refused.Error(), "UsernameExistsException") || this.Title != "jane@example.com" || this.RowText() != "There is no row yet." {
		t.Errorf("action = %+v, want UsernameExistsException and no user", this)
	}
}

// With Hasura down, the sync is parked and the user gets in.
func TestSignInWithoutHasura(t *testing.T) {
	a := start(t)
	_, sub := act(t, a, request{who: newcomerOf("jane@example.com")}, adminCreate)
	if err := a.stack.Hasura.Set(stack.Status(503, "")); err != nil {
		t.Fatal(err)
	}
	this, _ := act(t, a, request{sub: sub}, signIn)
	if this.Refused != nil || this.Tokens == nil || this.Steps[0].Call.Outcome != "parked" || this.Steps[0].Kind() != "warn" || this.RowText() != "There is no row yet." {
		t.Errorf("refused = %v, tokens %v, outcome %q, row: %s; want the user let in and the sync parked",
			this.Refused, this.Tokens, this.Steps[0].Call.Outcome, this.RowText())
	}
	if v := a.judge(t.Context(), this.Tokens.List[0]); v.Accepted || !v.NoAnswer {
		t.Errorf("verdict while Hasura is down = %+v, want that there is none", v)
	}
}

// Settings reach the functions and Hasura.
func TestSettings(t *testing.T) {
	a := startWith(t, stack.Settings{"TENANT_GROUPS": "{tenant}:{role}", "CLAIMS_FORMAT": "json", "CLAIMS_NAMESPACE": "hasura", "MACHINE_ROLES": clientID + "=service"})
	r := request{who: newcomerOf("tina@example.com"), version: "3"}
	r.who.groups = []string{"acme:owner", "globex:viewer"}
	_, sub := act(t, a, r, signUp, confirm, signIn)
	refreshToken := a.tokens[sub].refresh
	this, _ := act(t, a, request{sub: sub, refresh: refreshToken, metadata: map[string]string{"tenant_id": "globex"}}, refresh)
	for _, token := range this.Tokens.List {
		const want = `{"acme","globex"} globex user viewer`
		claims := token.hasura("hasura")
		got := fmt.Sprint(claims["x-hasura-tenant-ids"], " ", claims["x-hasura-tenant-id"], " ", strings.Join(token.Roles(), " "))
		if v := a.judge(t.Context(), token); got != want || !v.Accepted || token.Stringified() {
			t.Errorf("%s token: claims %s, verdict %+v, a text %t; want %s", token.Use, got, v, token.Stringified(), want)
		}
	}
	this, _ = act(t, a, request{}, machineTokens)
	if v := a.judge(t.Context(), this.Tokens.List[0]); !v.Accepted || strings.Join(this.Tokens.List[0].Roles(), " ") != "service" {
		t.Errorf("the machine's token: roles %q, verdict %+v", this.Tokens.List[0].Roles(), v)
	}
}

// A user whose function fails is refused with Cognito's text, and the action ends there.
func TestSignInRefusedByAFunction(t *testing.T) {
	a := startWith(t, stack.Settings{"SYNC_ON_FAILURE": "refuse"})
	_, sub := act(t, a, request{who: newcomerOf("jane@example.com")}, adminCreate)
	if err := a.stack.Hasura.Set(stack.Status(503, "")); err != nil {
		t.Fatal(err)
	}
	this, _ := act(t, a, request{sub: sub}, signIn)
	if this.Refused == nil || !strings.HasPrefix(this.Refused.Error(), "UserLambdaValidationException: PostAuthentication failed with error ") ||
		len(this.Steps) != 1 || this.Steps[0].Kind() != "bad" || this.Steps[0].Refused == nil || this.Tokens != nil {
		t.Errorf("refused = %v, steps %+v, tokens %v; want an end at post authentication", this.Refused, this.Steps, this.Tokens)
	}
}

func TestEdit(t *testing.T) {
	a := start(t)
	_, sub := act(t, a, request{who: newcomerOf("jane@example.com")}, signUp, confirm, signIn)
	u, _ := a.pool.Users.Get(sub)
	err := a.edit(t.Context(), u, map[string]string{"email": "jo@example.com", "custom:plan": "pro"}, []string{"viewer", "owner"}, cognitoidp.ResetRequired, false)
	if err != nil {
		t.Fatal(err)
	}
	u, _ = a.pool.Users.Get(sub)
	_, name := u.Attributes["name"]
	if u.Attributes["email"] != "jo@example.com" || name || u.Attributes["custom:plan"] != "pro" || !slices.Equal(u.Groups, []string{"viewer", "owner"}) ||
		u.Status != cognitoidp.ResetRequired || u.Enabled || u.Attributes["sub"] != sub {
		t.Errorf("user = %+v, want it changed", u)
	}
	// Users of a provider keep the provider's group.
	r := request{who: newcomerOf("gina@example.com")}
	r.who.provider = "Google"
	_, sub = act(t, a, r, signIn)
	u, _ = a.pool.Users.Get(sub)
	if err := a.edit(t.Context(), u, u.Attributes, nil, u.Status, true); err != nil {
		t.Fatal(err)
	}
	if u, _ = a.pool.Users.Get(sub); !slices.Equal(u.Groups, []string{"us-east-1_ExaMPle01_Google"}) || u.Attributes["identities"] == "" {
		t.Errorf("user = %+v, want the provider's group and identity", u)
	}
}
