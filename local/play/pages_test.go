package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// visit is a request of a browser without JavaScript. A form makes it a POST.
func visit(t *testing.T, a *app, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	if form != nil {
		r = httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// follow is visit, and the page that a form leads to. It returns the page as text, and its path.
func follow(t *testing.T, a *app, path string, form url.Values) (body, to string) {
	t.Helper()
	w := visit(t, a, path, form)
	if form != nil {
		if w.Code != http.StatusSeeOther {
			t.Fatalf("POST %s: status %d, want a redirect:\n%s", path, w.Code, w.Body)
		}
		path, _, _ = strings.Cut(w.Header().Get("Location"), "#")
		w = visit(t, a, path, nil)
	}
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: status %d:\n%s", path, w.Code, w.Body)
	}
	return html.UnescapeString(w.Body.String()), path
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not show %q:\n%s", what, part, text)
		}
	}
}

// onlyShipped skips a test that names columns and root fields of the shipped table.
func onlyShipped(t *testing.T) {
	t.Helper()
	if d := users.Description; !d.KeyIsSub() || d.KindOf("attributes") == "" || graphql.Users.Select != "users" {
		t.Skip("this test is about the shipped table")
	}
}

func TestUserPages(t *testing.T) {
	onlyShipped(t)
	a := start(t)
	if w := visit(t, a, "/", nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/users" {
		t.Errorf("/: status %d, to %s; want a redirect to /users", w.Code, w.Header().Get("Location"))
	}
	page, _ := follow(t, a, "/users", nil)
	contains(t, "the empty list", page, "Start here: your first user")

	page, path := follow(t, a, "/users", url.Values{"email": {"ada@example.com"}, "name": {"<b>Ada</b>"}, "groups": {"editor, viewer"},
		"tenant": {"acme"}, "more": {"custom:plan=pro\r\n"}, "how": {"sign-in"}, "version": {"2"}})
	contains(t, "the first action", page, "ada@example.com signs up and signs in", "The user is in.", "Hasura accepts it", `["user","editor","viewer"]`,
		"PostConfirmation_ConfirmSignUp", "PostAuthentication_Authentication", "TokenGeneration_Authentication", "The row is new.", `"message":"synced"`,
		`{"plan":"pro","tenant_id":"acme"}`)
	if raw := visit(t, a, path, nil).Body.String(); strings.Contains(raw, "<b>Ada") {
		t.Errorf("the name is HTML in the page:\n%s", raw)
	}
	user, _, _ := strings.Cut(path, "?")

	page, _ = follow(t, a, user, url.Values{"email": {"ada@example.com"}, "name": {"Ada"}, "groups": {"viewer"}, "status": {"CONFIRMED"}, "enabled": {"1"}})
	contains(t, "the edited user", page, "Saved.", `value="Ada"`, `value="viewer"`)
	page, _ = follow(t, a, user+"/act", url.Values{"operation": {signIn}, "version": {"1"}})
	contains(t, "a sign-in with V1_0", page, "ada@example.com signs in", "Hasura refuses it: jwt-invalid-claims", "With trigger version V1_0", "columns changed.", "<b>Ada</b>")
	page, _ = follow(t, a, user, url.Values{"email": {"ada@example.com"}, "status": {"CONFIRMED"}})
	contains(t, "the disabled user", page, "disabled")
	page, _ = follow(t, a, user+"/act", url.Values{"operation": {refresh}, "version": {"3"}, "metadata": {"a=b"}})
	contains(t, "a refresh of a disabled user", page, "NotAuthorizedException: User is disabled.", "Cognito called no function.")

	page, _ = follow(t, a, "/users", nil)
	contains(t, "the list", page, "ada@example.com", "disabled", "V3_0")
	page, _ = follow(t, a, user+"/delete", url.Values{})
	contains(t, "the list afterwards", page, "such as those of deleted users: 1.", "Start here")
	if w := visit(t, a, user, nil); w.Code != http.StatusNotFound {
		t.Errorf("the deleted user: status %d, want 404", w.Code)
	}
	page, _ = follow(t, a, "/users/machine", url.Values{"version": {"3"}})
	contains(t, "a machine's token", page, "TokenGeneration_ClientCredentials", "A machine has no row.", "No claims for Hasura.")
}

// Every way into the pool, in every trigger version.
func TestWays(t *testing.T) {
	a := start(t)
	want := map[string][]string{
		"sign-in": {"The user is in.", "The row is new."},
		"sign-up": {"Cognito has sent a confirmation code.", "There is no row yet."},
		"admin":   {"Cognito has sent an invitation", "There is no row yet."},
		"Google":  {"TokenGeneration_HostedAuth", "The row is new.", "EXTERNAL_PROVIDER", "Google"},
		"ADFS":    {"TokenGeneration_HostedAuth", "The row is new.", "EXTERNAL_PROVIDER", "ADFS"},
		"Okta":    {"TokenGeneration_HostedAuth", "The row is new.", "EXTERNAL_PROVIDER", "Okta"},
	}
	for _, way := range ways {
		for _, version := range []string{"1", "2", "3"} {
			page, _ := follow(t, a, "/users", url.Values{"email": {way.Name + version + "@example.com"}, "how": {way.Name}, "version": {version}})
			contains(t, way.Name, page, append(want[way.Name], "trigger version V"+version+"_0")...)
		}
	}
}

