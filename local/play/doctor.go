package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// A diagnosis is what templates/doctor.html shows. Token, Secret and Keys are what was pasted. They stand in the page alone.
type diagnosis struct {
	Examples            []example
	Token, Secret, Keys string

	Problem         string   // why there is no judgement
	Ignored         []string // keys of the configuration that Hasura does not know
	Judgement       *jwt.Judgement
	Header, Payload string // decoded; empty if they cannot be
}

func (a *app) showDoctor(w http.ResponseWriter, r *http.Request) error {
	return render(w, r, "doctor.html", "Token doctor", diagnosis{Examples: examples})
}

// judgePasted answers the POST with the page itself: neither a URL nor the server keeps what was pasted.
func (a *app) judgePasted(w http.ResponseWriter, r *http.Request) error {
	d := diagnosis{Token: r.PostFormValue("token"), Secret: r.PostFormValue("secret"), Keys: r.PostFormValue("keys")}
	if name := r.PostFormValue("example"); name != "" {
		i := slices.IndexFunc(examples, func(e example) bool { return e.Name == name })
		if i < 0 {
			return problemf(http.StatusBadRequest, "There is no such example.")
		}
		var err error
		if d, err = a.fill(examples[i]); err != nil {
			return err
		}
	}
	d.Examples = examples
	d.judge(time.Now())
	return render(w, r, "doctor.html", "Token doctor", d)
}

// Unchecked reports whether the signature was not checked.
func (d diagnosis) Unchecked() bool {
	return slices.ContainsFunc(d.Judgement.Steps, func(r jwt.Result) bool { return r.Result == jwt.Unchecked })
}

func (d *diagnosis) judge(now time.Time) {
	token := strings.TrimSpace(d.Token)
	token = strings.TrimSpace(strings.TrimPrefix(token, "Bearer "))
	if parts := strings.Split(token, "."); len(parts) == 3 {
		d.Header, d.Payload = decoded(parts[0]), decoded(parts[1])
	}
	config, err := jwt.ParseConfig(d.Secret)
	d.Ignored = config.Unknown
	switch {
	case token == "":
		d.Problem = "Paste a token."
		return
	case err != nil:
		d.Problem = "Hasura does not start with this HASURA_GRAPHQL_JWT_SECRET. " + err.Error()
		return
	}
	judgement, err := jwt.Judge(token, config, strings.TrimSpace(d.Keys), now)
	if err != nil {
		d.Problem = "The key set is not a JWKS. " + err.Error()
		return
	}
	d.Judgement = &judgement
}

// decoded decodes a part of a token. It returns "" if the part is not base64url of JSON.
func decoded(part string) string {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || !json.Valid(text) {
		return ""
	}
	return indent(text)
}

// An example fills in the form.
type example struct {
	Name, Label string
	pool        string                // id of the pool that signs; empty means the local one
	change      func(userpool.Claims) // of the claims of the ID token; nil means none
	config      map[string]any        // members of the configuration that are added or replaced
	withoutKeys bool
}

// examples are in the order of the page.
var examples = []example{
	{Name: "good", Label: "A good token"},
	{Name: "expired", Label: "An expired token", change: func(c userpool.Claims) { c["exp"] = time.Now().Add(-time.Hour).Unix() }},
	{Name: "other-pool", Label: "A token of another pool", pool: "us-east-1_Another01"},
	{Name: "format", Label: "The wrong claims format", config: map[string]any{"claims_format": "json"}},
	{Name: "audience", Label: "Another audience", config: map[string]any{"audience": []string{"another-app-client"}}},
	{Name: "no-keys", Label: "Without the key set", withoutKeys: true},
}

// fill makes the token, the configuration and the key set of an example.
func (a *app) fill(e example) (d diagnosis, err error) {
	pool, now := a.stack.Pool, time.Now()
	claims := userpool.Claims{"iss": pool.Issuer, "sub": "1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15", "aud": clientID, "token_use": "id",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), jwt.DefaultNamespace: `{"x-hasura-user-id":"1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15",` +
			`"x-hasura-allowed-roles":["user","editor"],"x-hasura-default-role":"user"}`}
	if e.pool != "" {
		if pool, err = userpool.New(e.pool); err != nil {
			return d, err
		}
		claims["iss"] = pool.Issuer
	}
	if e.change != nil {
		e.change(claims)
	}
	if d.Token, _, err = pool.Sign(userpool.Tokens{ID: claims, Access: userpool.Claims{}}); err != nil {
		return d, err
	}
	config := map[string]any{"jwk_url": a.stack.Pool.Issuer + "/.well-known/jwks.json", "issuer": a.stack.Pool.Issuer, "claims_format": jwt.FormatStringJSON}
	for name, value := range e.config {
		config[name] = value
	}
	text, err := json.MarshalIndent(config, "", "  ")
	if d.Secret = string(text); err != nil || e.withoutKeys {
		return d, err
	}
	answer := httptest.NewRecorder()
	a.stack.Pool.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/"+a.stack.Pool.ID+"/.well-known/jwks.json", nil))
	d.Keys = string(bytes.TrimSpace(answer.Body.Bytes()))
	return d, nil
}
