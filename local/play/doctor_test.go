package main

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// post returns the page that answers a form. The doctor does not redirect.
func post(t *testing.T, a *app, path string, form url.Values) string {
	t.Helper()
	w := visit(t, a, path, form)
	if w.Code != http.StatusOK {
		t.Fatalf("POST %s: status %d:\n%s", path, w.Code, w.Body)
	}
	return html.UnescapeString(w.Body.String())
}

func TestDoctorPage(t *testing.T) {
	a := start(t)
	body, _ := follow(t, a, "/doctor", nil)
	contains(t, "the page", body, "Nothing leaves this machine", "Nothing is stored or logged", `autocomplete="off"`)
	for _, row := range []struct {
		example string
		want    []string
	}{
		{"good", []string{"Hasura accepts the token", "x-hasura-user-id", `"token_use": "id"`, `"alg": "RS256"`}},
		{"expired", []string{"Hasura refuses the token:", "JWTExpired", "docs/troubleshooting.md#jwtexpired-jwtissuedatfuture"}},
		{"other-pool", []string{"JWTNotInIssuer", "not reached"}},
		{"format", []string{"expecting a json object when claims_format is json", "stringified_json"}},
		{"audience", []string{"JWTNotInAudience"}},
		{"no-keys", []string{"Hasura accepts the token", "not checked", "if its signature is right"}},
	} {
		contains(t, row.example, post(t, a, "/doctor", url.Values{"example": {row.example}}), row.want...)
	}
	body = post(t, a, "/doctor", url.Values{"token": {"a.b.c"}, "secret": {`{"jwk_url":"https://a","claims_fromat":"json"}`}})
	contains(t, "a misspelled key", body, "Hasura ignores what it does not know in the configuration: claims_fromat.")
	if w := visit(t, a, "/doctor", url.Values{"example": {"none"}}); w.Code != http.StatusBadRequest {
		t.Errorf("an unknown example: status %d, want 400", w.Code)
	}
}

// What was pasted is in the answer alone: not in an address, not in the next page, not in the log.
func TestDoctorKeepsNothing(t *testing.T) {
	a := start(t)
	const token, secret = "aaaa.canary.bbbb", `{"type":"HS256","key":"canary-canary-canary-canary-canary"}`
	w := visit(t, a, "/doctor", url.Values{"token": {token}, "secret": {secret}})
	if w.Code != http.StatusOK || w.Header().Get("Location") != "" {
		t.Errorf("status %d, to %q; want a page", w.Code, w.Header().Get("Location"))
	}
	body, _ := follow(t, a, "/doctor", nil)
	if strings.Contains(body, "canary") {
		t.Error("the next page shows what was pasted")
	}
	for _, line := range a.stack.Log.Lines() {
		if strings.Contains(line.Text, "canary") {
			t.Errorf("logged %s", line.Text)
		}
	}
}

func TestDiagnosis(t *testing.T) {
	const key = `{"type":"HS256","key":"00000000000000000000000000000000"}`
	rows := []struct {
		name string
		d    diagnosis
		want string
	}{
		{"nothing", diagnosis{Secret: key}, "Paste a token."},
		{"no configuration", diagnosis{Token: "a.b.c"}, "Hasura does not start with this HASURA_GRAPHQL_JWT_SECRET."},
		{"a short key", diagnosis{Token: "a.b.c", Secret: `{"type":"HS256","key":"short"}`}, "HS256 needs at least 32 bytes"},
		{"a key set that is not one", diagnosis{Token: "a.b.c", Secret: `{"jwk_url":"https://example.com"}`, Keys: "{"}, "The key set is not a JWKS."},
		{"a refresh token", diagnosis{Token: "a.b.c.d.e", Secret: key}, "Expected 3 parts; got 5"},
		{"with the scheme", diagnosis{Token: " Bearer a.b.c.d.e\n", Secret: key}, "Expected 3 parts; got 5"},
	}
	for _, row := range rows {
		row.d.judge(time.Now())
		got := row.d.Problem
		if row.d.Judgement != nil {
			got = row.d.Judgement.Refusal.Message
		}
		if !strings.Contains(got, row.want) {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