func TestManyUsers(t *testing.T) {
	a := start(t)
	for i := range most + 5 {
		a.pool.Users.Put(cognitoidp.User{Username: fmt.Sprint("user-", i), Attributes: map[string]string{"sub": fmt.Sprint("sub-", i), "email": fmt.Sprintf("jane%d@example.com", i)}})
	}
	page, _ := follow(t, a, "/users", nil)
	contains(t, "the list", page, fmt.Sprintf("%d of %d users: yours first, then the newest.", most, most+5), `role="search"`, "New user")
	page, _ = follow(t, a, "/users?search=JANE7%40", nil)
	if contains(t, "the search", page, "jane7@example.com", `value="JANE7@"`); strings.Contains(page, "jane8@") {
		t.Errorf("the search for jane7@ finds jane8@:\n%s", page)
	}
	page, _ = follow(t, a, "/users?search=nobody", nil)
	contains(t, "a search without users", page, "No user's address or name has “nobody” in it.", "New user")
}

func TestTokenPages(t *testing.T) {
	onlyShipped(t)
	a := start(t)
	page, _ := follow(t, a, "/tokens", nil)
	contains(t, "the page without tokens", page, "Nobody has tokens yet.")
	_, path := follow(t, a, "/users", url.Values{"email": {"ada@example.com"}, "groups": {"editor"}, "how": {"sign-in"}, "version": {"2"}})
	user, _, _ := strings.Cut(path, "?")
	sub := strings.TrimPrefix(user, "/users/")
	page, _ = follow(t, a, "/tokens?subject="+sub, nil)
	contains(t, "the tokens", page, "ID token", "Access token", "Hasura accepts it", "claims_format: stringified_json", `"token_use": "access"`, "eyJ", ">editor</option>")

	rows := []struct{ token, role, query, want string }{
		{"id", "", "{ users { email } }", `"email": "ada@example.com"`},
		{"access", "user", "{ users { id } }", `"id": "` + sub + `"`},
		{"id", "admin", "{ users { id } }", "Your requested role is not in allowed roles"},
		{"id", "", "{ nonsense }", "validation-failed"},
	}
	for _, row := range rows {
		w := visit(t, a, "/tokens/query", url.Values{"subject": {sub}, "token": {row.token}, "role": {row.role}, "query": {row.query}})
		contains(t, row.query+" as "+row.role, html.UnescapeString(w.Body.String()), "Hasura's answer", row.want, row.query)
	}
	if w := visit(t, a, "/tokens/query", url.Values{"subject": {sub}, "token": {"nonsense"}}); w.Code != http.StatusBadRequest {
		t.Errorf("an unknown token: status %d, want 400", w.Code)
	}

	follow(t, a, "/users/machine", url.Values{"version": {"3"}})
	page, _ = follow(t, a, "/tokens?subject="+clientID, nil)
	contains(t, "the machine's token", page, "machine "+clientID, "Hasura refuses it", "The rule that failed:")
	follow(t, a, user+"/delete", url.Values{})
	if page, _ = follow(t, a, "/tokens?subject="+sub, nil); strings.Contains(page, "ada@") {
		t.Error("the page shows tokens of a deleted user")
	}
}

func TestSaveEvent(t *testing.T) {
	a := start(t)
	follow(t, a, "/users", url.Values{"email": {"ada@example.com"}, "how": {"sign-in"}, "version": {"2"}})
	w := visit(t, a, "/users/actions/1/events/3", nil)
	if got, want := w.Header().Get("Content-Disposition"), `attachment; filename="pre-token-generation-v2-authentication-ada.json"`; got != want {
		t.Errorf("Content-Disposition = %s, want %s", got, want)
	}
	// The event is one that the functions take, such as make run and sam local invoke send it.
	call, err := a.stack.Send(t.Context(), stack.FunctionFor("", w.Body.Bytes()), w.Body.Bytes())
	if err != nil || call.Outcome != "shaped" || !json.Valid(w.Body.Bytes()) {
		t.Errorf("the saved event: outcome %q, error %v:\n%s", call.Outcome, err, w.Body)
	}
	for _, path := range []string{"/users/actions/1/events/0", "/users/actions/1/events/4", "/users/actions/1/events/x", "/users/actions/2/events/0", "/users/actions/2", "/nowhere", "/users/nobody"} {
		if w := visit(t, a, path, nil); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "That did not work") {
			t.Errorf("%s: status %d, want a page with 404:\n%s", path, w.Code, w.Body)
		}
	}
}

func TestInvalidForms(t *testing.T) {
	a := start(t)
	_, sub := act(t, a, request{who: newcomerOf("jane@example.com")}, adminCreate)
	rows := []struct {
		path string
		form url.Values
		want string
	}{
		{"/users", url.Values{"how": {"sign-in"}, "more": {"nonsense"}}, "not of the form name=value"},
		{"/users", url.Values{"how": {"sign-in"}, "more": {"sub=1"}}, "sub has a field of its own or is Cognito's"},
		{"/users", url.Values{"how": {"sign-in"}, "more": {"cognito:user_status=CONFIRMED"}}, "is Cognito's"},
		{"/users", url.Values{"how": {"nonsense"}}, "Choose how the user comes into the pool."},
		{"/users", url.Values{"how": {"sign-in"}, "version": {"4"}}, "V1_0, V2_0 or V3_0"},
		{"/users/" + sub, url.Values{"status": {"CONFIRMED"}, "more": {"a=" + strings.Repeat("x", 3000)}}, "Cognito refuses: InvalidParameterException"},
		{"/users/" + sub, url.Values{"status": {"nonsense"}}, "The status is not one of Cognito's."},
		{"/users/" + sub + "/act", url.Values{"operation": {"nonsense"}}, "Choose what the user does."},
		{"/users/" + sub + "/act", url.Values{"operation": {signIn}, "metadata": {"nonsense"}}, "clientMetadata: "},
		{"/users/machine", url.Values{"version": {"nonsense"}}, "V1_0, V2_0 or V3_0"},
	}
	for _, row := range rows {
		w := visit(t, a, row.path, row.form)
		if w.Code != http.StatusBadRequest || !strings.Contains(html.UnescapeString(w.Body.String()), row.want) {
			t.Errorf("%s %v: status %d, want 400 and %q:\n%s", row.path, row.form, w.Code, row.want, w.Body)
		}
	}
	if n := len(a.pool.Users.All()); n != 1 {
		t.Errorf("the pool has %d users, want 1: an invalid form creates none", n)
	}
}

// What Cognito says of a function that fails.
func TestRefusedAction(t *testing.T) {
	a := start(t)
	err := errors.New("UserLambdaValidationException: PostAuthentication failed with error <b>.")
	s := step{Operation: signIn, Source: "PostAuthentication_Authentication", Event: []byte("{}"), Refused: err}
	s.Call.FunctionError, s.Call.Payload, s.Call.Errors = "Unhandled", []byte(`{"errorMessage":"<b>"}`), []string{"validation-failed: no such column"}
	a.actions = []*action{{ID: 7, Title: "Ada signs in", Steps: []step{s}, Refused: err, User: cognitoidp.User{Attributes: map[string]string{"sub": "1"}}}}
	w := visit(t, a, "/users/actions/7", nil)
	contains(t, "the action", html.UnescapeString(w.Body.String()), "Cognito refuses.", err.Error(), `"errorMessage": "<b>"`, "Hasura: validation-failed", "There is no row yet.")
	if strings.Contains(w.Body.String(), "<b>") {
		t.Errorf("an error is HTML in the page:\n%s", w.Body)
	}
}

// The page remembers a bounded number of actions.
func TestActionsAreBounded(t *testing.T) {
	a := start(t)
	_, sub := act(t, a, request{who: newcomerOf("jane@example.com")}, signUp)
	for range keep + 4 {
		act(t, a, request{sub: sub}, refresh)
	}
	if w := visit(t, a, "/users/actions/5", nil); len(a.actions) != keep || w.Code != http.StatusNotFound {
		t.Errorf("%d actions, the fifth has status %d; want %d and 404", len(a.actions), w.Code, keep)
	}
}

// Pages and their files need nothing from elsewhere, and no inline script or style, which the Content-Security-Policy refuses.
func TestPagesAreSelfContained(t *testing.T) {
	a := start(t)
	for _, name := range []string{"style.css", "play.js", "htmx.min.js", "htmx.LICENSE", "icon.svg"} {
		if w := visit(t, a, "/static/"+name, nil); w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("/static/%s: status %d", name, w.Code)
		}
	}
	follow(t, a, "/users", url.Values{"email": {"ada@example.com"}, "how": {"sign-in"}, "version": {"2"}})
	for _, s := range sections {
		page := visit(t, a, s.Path, nil).Body.String()
		for _, part := range []string{"<style", "style=", "<script>", `src="http`, `href="http`, "onclick="} {
			if strings.Contains(page, part) {
				t.Errorf("%s has %s", s.Path, part)
			}
		}
		contains(t, s.Path, page, fmt.Sprintf(`<a href="%s" aria-current="page">`, s.Path), `<main id="main"`, `<a class="skip" href="#main">`, `<h1>`)
	}
}
